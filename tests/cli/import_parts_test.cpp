// SPDX-License-Identifier: Apache-2.0
// Models that come as one file, or in parts: GGUF, single safetensors files, and components of another model.
#include <set>

#include "tests/cli/store_commands.h"
#include "tests/host/store/gguf_bytes.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;

class ImportParts : public StoreCommands {
 protected:
  ImportParts() {
    // Of an architecture that no engine runs, and so none misses what it has not.
    write("chat.gguf", small_text_gguf("starcoder2").bytes(small_text_gguf_data()));
    GgufBytes image;
    image.text_key("general.architecture", "lumina2").tensor("x_pad_token", {8}, 0, 0);
    write("dit.gguf", image.bytes(std::string(32, 'x')));
  }
  // The tiny model's parts as other programs have them: dit.gguf, encoder.gguf and dit.safetensors.
  void make_parts() const {
    ASSERT_EQ(run({"convert", "./tiny", "--dtype", "bf16", "--format", "gguf", "--output", "g"}).status, 0);
    ASSERT_EQ(run({"convert", "./tiny", "--dtype", "bf16", "--output", "s"}).status, 0);
    const std::string stem = "transformer/diffusion_pytorch_model";
    fs::rename(work() / ("g/" + stem + ".gguf"), work() / "dit.gguf");
    fs::rename(work() / "g/text_encoder/model.gguf", work() / "encoder.gguf");
    fs::rename(work() / ("s/" + stem + ".safetensors"), work() / "dit.safetensors");
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(work() / name, std::ios::binary) << bytes;
  }
  nlohmann::json manifest_of(const std::string& name) const {
    const std::string digest = run_json({"show", name}).at("digest");
    return nlohmann::json::parse(content(store() / "blobs/sha256" / digest.substr(7)));
  }
  std::set<std::string> paths_of(const std::string& name) const {
    std::set<std::string> paths;
    const nlohmann::json shown = run_json({"show", name});
    for (const auto& file : shown.at("files"))
      paths.insert(file.at("path"));
    return paths;
  }
  static std::string digest_of(const nlohmann::json& shown, const std::string& component) {
    for (const auto& entry : shown.at("components")) {
      if (entry.at("name") == component) return entry.at("digest");
    }
    return "none";
  }
};

TEST_F(ImportParts, a_text_model_is_one_gguf) {
  EXPECT_EQ(run_json({"import", "chat.gguf"}).at("name"), "chat");
  const nlohmann::json shown = run_json({"show", "chat"});
  EXPECT_EQ(shown.at("architecture"), "starcoder2");
  EXPECT_EQ(shown.at("weight_format"), "gguf");
  EXPECT_EQ(shown.at("types").at("q8_0").at("bytes"), 34);
  EXPECT_EQ(shown.at("types").at("f32").at("tensors"), 1);
  EXPECT_EQ(shown.at("provenance").at("kind"), "gguf");
  EXPECT_THAT(shown.at("provenance").at("source").get<std::string>(), testing::EndsWith("/work/chat.gguf"));
  EXPECT_EQ(paths_of("chat"), std::set<std::string>{"model.gguf"});
  EXPECT_EQ(error_code({"generate", "x", "--model", "chat"}, 3), "CAPABILITY_UNSUPPORTED");
}

TEST_F(ImportParts, damage_of_a_gguf_is_told_by_tensor) {
  ASSERT_EQ(run({"import", "chat.gguf"}).status, 0);
  EXPECT_EQ(run({"verify", "chat"}).status, 0);
  const fs::path blob = blob_of("chat", "model.gguf");
  flip(blob, fs::file_size(blob) - 1);
  EXPECT_THAT(run({"verify", "chat"}).err, HasSubstr("tensor 'output_norm.weight' (bytes"));
  EXPECT_EQ(error_code({"generate", "x", "--model", "chat"}, 5), "INTEGRITY_MISMATCH");
}

