// SPDX-License-Identifier: Apache-2.0
// The pocket model with its components in GGUF: the same images, to the bit, as with the same values in
// safetensors or rounded at load.
#include <gtest/gtest.h>

#include <algorithm>

#include "engines/diffusion/zimage_names.h"
#include "engines/diffusion/zimage_transformer.h"
#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/text/llama_cpp_names.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/gguf_model.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/engines/tokenizer/gguf_tokenizer_keys.h"

namespace engines::test {
namespace {

const std::filesystem::path kModel = std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-turbo";
constexpr const char* kDiffusion = "diffusion_pytorch_model";

struct Made {
  std::vector<float> rgb;
  std::vector<std::pair<std::string, std::string>> facts;

  std::string fact(const std::string& name) const {
    const auto found = std::ranges::find(facts, name, [](const auto& pair) { return pair.first; });
    return found == facts.end() ? "" : found->second;
  }
};

Made make(const std::filesystem::path& model, const PipelineOptions& options = {}) {
  const auto kernels = make_openblas_kernels(2);
  OpenedModel pipeline(model, *kernels, options);
  ImageRequest request;
  request.prompt = "a red mushroom on green grass";
  request.width = 96;
  request.height = 64;
  request.steps = 2;
  request.seed = 5;
  QuietRun run;
  Made made{pipeline.generate(request, run).rgb, {}};
  made.facts = pipeline.describe();
  return made;
}

// A copy of the model of which components are written again.
class GgufModel {
 public:
  GgufModel() : copy_(kModel) {}

  void transformer(Rewriting how) const {
    how.keys.add("general.architecture", "lumina2");
    if (how.format == Format::gguf) how.names = zimage_names();
    rewrite(how, "transformer", kDiffusion);
  }
  void encoder(Rewriting how) const {
    if (how.format == Format::gguf) {
      how.names = llama_cpp_names();
      how.keys = encoder_keys(kModel / "text_encoder");
      add_tokenizer(how.keys, kModel / "tokenizer", "qwen2");
    }
    rewrite(how, "text_encoder", "model");
  }
  void rewrite(const Rewriting& how, const std::string& component, const std::string& stem) const {
    copy_.remove(component + "/" + stem + ".safetensors");
    rewrite_weights(kModel / component, stem, copy_.path() / component, how);
  }
  std::filesystem::path path() const { return copy_.path(); }
  const ModelCopy& copy() const { return copy_; }

