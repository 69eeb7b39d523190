// SPDX-License-Identifier: Apache-2.0
// The commands on the model store, from outside.
#include <sys/stat.h>

#include <fstream>

#include "tests/cli/store_commands.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(StoreCommands, refuse_what_cannot_be_named) {
  for (const char* name : {"../x", "/x", "a..b", "a b", "a/b", "a:b:c", "-x."}) {
    EXPECT_EQ(error_code({"import", "tiny", "--name=" + std::string(name)}, 2), "UNSAFE_NAME") << name;
    EXPECT_EQ(run({"rm", "--", name}).err.substr(0, 18), "error: UNSAFE_NAME") << name;
  }
  EXPECT_FALSE(fs::exists(store()));
}

TEST_F(StoreCommands, say_what_is_not_there) {
  EXPECT_EQ(error_code({"import", "absent"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"rm", "absent"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"cp", "absent", "other"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"verify", "absent"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"pack", "absent", "x.tar"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"show", "absent"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"create", "-f", "absent.yaml"}, 7), "IO_ERROR");
  EXPECT_EQ(error_code({"validate", "absent"}, 7), "IO_ERROR");
  const Outcome outcome = run(image_of("absent"));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(
      outcome.err,
      HasSubstr("hint: take in a directory that holds it with 'roundhouse import DIR --name absent'"));
  EXPECT_EQ(run({"gc"}).status, 0);
  EXPECT_EQ(run({"clean"}).status, 0);
  EXPECT_FALSE(fs::exists(store()));
}

TEST_F(StoreCommands, an_imported_model_makes_the_image_of_its_directory) {
  const nlohmann::json imported = run_json({"import", "tiny", "--name", "small:f32@1"});
  EXPECT_EQ(imported.at("name"), "small:f32@1");
  EXPECT_EQ(imported.at("files").at("all"), imported.at("files").at("copied").get<int>() +
                                                imported.at("files").at("cloned").get<int>() +
                                                imported.at("files").at("present").get<int>());
  Arguments from_store = image_of("small:f32@1"), from_directory = image_of("./tiny");
  from_store.insert(from_store.end(), {"--output-dir", "a", "--no-metadata"});
  from_directory.insert(from_directory.end(), {"--output-dir", "b", "--no-metadata"});
  const std::string a = run_json(from_store).dump(), b = run_json(from_directory).dump();
  const auto images_a = listing(work() / "a"), images_b = listing(work() / "b");
  ASSERT_EQ(images_a.size(), 1U) << a;
  ASSERT_EQ(images_b.size(), 1U) << b;
  EXPECT_EQ(content(work() / "a" / images_a[0]), content(work() / "b" / images_b[0]));
}

TEST_F(StoreCommands, list_and_models_know_the_store) {
  run_json({"import", "tiny"});
  const nlohmann::json listed = run_json({"list"});
  EXPECT_EQ(listed.at("store"), store().string());
  std::map<std::string, bool> stored;
  for (const auto& row : listed.at("models"))
    stored[row.at("name")] = row.at("stored");
  EXPECT_TRUE(stored.at("tiny"));
  EXPECT_FALSE(stored.at("pocket-turbo"));
  EXPECT_FALSE(stored.contains("z-image-turbo")) << "not here";
  EXPECT_THAT(run({"list"}).out, StartsWith("NAME "));
  EXPECT_THAT(run({"models"}).out, HasSubstr("tiny  present, in the store"));
}

TEST_F(StoreCommands, a_name_of_the_store_comes_before_what_comes_along) {
  run_json({"import", "tiny", "--name", "pocket-turbo"});
  EXPECT_TRUE(run_json({"show", "pocket-turbo"}).at("digest").is_string());
  run({"rm", "pocket-turbo", "--prune"});
  EXPECT_TRUE(run_json({"show", "pocket-turbo"}).at("digest").is_null());
  EXPECT_THAT(listing(store() / "blobs/sha256"), testing::IsEmpty());
}

TEST_F(StoreCommands, an_import_of_a_known_directory_brings_its_recipe) {
  run_json({"import", (fs::path(ROUNDHOUSE_MODELS) / "pocket-base").string(), "--name", "teacher"});
  const nlohmann::json shown = run_json({"show", "teacher"});
  EXPECT_EQ(shown.at("defaults").at("steps"), 25);
  EXPECT_EQ(shown.at("license"), "Apache-2.0");
  EXPECT_EQ(shown.at("size").at("multiple_of"), 16);
}

TEST_F(StoreCommands, show_says_which_engines_can_run_it_and_why_others_cannot) {
  run_json({"import", "tiny"});
  const nlohmann::json shown = run_json({"show", "tiny"});
  EXPECT_EQ(shown.at("architecture"), "ZImagePipeline");
  EXPECT_THAT(shown.at("engines").dump(), HasSubstr("CAPABILITY_UNSUPPORTED"));
  EXPECT_EQ(shown.at("provenance").at("source"), model().string());
  EXPECT_THAT(run({"show", "tiny"}).out, HasSubstr("reference"));
}