TEST_F(ImportParts, a_transformer_alone_asks_for_the_rest) {
  const Outcome outcome = run({"import", "dit.gguf"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("holds an image model's transformer alone, expected --base MODEL"));
  EXPECT_EQ(error_code({"import", "tiny/vae/diffusion_pytorch_model.safetensors"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"import", "dit.gguf", "--base", "absent"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"import", "chat.gguf", "--base", "./tiny"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"import", "tiny", "--base", "./tiny"}, 2), "INVALID_ARGUMENT");
}

TEST_F(ImportParts, a_transformer_over_a_base_shares_everything_else) {
  make_parts();
  ASSERT_EQ(run({"import", "tiny", "--name", "base"}).status, 0);
  for (const char* base : {"base", "./tiny"}) {
    const nlohmann::json report = run_json({"import", "dit.gguf", "--name", "small", "--base", base});
    EXPECT_LE(report.at("bytes_added").get<std::uint64_t>(), fs::file_size(work() / "dit.gguf"));
    EXPECT_TRUE(paths_of("small").contains("transformer/diffusion_pytorch_model.gguf"));
    for (const std::string& path : paths_of("small"))
      EXPECT_FALSE(path.starts_with("transformer/") && path.find("safetensors") != std::string::npos) << path;
    const nlohmann::json small = run_json({"show", "small"}), whole = run_json({"show", "base"});
    EXPECT_EQ(small.at("architecture"), "ZImagePipeline");
    EXPECT_EQ(small.at("weight_format"), "gguf");
    for (const char* part : {"vae", "text_encoder", "tokenizer", "scheduler"})
      EXPECT_EQ(digest_of(small, part), digest_of(whole, part)) << part;
    EXPECT_NE(digest_of(small, "transformer"), digest_of(whole, "transformer"));
  }
}

TEST_F(ImportParts, any_component_may_come_from_a_file) {
  make_parts();
  EXPECT_EQ(run({"import", "tiny", "--name", "q", "--component", "text_encoder=encoder.gguf"}).status, 0);
  EXPECT_TRUE(paths_of("q").contains("text_encoder/model.gguf"));
  EXPECT_FALSE(paths_of("q").contains("text_encoder/model.safetensors.index.json"));
  EXPECT_THAT(run({"import", "tiny", "--component", "text_encoder=dit.gguf"}).err,
              HasSubstr("expected the weights of component 'text_encoder'"));
  EXPECT_THAT(
      run({"import", "tiny", "--component", "transformer=chat.gguf"}).err,
      HasSubstr("a model of architecture 'starcoder2', expected the weights of component 'transformer'"));
  EXPECT_THAT(run({"import", "tiny", "--component", "../x=chat.gguf"}).err,
              HasSubstr("text_encoder/, transformer/, vae/"));
  EXPECT_EQ(error_code({"import", "tiny", "--component", "vae"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"import", "tiny", "--component", "vae=absent"}, 7), "IO_ERROR");
  EXPECT_EQ(error_code({"import", "tiny", "--component", "vae=tiny/vae/config.json"}, 5), "MODEL_INVALID");
}

TEST_F(ImportParts, a_single_safetensors_file_replaces_shards) {
  make_parts();
  ASSERT_EQ(run({"import", "dit.safetensors", "--name", "c", "--base", "./tiny"}).status, 0);
  EXPECT_TRUE(paths_of("c").contains("transformer/diffusion_pytorch_model.safetensors"));
  EXPECT_FALSE(paths_of("c").contains("transformer/diffusion_pytorch_model.safetensors.index.json"));
}

TEST_F(ImportParts, what_generate_would_refuse_is_refused_in_its_words) {
  const std::string vae = "tiny/vae/diffusion_pytorch_model.safetensors";
  const Outcome other = run({"import", vae, "--name", "o", "--base", "./tiny"});
  EXPECT_EQ(other.status, 5);
  EXPECT_THAT(other.err, HasSubstr("transformer: tensor 't_embedder.mlp.0.weight' is missing"));

  nlohmann::json config = nlohmann::json::parse(content(model() / "text_encoder/config.json"));
  config.erase("rope_theta");
  std::ofstream(model() / "text_encoder/config.json") << config;
  const std::string refusal = run({"generate", "a cat", "--model", "./tiny"}).err;
  EXPECT_THAT(refusal, HasSubstr("text_encoder/config.json: rope_theta: is missing"));
  EXPECT_EQ(run({"import", "tiny", "--name", "t"}).err, refusal.substr(refusal.find("error: ")));
  const Outcome validated = run({"validate", "tiny", "--json"});
  EXPECT_EQ(validated.status, 5);
  EXPECT_EQ(validated.json().at("problems").at(0).at("code"), "MODEL_INVALID");
  EXPECT_THAT(run({"validate", "tiny"}).out, HasSubstr("rope_theta: is missing"));
}

TEST_F(ImportParts, every_import_gives_the_same_shape) {
  ASSERT_EQ(run({"import", "tiny"}).status, 0);
  ASSERT_EQ(run({"import", "chat.gguf"}).status, 0);
  ASSERT_EQ(
      run({"import", (fs::path(ROUNDHOUSE_FIXTURES) / "llama-tiny-lm").string(), "--name", "llama"}).status,
      0);
  const nlohmann::json expected = manifest_of("tiny");
  for (const char* name : {"chat", "llama"}) {
    const nlohmann::json manifest = manifest_of(name);
    for (const char* member : {"schemaVersion", "mediaType", "artifactType"})
      EXPECT_EQ(manifest.at(member), expected.at(member)) << name;
    EXPECT_EQ(manifest.at("config").at("mediaType"), expected.at("config").at("mediaType")) << name;
  }
}

TEST_F(ImportParts, hostile_files_are_refused_before_anything_is_kept) {
  GgufBytes many = small_text_gguf();
  many.extra_tensors = std::uint64_t{1} << 32;
  write("many.gguf", many.bytes());
  EXPECT_EQ(error_code({"import", "many.gguf"}, 5), "MODEL_INVALID");
  write("cut.gguf", small_text_gguf().bytes().substr(0, 70));
  EXPECT_EQ(error_code({"import", "cut.gguf"}, 5), "MODEL_INVALID");
  EXPECT_EQ(error_code({"validate", "cut.gguf"}, 5), "MODEL_INVALID");
  EXPECT_FALSE(fs::exists(store() / "index.json"));
}

TEST_F(ImportParts, show_tells_the_configuration) {
  ASSERT_EQ(run({"import", "tiny"}).status, 0);
  const nlohmann::json config = run_json({"show", "tiny", "--config"}).at("config");
  EXPECT_EQ(config.at("recipe").at("architecture"), "ZImagePipeline");
  EXPECT_TRUE(config.at("files").at("vae/config.json").contains("latent_channels"));
}

TEST_F(ImportParts, a_model_that_is_absent_says_how_to_get_it) {
  for (const char* name : {"z-image-turbo", "Tongyi-MAI/Z-Image-Turbo"}) {
    const Outcome outcome = run({"generate", "x", "--model", name});
    EXPECT_EQ(outcome.status, 4);
    EXPECT_THAT(outcome.err, HasSubstr("error: MODEL_NOT_FOUND: model 'z-image-turbo' is not here"));
    EXPECT_THAT(outcome.err, HasSubstr("hint: roundhouse pull z-image-turbo"));
  }
  EXPECT_THAT(run({"show", "qwen3-0.6b"}).err, HasSubstr("hint: roundhouse pull qwen3-0.6b"));
  EXPECT_THAT(run({"generate", "x", "--model", "org/name"}).err, HasSubstr("roundhouse pull hf:org/name"));
}

}  // namespace
}  // namespace roundhouse::test
