// SPDX-License-Identifier: Apache-2.0
// `convert` and `quantize` from outside: into the store and into directories, images from the result, and
// what becomes of them when they are refused, stopped or killed.
#include <signal.h>

#include <fstream>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

class Convert : public Program {
 protected:
  Convert() {
    fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", work() / "tiny", fs::copy_options::recursive);
    fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "qwen3-tiny-lm", work() / "qwen", fs::copy_options::recursive);
    fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "llama-tiny-lm", work() / "llama", fs::copy_options::recursive);
  }
  fs::path store() const { return root_ / "home/.local/share/roundhouse"; }

  // The image's bytes.
  std::string image(const std::string& model, const Arguments& more = {}) const {
    const fs::path directory = work() / ("image-" + std::to_string(++images_));
    Arguments arguments = {"generate",
                           "a red mushroom",
                           "--engine",
                           "openblas",
                           "--steps",
                           "2",
                           "--seed",
                           "7",
                           "--width",
                           "64",
                           "--height",
                           "64",
                           "--no-metadata",
                           "--model",
                           model,
                           "--output-dir",
                           directory.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const auto files = listing(directory);
    return files.size() == 1 ? content(directory / files[0]) : "";
  }

  std::string error_code(Arguments arguments, int status) const {
    arguments.emplace_back("--json");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    return outcome.json().at("error").at("code");
  }

  std::map<std::string, std::string> digests(const std::string& name) const {
    std::map<std::string, std::string> digests;
    const nlohmann::json shown = run_json({"show", name});
    for (const auto& file : shown.at("files"))
      digests[file.at("path")] = file.at("digest");
    return digests;
  }

  static std::map<std::string, std::string> files(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
      if (entry.is_regular_file())
        files[entry.path().lexically_relative(directory).string()] = content(entry.path());
    return files;
  }

  mutable int images_ = 0;
};