 private:
  ModelCopy copy_;
};

TEST(GgufPipeline, FloatsGiveTheImageOfTheSameFloatsInSafetensors) {
  for (const Dtype type : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    const GgufModel gguf, plain;
    for (const auto& [model, format] :
         {std::pair(&gguf, Format::gguf), std::pair(&plain, Format::safetensors)}) {
      model->transformer({.format = format, .type = type});
      model->encoder({.format = format, .type = type});
    }
    const Made made = make(gguf.path());
    EXPECT_TRUE(made.rgb == make(plain.path()).rgb) << name_of(type);
    EXPECT_TRUE(made.fact("dtype.denoise").starts_with(name_of(type))) << made.fact("dtype.denoise");
    EXPECT_TRUE(made.fact("dtype.encode").starts_with(name_of(type))) << made.fact("dtype.encode");
  }
}

TEST(GgufPipeline, TheStoredTypeGivesTheImageOfTheModelItself) {
  const GgufModel gguf;
  gguf.transformer({.type = Dtype::bf16});
  gguf.encoder({.type = Dtype::bf16});
  EXPECT_TRUE(make(gguf.path()).rgb == make(kModel).rgb);
}

TEST(GgufPipeline, QuantisedTypesGiveTheImageOfRoundingAtLoad) {
  std::vector<std::vector<float>> images;
  for (const Dtype type : {Dtype::q8_0, Dtype::q4_0, Dtype::q4_K, Dtype::q6_K}) {
    const GgufModel gguf;
    gguf.transformer({.type = type});
    gguf.encoder({.type = type});
    PipelineOptions options;
    options.weights = type;
    const Made stored = make(gguf.path());
    const Made at_load = make(kModel, options);
    EXPECT_TRUE(stored.rgb == at_load.rgb) << name_of(type);
    EXPECT_EQ(stored.fact("dtype.denoise"), at_load.fact("dtype.denoise"));
    EXPECT_TRUE(make(gguf.path(), options).rgb == stored.rgb) << "there is nothing left to round";
    EXPECT_EQ(std::ranges::count(images, stored.rgb), 0) << "another type, another image";
    images.push_back(stored.rgb);
  }
}

TEST(GgufPipeline, AnEncodersFileHasConfigurationAndTokenizerInside) {
  const GgufModel gguf;
  gguf.encoder({.type = Dtype::bf16});
  gguf.copy().remove("tokenizer");
  gguf.copy().remove("text_encoder/config.json");
  EXPECT_TRUE(make(gguf.path()).rgb == make(kModel).rgb);
}

TEST(GgufPipeline, SingleFilesOfTheOriginalNamesAreRead) {
  for (const Format format : {Format::safetensors, Format::gguf})
    for (const std::string prefix : {"", "model.diffusion_model."}) {
      if (format == Format::gguf && !prefix.empty()) continue;  // names of 64 bytes at most
      const GgufModel model;
      model.rewrite({.format = format, .type = Dtype::bf16, .names = zimage_names(), .prefix = prefix},
                    "transformer", kDiffusion);
      EXPECT_TRUE(make(model.path()).rgb == make(kModel).rgb) << prefix;
    }
}

TEST(GgufPipeline, GgufFilesOfDiffusersNamesAreRead) {
  const GgufModel model;
  model.rewrite({.type = Dtype::bf16}, "transformer", kDiffusion);
  model.rewrite({.type = Dtype::bf16}, "text_encoder", "model");
  model.rewrite({.type = Dtype::bf16}, "vae", kDiffusion);
  EXPECT_TRUE(make(model.path()).rgb == make(kModel).rgb);
}

TEST(GgufPipeline, AMemoryLimitIsMetByStreamingFromTheFile) {
  const GgufModel gguf;
  gguf.transformer({.type = Dtype::q8_0});
  gguf.encoder({.type = Dtype::q8_0});
  PipelineOptions options;
  options.memory.residency = Residency::staged;
  EXPECT_TRUE(make(gguf.path(), options).rgb == make(gguf.path()).rgb);
}

// As files of mixed types are: the first and the last layers in more bits than the others.
TEST(GgufPipeline, LayersOfDifferentTypesAreCountedByTheLargest) {
  const GgufModel gguf;
  gguf.transformer({.type = Dtype::q4_0, .others = {{"layers.0.", Dtype::f32}, {"layers.5.", Dtype::q8_0}}});
  const auto kernels = make_reference_kernels();
  const ZImageTransformer transformer(gguf.path() / "transformer", *kernels);
  const auto layers = static_cast<std::uint64_t>(transformer.config().layers);
  const std::uint64_t total = transformer.weights().total_bytes();
  const std::uint64_t largest = transformer.weights().bytes_under("layers.0.");
  EXPECT_EQ(transformer.resident_bytes(),
            total - transformer.weights().bytes_under("layers.") + layers * largest);
  EXPECT_LT(transformer.least_bytes(), transformer.resident_bytes());
  PipelineOptions options;
  options.memory.residency = Residency::staged;
  EXPECT_TRUE(make(gguf.path(), options).rgb == make(gguf.path()).rgb);
}

TEST(GgufPipeline, FilesThatDoNotFitAreRefusedByName) {
  const GgufModel both;
  rewrite_weights(kModel / "transformer", kDiffusion, both.path() / "transformer", {});
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "transformer: has both diffusion_pytorch_model.gguf and",
                           [&] { make(both.path()); }));
  const GgufModel bare;
  bare.rewrite(
      {.type = Dtype::bf16, .names = llama_cpp_names(), .keys = encoder_keys(kModel / "text_encoder")},
      "text_encoder", "model");
  bare.copy().remove("tokenizer");
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "text_encoder/model.gguf: tokenizer.ggml.model: is missing",
                           [&] { make(bare.path()); }));
  const GgufModel other;
  GgufKeys keys;
  keys.add("general.architecture", "gemma3");
  other.rewrite({.type = Dtype::bf16, .names = llama_cpp_names(), .keys = keys}, "text_encoder", "model");
  other.copy().remove("text_encoder/config.json");
  EXPECT_TRUE(throws_error(RH_CAPABILITY_UNSUPPORTED,
                           "text_encoder/model.gguf: general.architecture: 'gemma3' is not supported",
                           [&] { make(other.path()); }));
  const GgufModel empty;
  GgufKeys no_widths;
  no_widths.add("general.architecture", "qwen3");
  empty.rewrite({.type = Dtype::bf16, .names = llama_cpp_names(), .keys = no_widths}, "text_encoder",
                "model");
  empty.copy().remove("text_encoder/config.json");
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID,
                           "text_encoder/model.gguf: qwen3.attention.head_count: is missing",
                           [&] { make(empty.path()); }));
}

}  // namespace
}  // namespace engines::test