TEST_F(StoreCommands, a_flipped_byte_is_found_before_anything_is_computed) {
  run_json({"import", "tiny"});
  EXPECT_EQ(run(image_of("tiny")).status, 0);
  const nlohmann::json shown = run_json({"show", "tiny"});
  for (const auto& file : shown.at("files")) {
    const std::string path = file.at("path");
    const fs::path blob = blob_of("tiny", path);
    const std::size_t at = fs::file_size(blob) / 2;
    flip(blob, at);
    const Outcome outcome = run(image_of("tiny"));
    EXPECT_EQ(outcome.status, 5) << path;
    EXPECT_THAT(outcome.err, StartsWith("error: INTEGRITY_MISMATCH: model 'tiny': file '" + path)) << path;
    flip(blob, at);
  }
  EXPECT_EQ(run(image_of("tiny")).status, 0);
}

TEST_F(StoreCommands, verify_names_all_damage) {
  run_json({"import", "tiny"});
  EXPECT_EQ(run({"verify"}).status, 0);
  const fs::path weights = blob_of("tiny", "vae/diffusion_pytorch_model.safetensors");
  flip(weights, fs::file_size(weights) - 1);
  const fs::path config = blob_of("tiny", "vae/config.json");
  fs::resize_file(config, fs::file_size(config) / 2);
  const Outcome outcome = run({"verify", "tiny", "--json"});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_EQ(outcome.json().at("error").at("code"), "INTEGRITY_MISMATCH");
  const nlohmann::json damages = outcome.json().at("models")[0].at("damages");
  ASSERT_EQ(damages.size(), 2U);
  EXPECT_EQ(damages[0].at("file"), "vae/config.json");
  EXPECT_EQ(damages[0].at("kind"), "truncated");
  EXPECT_EQ(damages[1].at("kind"), "tensor");
  EXPECT_EQ(damages[1].at("tensors").size(), 1U);
  EXPECT_THAT(run({"verify", "tiny"}).out, HasSubstr("truncated"));
  EXPECT_EQ(run({"import", "tiny"}).status, 0);
  EXPECT_EQ(run({"verify", "tiny"}).status, 0);
}

TEST_F(StoreCommands, cp_gives_a_second_name_and_gc_frees_only_what_no_name_needs) {
  run_json({"import", "tiny"});
  run_json({"cp", "tiny", "again:v2"});
  run_json({"rm", "tiny"});
  EXPECT_TRUE(run_json({"gc", "--dry-run"}).at("blobs").empty());
  EXPECT_EQ(run(image_of("again:v2")).status, 0);
  run_json({"rm", "again:v2"});
  const nlohmann::json told = run_json({"gc", "--dry-run"});
  EXPECT_EQ(told.at("dry_run"), true);
  EXPECT_FALSE(listing(store() / "blobs/sha256").empty());
  EXPECT_EQ(run_json({"gc"}).at("blobs"), told.at("blobs"));
  EXPECT_THAT(listing(store() / "blobs/sha256"), testing::IsEmpty());
  EXPECT_THAT(listing(store() / "views"), testing::IsEmpty());
}

TEST_F(StoreCommands, clean_keeps_every_model) {
  run_json({"import", "tiny"});
  EXPECT_EQ(run(image_of("tiny")).status, 0);
  EXPECT_EQ(run_json({"clean"}).at("views").size(), 1U);
  EXPECT_EQ(run(image_of("tiny")).status, 0);
}

TEST_F(StoreCommands, a_damaged_index_hides_nothing_else) {
  run_json({"import", "tiny"});
  std::ofstream(store() / "index.json") << "{\"schemaVersion\":2,\"manifests\":[{";
  EXPECT_EQ(error_code({"verify"}, 5), "MODEL_INVALID");
  EXPECT_EQ(error_code(image_of("tiny"), 5), "MODEL_INVALID");
  EXPECT_EQ(run_json({"models"}).at("problems").size(), 1U);
  const Outcome listed = run({"list", "--json"});
  EXPECT_EQ(listed.status, 5) << "a list with something missing is not all there is";
  EXPECT_EQ(listed.json().at("problems").size(), 1U);
  EXPECT_GE(listed.json().at("models").size(), 2U);
  EXPECT_TRUE(
      run_json({"show", (fs::path(ROUNDHOUSE_MODELS) / "pocket-turbo").string()}).at("digest").is_null());
}

TEST_F(StoreCommands, the_store_is_where_the_flag_or_the_variable_says) {
  run_json({"import", "tiny", "--home", "one"});
  EXPECT_TRUE(fs::exists(work() / "one/oci-layout"));
  EXPECT_EQ(shell("ROUNDHOUSE_HOME=two \"$program\" import tiny").status, 0);
  EXPECT_TRUE(fs::exists(work() / "two/oci-layout"));
  EXPECT_EQ(run({"verify", "tiny", "--home", "one"}).status, 0);
  EXPECT_EQ(run({"verify", "tiny"}).status, 4);
  EXPECT_FALSE(fs::exists(store()));
}

