// SPDX-License-Identifier: Apache-2.0
// What is taken of a repository that holds more than one model needs.
#include "host/sources/hub_choice.h"

#include <gmock/gmock.h>

#include "host/sources/hub_single.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using Paths = std::vector<std::string>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Taken paths; "=name" behind those that get another name.
Paths taken(const HubChoice& choice) {
  Paths paths;
  for (const ChosenFile& file : choice.files)
    paths.push_back(file.path + (file.as == file.path ? "" : "=" + file.as));
  return paths;
}

template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

std::string chosen(const std::string& file, const Paths& paths) {
  try {
    return choose_single_file({"org/x", "main", file}, paths);
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(HubChoice, takes_what_a_model_needs_and_nothing_in_another_form) {
  EXPECT_THAT(
      model_paths({".gitattributes", "README.md", "LICENSE", "model_index.json", "all_in_one.safetensors",
                   "vae/config.json", "vae/diffusion_pytorch_model.bin",
                   "vae/diffusion_pytorch_model.safetensors", "vae/model.onnx", "vae/deep/config.json"}),
      ElementsAre("LICENSE", "model_index.json", "vae/config.json",
                  "vae/diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(
      model_paths({"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                   "model.safetensors.index.json", "consolidated.safetensors", "merges.txt",
                   "original/params.json", "pytorch_model.bin", "tokenizer.model", "chat_template.jinja"}),
      ElementsAre("config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                  "model.safetensors.index.json", "merges.txt", "tokenizer.model", "chat_template.jinja"));
}

TEST(HubChoice, takes_one_precision_of_each_component) {
  const std::string vae = "vae/diffusion_pytorch_model";
  const Paths paths = {"model_index.json", vae + ".fp16.safetensors", vae + ".safetensors",
                       "text_encoder/model.safetensors"};
  const HubChoice plain = choose_precision("hf:x", paths, "");
  EXPECT_THAT(taken(plain),
              ElementsAre("model_index.json", "text_encoder/model.safetensors", vae + ".safetensors"));
  EXPECT_THAT(plain.notes, ElementsAre("vae: the plain files are taken; there is also fp16 (--variant)"));
  const HubChoice half = choose_precision("hf:x", paths, "fp16");
  EXPECT_THAT(taken(half), ElementsAre("model_index.json", "text_encoder/model.safetensors",
                                       vae + ".fp16.safetensors=" + vae + ".safetensors"));
  EXPECT_THAT(half.notes, ElementsAre("text_encoder: has no variant fp16, the plain files are taken"));
  EXPECT_THAT(refusal([&] { choose_precision("hf:x", paths, "bf16"); }),
              "hf:x: holds no variant 'bf16', expected one of fp16");
  EXPECT_THAT(refusal([&] { choose_precision("hf:x", {"model.safetensors"}, "bf16"); }),
              "hf:x: holds no variant 'bf16', only the plain files");
}

TEST(HubChoice, takes_the_only_variant_and_asks_among_several) {
  EXPECT_THAT(taken(choose_precision("hf:x", {"model.fp8_e4m3fn.safetensors"}, "")),
              ElementsAre("model.fp8_e4m3fn.safetensors=model.safetensors"));
  EXPECT_THAT(refusal([&] {
                choose_precision("hf:x", {"model.fp16.safetensors", "model.bf16.safetensors"}, "");
              }),
              "hf:x: has no plain files, but the variants bf16, fp16");
}

TEST(HubChoice, takes_shards_with_the_index_that_names_them) {
  for (const std::string shard :
       {"model.fp16-0000%-of-00002.safetensors", "model-0000%-of-00002.fp16.safetensors"}) {
    std::string first = shard, second = shard;
    first.replace(first.find('%'), 1, "1");
    second.replace(second.find('%'), 1, "2");
    const std::string index = "model.safetensors.index.fp16.json";
    EXPECT_THAT(taken(choose_precision("hf:x", {first, second, index, "model.safetensors"}, "fp16")),
                testing::UnorderedElementsAre(first, second, index + "=model.safetensors.index.json"));
    EXPECT_THAT(refusal([&] {
                  choose_precision("hf:x", {first, index}, "");
                }),
                HasSubstr("holds 1 of 2 shards of"));
    EXPECT_THAT(refusal([&] {
                  choose_precision("hf:x", {first, second}, "");
                }),
                HasSubstr("is a shard without an index, expected 'model.safetensors.index.fp16.json'"));
  }
  for (const char* odd : {"model.fp16.x.safetensors", "model-1-of-2.safetensors", "model..safetensors",
                          "model.safetensors.index.json.bak", "models.safetensors", "model-of-.safetensors"})
    EXPECT_THAT(taken(choose_precision("hf:x", {odd}, "")), ElementsAre(odd)) << "nothing is known of it";
}

TEST(HubSingle, finds_the_file_that_is_meant) {
  const Paths paths = {"README.md", "x-Q8_0.gguf", "x-Q4_K_M.gguf", "mmproj-Q8_0.gguf", "BF16/x-BF16.gguf"};
  EXPECT_EQ(chosen("q8_0", paths), "x-Q8_0.gguf");
  EXPECT_EQ(chosen("X-q4_k_m.GGUF", paths), "x-Q4_K_M.gguf");
  EXPECT_EQ(chosen("x-Q4_K_M", paths), "x-Q4_K_M.gguf");
  EXPECT_EQ(chosen("bf16", paths), "BF16/x-BF16.gguf");
  EXPECT_EQ(chosen("mmproj-Q8_0.gguf", paths), "mmproj-Q8_0.gguf");
  EXPECT_EQ(chosen("", {"README.md", "x.gguf", "imatrix.gguf"}), "x.gguf");
  EXPECT_THAT(chosen("Q5_0", paths),
              HasSubstr("'Q5_0' is the name of no file, expected one of: x-Q8_0.gguf"));
  EXPECT_THAT(chosen("", paths), HasSubstr("holds 3 GGUF or safetensors files: x-Q8_0.gguf, x-Q4_K_M.gguf"));
  EXPECT_THAT(chosen("Q8_0", {"a-Q8_0.gguf", "b-Q8_0.gguf"}), HasSubstr("is the name of several files"));
  EXPECT_THAT(chosen("README.md", paths), HasSubstr("no file"));
}

TEST(HubSingle, refuses_a_split_file_by_name) {
  const Paths paths = {"x-Q8_0-00001-of-00002.gguf", "x-Q8_0-00002-of-00002.gguf", "x-Q4_0.gguf"};
  EXPECT_THAT(chosen("Q8_0", paths),
              StartsWith("hf:org/x:Q8_0: 'x-Q8_0-00001-of-00002.gguf' is one part of a split file"));
  EXPECT_EQ(chosen("Q4_0", paths), "x-Q4_0.gguf");
}

}  // namespace
}  // namespace roundhouse::host