TEST_F(Convert, refuses_what_makes_no_sense) {
  EXPECT_EQ(error_code({"convert", "pocket-turbo", "--dtype", "q8_0"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"quantize", "pocket-turbo", "--type", "q3"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"convert", "pocket-turbo"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"convert", "absent", "--dtype", "f16"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"convert", "./absent", "--dtype", "f16"}, 4), "MODEL_NOT_FOUND");
  EXPECT_THAT(run({"convert", "z-image-turbo", "--dtype", "f16"}).err, HasSubstr("roundhouse pull"));
  EXPECT_EQ(error_code({"convert", "../x/..", "--dtype", "f16"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(error_code({"convert", "pocket-turbo", "--dtype", "f16", "--name", "../x"}, 2), "UNSAFE_NAME");
  EXPECT_EQ(error_code({"convert", "pocket-turbo", "--dtype", "f16", "--format", "pickle"}, 2),
            "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"convert", "pocket-turbo", "--dtype", "f16", "--threads", "0"}, 2),
            "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"convert", "pocket-turbo", "--dtype", "f16", "--engine", "absent"}, 4),
            "ENGINE_NOT_FOUND");
  EXPECT_EQ(error_code({"convert", "pocket-turbo", "--dtype", "f16", "--engine", "testcard"}, 3),
            "CAPABILITY_UNSUPPORTED");
  EXPECT_EQ(error_code({"quantize", "pocket-turbo", "--type", "q8_0", "--format", "safetensors"}, 3),
            "CAPABILITY_UNSUPPORTED");
  EXPECT_EQ(error_code({"convert", "./tiny", "--dtype", "f16", "--name", "x", "--output", "y"}, 2),
            "INVALID_ARGUMENT");
  EXPECT_EQ(error_code({"convert", "./tiny", "--dtype", "f16", "--output", "qwen"}, 7), "IO_ERROR");
  EXPECT_EQ(run_json({"list"}).at("models").size(), 3U) << "those that come along";
}

TEST_F(Convert, quantised_models_make_the_images_of_weights_rounded_at_load) {
  for (const std::string type : {"q8_0", "q4_0", "q4_k", "q6_k"}) {
    const nlohmann::json made = run_json({"quantize", "pocket-turbo", "--type", type});
    EXPECT_EQ(made.at("name"), "pocket-turbo:" + type);
    EXPECT_EQ(made.at("type"), type);
    EXPECT_LT(made.at("bytes"), made.at("source_bytes"));
    EXPECT_EQ(image("pocket-turbo:" + type), image("pocket-turbo", {"--weights", type})) << type;
  }
  const nlohmann::json shown = run_json({"show", "pocket-turbo:q4_k"});
  EXPECT_EQ(shown.at("weight_format"), "gguf");
  EXPECT_THAT(shown.at("dtypes").get<std::vector<std::string>>(), IsSupersetOf({"q4_k", "f32"}));
  EXPECT_EQ(shown.at("provenance").at("kind"), "conversion");
  const auto q8 = digests("pocket-turbo:q8_0"), q4 = digests("pocket-turbo:q4_0");
  for (const char* same :
       {"vae/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer.json", "vae/config.json"})
    EXPECT_EQ(q8.at(same), q4.at(same)) << same;
  EXPECT_NE(q8.at("transformer/diffusion_pytorch_model.gguf"),
            q4.at("transformer/diffusion_pytorch_model.gguf"));
}

TEST_F(Convert, errors_shrink_with_bits) {
  double last = 0;
  for (const std::string type : {"f16", "q8_0", "q6_k", "q4_k"}) {
    const nlohmann::json made =
        run_json({"quantize", "pocket-turbo", "--type", type, "--output", "out-" + type});
    double worst = 0;
    for (const auto& row : made.at("classes")) {
      EXPECT_LE(row.at("relative_error"), row.at("worst").at("relative_error"));
      worst = std::max(worst, row.at("relative_error").get<double>());
      const bool kept = row.at("class") == "norms" || row.at("component") == "vae";
      EXPECT_TRUE(!kept || row.at("relative_error") == 0) << row;
    }
    EXPECT_GE(worst, last) << type;
    last = worst;
  }
  EXPECT_GT(last, 0.01);
  EXPECT_LT(last, 0.2);
  EXPECT_THAT(run({"quantize", "pocket-turbo", "--type", "int4", "--output", "text"}).out,
              ContainsRegex("transformer feed-forward +q4_0"));
}

TEST_F(Convert, floats_go_there_and_back) {
  run_json({"convert", "pocket-turbo", "--dtype", "f32", "--name", "wide"});
  EXPECT_EQ(image("wide"), image("pocket-turbo")) << "bf16 to f32 is exact";
  run_json({"convert", "wide", "--dtype", "bf16", "--format", "gguf", "--name", "narrow:gguf"});
  EXPECT_EQ(image("narrow:gguf"), image("pocket-turbo"));
  run_json({"convert", "narrow:gguf", "--dtype", "f32"});
  EXPECT_EQ(digests("narrow:f32").at("transformer/diffusion_pytorch_model.safetensors"),
            digests("wide").at("transformer/diffusion_pytorch_model.safetensors"));
  EXPECT_EQ(run_json({"show", "wide"}).at("dtypes"), nlohmann::json({"f32"}));
  run_json({"convert", "wide", "--dtype", "fp16"});
  EXPECT_THAT(run_json({"show", "wide:f16"}).at("dtypes").get<std::vector<std::string>>(),
              ElementsAre("f16", "f32"));
}

TEST_F(Convert, text_models_go_there_and_back) {
  for (const std::string model : {"qwen", "llama"}) {
    run_json({"convert", "./" + model, "--dtype", "f32", "--output", model + "-f32"});
    run_json({"convert", "./" + model, "--dtype", "f32", "--format", "gguf", "--output", model + "-gguf"});
    run_json({"convert", "./" + model + "-gguf", "--dtype", "f32", "--output", model + "-back"});
    EXPECT_EQ(content(work() / (model + "-back") / "model.safetensors"),
              content(work() / (model + "-f32") / "model.safetensors"));
    EXPECT_TRUE(fs::exists(work() / (model + "-gguf") / "tokenizer.json"));
    run_json({"quantize", "./" + model, "--type", "q8_0"});
    EXPECT_EQ(run_json({"show", model + ":q8_0"}).at("weight_format"), "gguf");
  }
}

TEST_F(Convert, the_same_conversion_gives_the_same_model) {
  const auto first = run_json({"quantize", "./tiny", "--type", "q8_0", "--name", "a", "--threads", "1"});
  const auto second = run_json({"quantize", "./tiny", "--type", "q8_0", "--name", "b", "--threads", "3"});
  EXPECT_EQ(first.at("digest"), second.at("digest"));
  EXPECT_EQ(second.at("bytes_added"), 0) << "the blobs were there";
  fs::copy(work() / "tiny", work() / "elsewhere", fs::copy_options::recursive);
  EXPECT_EQ(
      run_json({"quantize", "./elsewhere", "--type", "int8", "--name", "c", "--home", "other"}).at("digest"),
      first.at("digest"));
  run_json({"convert", "./tiny", "--dtype", "bf16", "--output", "one"});
  run_json({"convert", "./tiny", "--dtype", "bf16", "--output", "two"});
  EXPECT_TRUE(files(work() / "one") == files(work() / "two"));

  run_json({"import", "tiny", "--name", "small"});
  const auto stored = run_json({"quantize", "small", "--type", "q8_0"});
  EXPECT_EQ(stored.at("name"), "small:q8_0");
  const auto origin = run_json({"show", "small:q8_0"}).at("provenance");
  EXPECT_EQ(origin.at("conversion").at("source_manifest"), run_json({"show", "small"}).at("digest"));
  EXPECT_EQ(origin.at("conversion").at("type"), "q8_0");
  EXPECT_EQ(origin.at("conversion").at("engine"), stored.at("engine"));
  EXPECT_EQ(error_code({"quantize", "small:q8_0", "--type", "q8_0"}, 2), "INVALID_ARGUMENT")
      << "it would take the place of its source";
}

TEST_F(Convert, a_directory_with_a_manifest_can_be_verified) {
  run_json({"convert", "./tiny", "--dtype", "bf16", "--output", "made"});
  const auto manifest = nlohmann::json::parse(content(work() / "made/manifest.json"));
  EXPECT_EQ(manifest.at("version"), 1);
  EXPECT_EQ(manifest.at("files").size() + 1, files(work() / "made").size());
  for (const auto& file : manifest.at("files"))
    EXPECT_EQ(file.contains("tensors"), file.at("path").get<std::string>().ends_with(".safetensors")) << file;
  EXPECT_EQ(run({"verify", "./made"}).status, 0);
  EXPECT_EQ(run({"verify", "made"}).status, 0);
  image("./made");

  const fs::path weights = work() / "made/transformer/diffusion_pytorch_model.safetensors";
  std::string bytes = content(weights);
  bytes[bytes.size() - 1] = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(weights, std::ios::binary | std::ios::trunc) << bytes;
  const Outcome damaged = run({"verify", "./made"});
  EXPECT_EQ(damaged.status, 5);
  EXPECT_THAT(damaged.err, HasSubstr("INTEGRITY_MISMATCH: model './made': file "
                                     "'transformer/diffusion_pytorch_model.safetensors': tensor"));
  std::ofstream(weights, std::ios::binary | std::ios::trunc) << bytes.substr(8);
  EXPECT_EQ(error_code({"generate", "x", "--model", "./made"}, 5), "INTEGRITY_MISMATCH");
  EXPECT_EQ(error_code({"convert", "./made", "--dtype", "f16"}, 5), "INTEGRITY_MISMATCH");
  std::string other = content(work() / "made/manifest.json");
  other.replace(other.find("\"version\": 1"), 12, "\"version\": 2");
  std::ofstream(work() / "made/manifest.json", std::ios::trunc) << other;
  EXPECT_EQ(error_code({"verify", "./made"}, 5), "MODEL_INVALID");
  EXPECT_EQ(error_code({"verify", "./tiny"}, 4), "WEIGHTS_MISSING");
}

TEST_F(Convert, numbers_that_are_none_name_their_tensor) {
  const fs::path file = work() / "tiny/vae/diffusion_pytorch_model.safetensors";
  std::string bytes = content(file);
  for (std::size_t i = bytes.size() - 4; i < bytes.size(); ++i)
    bytes[i] = '\xff';
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  const Outcome outcome = run({"convert", "./tiny", "--dtype", "f16", "--name", "x"});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("CONVERSION_FAILED"));
  EXPECT_THAT(outcome.err, HasSubstr("vae/diffusion_pytorch_model.safetensors: tensor"));
  EXPECT_THAT(outcome.err, HasSubstr("expected a finite number"));
  EXPECT_EQ(error_code({"show", "x"}, 4), "MODEL_NOT_FOUND");
  EXPECT_EQ(run_json({"gc"}).at("leftovers").size(), 0U) << "nothing is left to collect";
}

// Conversions of a model that takes seconds: one matrix, most of which is a hole in its file. No engine runs
// its architecture, and so none misses the rest.
class LongConvert : public Convert {
 protected:
  LongConvert() {
    fs::copy(work() / "qwen", work() / "big", fs::copy_options::recursive);
    nlohmann::json config = nlohmann::json::parse(content(work() / "big/config.json"));
    config["architectures"] = {"NobodysForCausalLM"};
    std::ofstream(work() / "big/config.json") << config;
    const fs::path weights = work() / "big/model.safetensors";
    constexpr std::uint64_t kRows = 1 << 16, kColumns = 1 << 11;
    std::string header =
        nlohmann::json(
            {{"model.layers.0.mlp.up_proj.weight",
              {{"dtype", "F32"}, {"shape", {kRows, kColumns}}, {"data_offsets", {0, kRows * kColumns * 4}}}}})
            .dump();
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(header.size());
    std::ofstream(weights, std::ios::binary | std::ios::trunc) << bytes << header;
    fs::resize_file(weights, 8 + header.size() + kRows * kColumns * 4);
  }
  Running begin(const Arguments& more) const {
    Arguments arguments = {"quantize", "./big", "--type", "q4_k", "--threads", "1", "--engine", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return start(arguments);
  }
  // Whether a file of weights in the making appears within a minute.
  bool writing(const fs::path& beneath) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
      std::error_code ignored;
      if (fs::exists(beneath, ignored)) {
        for (fs::recursive_directory_iterator it(beneath, ignored), last; !ignored && it != last;
             it.increment(ignored))
          if (it->path().extension() == ".gguf") return true;
      }
    }
    return false;
  }
};

TEST_F(LongConvert, a_kill_leaves_nothing_named_and_gc_cleans) {
  Running running = begin({});
  ASSERT_TRUE(writing(store() / "tmp"));
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().status, 137);
  EXPECT_TRUE(all_ended_within(std::chrono::seconds(10))) << "the worker ends with its parent";
  EXPECT_EQ(error_code({"show", "big:q4_k"}, 4), "MODEL_NOT_FOUND");
  const nlohmann::json collected = run_json({"gc"});
  EXPECT_EQ(collected.at("leftovers").size(), 1U);
  EXPECT_EQ(listing(store() / "tmp").size(), 0U);
  EXPECT_EQ(run({"quantize", "./tiny", "--type", "q4_k"}).status, 0);

  Running second = begin({"--output", "made"});
  ASSERT_TRUE(writing(work() / ".made.partial"));
  second.send(SIGKILL);
  EXPECT_EQ(second.wait().status, 137);
  EXPECT_FALSE(fs::exists(work() / "made"));
  EXPECT_TRUE(all_ended_within(std::chrono::seconds(10)));
  EXPECT_EQ(run({"quantize", "./tiny", "--type", "q4_k", "--output", "made"}).status, 0);
  EXPECT_FALSE(fs::exists(work() / ".made.partial"));
}

TEST_F(LongConvert, an_interrupt_cancels_and_leaves_nothing) {
  Running running = begin({"--json"});
  ASSERT_TRUE(writing(store() / "tmp"));
  running.send(SIGINT);
  const Outcome outcome = running.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.json().at("error").at("code"), "CANCELLED");
  EXPECT_EQ(listing(store() / "tmp").size(), 0U);
  EXPECT_EQ(run_json({"gc"}).at("blobs").size(), 0U);
}

TEST_F(Convert, two_at_once_do_not_meet) {
  const Arguments arguments = {"quantize", "pocket-turbo", "--type", "q4_k", "--name"};
  const auto begin = [&](const std::string& name) {
    Arguments named = arguments;
    named.push_back(name);
    return start(named);
  };
  Running one = begin("one"), two = begin("two");
  EXPECT_EQ(one.wait().status, 0);
  EXPECT_EQ(two.wait().status, 0);
  EXPECT_EQ(run_json({"show", "one"}).at("digest"), run_json({"show", "two"}).at("digest"));
  EXPECT_EQ(run({"verify"}).status, 0);
}

}  // namespace
}  // namespace roundhouse::test