TEST_F(StoreCommands, a_full_disk_is_told_and_leaves_a_sound_store) {
  const Outcome outcome = shell("ulimit -f 16; \"$program\" import tiny --copy --json");
  EXPECT_EQ(outcome.status, 7) << outcome.err;
  EXPECT_EQ(outcome.json().at("error").at("code"), "INSUFFICIENT_STORAGE");
  EXPECT_THAT(listing(store() / "tmp"), testing::IsEmpty());
  EXPECT_EQ(run({"import", "tiny"}).status, 0);
  EXPECT_EQ(run({"verify", "tiny"}).status, 0);
}

TEST_F(StoreCommands, create_makes_what_the_recipe_says) {
  std::ofstream(work() / "m.yaml")
      << "schema: 1\nname: made\nversion: \"1.2\"\narchitecture: ZImagePipeline\n"
         "license: MIT\npath: tiny\ndefaults: {steps: 3}\n";
  EXPECT_EQ(run_json({"create", "-f", "m.yaml"}).at("name"), "made@1.2");
  EXPECT_EQ(run_json({"show", "made@1.2"}).at("defaults").at("steps"), 3);
  std::ofstream(model() / "README.md") << "changed";
  EXPECT_EQ(error_code({"create", "-f", "m.yaml"}, 2), "INVALID_ARGUMENT") << "a version is for ever";
  std::ofstream(work() / "hub.yaml")
      << "schema: 1\nname: made\nversion: \"2\"\narchitecture: ZImagePipeline\n"
         "base: {hf_repo: org/name, revision: main}\npath: tiny\n";
  EXPECT_THAT(run({"create", "-f", "hub.yaml"}).err, HasSubstr("base.revision: 'main' of org/name may move"));
}

TEST_F(StoreCommands, create_converts_when_the_recipe_says_so) {
  std::ofstream(work() / "q.yaml")
      << "schema: 1\nname: q\narchitecture: ZImagePipeline\nquantization: int8\npath: "
      << (fs::path(ROUNDHOUSE_MODELS) / "pocket-turbo").string() << "\n";
  const nlohmann::json made = run_json({"create", "-f", "q.yaml"});
  EXPECT_EQ(run_json({"create", "-f", "q.yaml", "--name", "again"}).at("digest"), made.at("digest"))
      << "the same files and recipe give the same model";
  const nlohmann::json shown = run_json({"show", "q"});
  EXPECT_EQ(shown.at("weight_format"), "gguf");
  EXPECT_TRUE(shown.at("types").contains("q8_0")) << shown.at("types");
  EXPECT_EQ(shown.at("provenance").at("conversion").at("type"), "q8_0");
  std::ofstream(work() / "hub.yaml")
      << "schema: 1\nname: h\narchitecture: ZImagePipeline\nquantization: int8\n"
         "base: {hf_repo: org/name}\n";
  EXPECT_THAT(run({"create", "-f", "hub.yaml"}).err, HasSubstr("expected path or base.model"));
}

TEST_F(StoreCommands, validate_only_remarks_on_files_that_no_engine_reads) {
  std::ofstream(model() / "vae/other.safetensors") << "cut";
  std::ofstream(model() / "transformer/notes.json") << "{";
  const Outcome outcome = run({"validate", "tiny", "--json"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.json().at("problems").size(), 0U);
  EXPECT_EQ(outcome.json().at("remarks").size(), 2U) << outcome.out;
  EXPECT_THAT(run({"validate", "tiny"}).out, HasSubstr("transformer/notes.json: not JSON at byte 2"));
  EXPECT_EQ(run({"import", "tiny", "--name", "t"}).status, 0) << "which takes it too";
}

TEST_F(StoreCommands, validate_says_everything_at_once) {
  EXPECT_EQ(run({"validate", "tiny"}).status, 0);
  EXPECT_EQ(run({"validate", (fs::path(ROUNDHOUSE_MODELS) / "pocket-base").string()}).status, 0);
  EXPECT_EQ(run({"validate", (fs::path(ROUNDHOUSE_MODELS) / "pocket-base.yaml").string()}).status, 0);
  fs::remove(model() / "scheduler/scheduler_config.json");
  std::ofstream(model() / "vae/config.json") << "{";
  const fs::path weights = model() / "vae/diffusion_pytorch_model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) - 1);
  const Outcome outcome = run({"validate", "tiny", "--json"});
  EXPECT_EQ(outcome.status, 4);
  const std::string problems = outcome.json().at("problems").dump();
  for (const char* part : {"scheduler/scheduler_config.json", "vae/config.json: not JSON at byte 2",
                           "vae/diffusion_pytorch_model.safetensors: truncated"})
    EXPECT_THAT(problems, HasSubstr(part));
  std::ofstream(work() / "bad.yaml") << "schema: 1\nname: a b\ncolour: red\ndefaults: {steps: 99, stop: 3}\n";
  const nlohmann::json spec = run({"validate", "bad.yaml", "--json"}).json();
  EXPECT_EQ(spec.at("problems").size(), 6U) << spec.dump(2);
  EXPECT_THAT(spec.dump(), HasSubstr("bad.yaml:4: defaults.steps: '99' is out of range"));
  EXPECT_THAT(spec.dump(), HasSubstr("bad.yaml:3: colour: is not a known field"));
}

}  // namespace
}  // namespace roundhouse::test
