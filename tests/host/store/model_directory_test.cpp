// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/model_catalogue.h"
#include "tests/host/store/gguf_bytes.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A copy of the tiny model that a test may damage.
class ModelDirectoryTest : public ::testing::Test {
 protected:
  ModelDirectoryTest() {
    fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", model(), fs::copy_options::recursive);
  }
  fs::path model() const { return directory_.path() / "model"; }

  rh_status code_ = RH_OK;
  std::string inspect() {
    try {
      inspect_model_directory(model());
      code_ = RH_OK;
      return "ok";
    } catch (const Error& error) {
      code_ = error.code();
      return error.what();
    }
  }

  TemporaryDirectory directory_;
};

TEST_F(ModelDirectoryTest, AMissingDirectoryIsNotAModel) {
  fs::remove_all(model());
  inspect();
  EXPECT_EQ(code_, RH_MODEL_NOT_FOUND);
}

TEST_F(ModelDirectoryTest, NamesEverythingThatIsMissingAtOnce) {
  for (const auto* file :
       {"model_index.json", "text_encoder/model-00002-of-00003.safetensors", "tokenizer/tokenizer.json",
        "tokenizer/merges.txt", "vae/config.json", "scheduler/scheduler_config.json"}) {
    fs::remove(model() / file);
  }
  fs::remove_all(model() / "transformer");
  const auto message = inspect();
  EXPECT_EQ(code_, RH_WEIGHTS_MISSING);
  for (const auto* name : {"model_index.json", "text_encoder/model-00002-of-00003.safetensors",
                           "tokenizer/merges.txt", "transformer/config.json", "transformer/*.safetensors",
                           "vae/config.json", "scheduler/scheduler_config.json"}) {
    EXPECT_THAT(message, HasSubstr(name));
  }
}

TEST_F(ModelDirectoryTest, AnEmptyDirectoryLacksEveryComponent) {
  fs::remove_all(model());
  fs::create_directory(model());
  EXPECT_THAT(inspect(), HasSubstr("tokenizer/tokenizer.json (or vocab.json and merges.txt)"));
  EXPECT_EQ(code_, RH_WEIGHTS_MISSING);
}

TEST_F(ModelDirectoryTest, AShardOutsideTheFolderIsUnsafe) {
  for (const auto* shard : {"../../etc/passwd", "/etc/passwd", "..", ""}) {
    directory_.write("model/transformer/diffusion_pytorch_model.safetensors.index.json",
                     std::string(R"({"weight_map":{"a":")") + shard + "\"}}");
    inspect();
    EXPECT_EQ(code_, RH_UNSAFE_NAME) << shard;
  }
}

TEST_F(ModelDirectoryTest, DamagedFilesAreInvalid) {
  directory_.write("model/model_index.json", "{\"_class_name\": 3}");
  EXPECT_THAT(inspect(), HasSubstr("_class_name"));
  EXPECT_EQ(code_, RH_MODEL_INVALID);
  directory_.write("model/model_index.json", "{");
  EXPECT_THAT(inspect(), HasSubstr("not JSON at byte"));
  directory_.write("model/model_index.json", "{\"a\":" + std::string(100000, '['));
  EXPECT_THAT(inspect(), HasSubstr("nested deeper than 64"));
}

TEST_F(ModelDirectoryTest, AHeaderLongerThanItsFileIsInvalid) {
  const auto vae = "model/vae/diffusion_pytorch_model.safetensors";
  for (const std::string& bytes :
       {std::string(), std::string("\x01"), std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)}) {
    directory_.write(vae, bytes);
    EXPECT_THAT(inspect(), HasSubstr("not a safetensors file"));
    EXPECT_EQ(code_, RH_MODEL_INVALID);
  }
}

TEST_F(ModelDirectoryTest, NumbersBeyondEveryTypeAreInvalid) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}})";
  for (const auto* file :
       {"model/model_index.json", "model/transformer/diffusion_pytorch_model.safetensors.index.json"}) {
    const auto kept = directory_.path() / "kept";
    fs::copy_file(directory_.path() / file, kept, fs::copy_options::overwrite_existing);
    directory_.write(file, R"({"a":1e999})");
    EXPECT_THAT(inspect(), HasSubstr("not usable JSON")) << file;
    EXPECT_EQ(code_, RH_MODEL_INVALID);
    fs::copy_file(kept, directory_.path() / file, fs::copy_options::overwrite_existing);
  }
  directory_.write("model/vae/diffusion_pytorch_model.safetensors",
                   std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header);
  EXPECT_THAT(inspect(), HasSubstr("vae/diffusion_pytorch_model.safetensors: not usable JSON"));
  EXPECT_EQ(code_, RH_MODEL_INVALID);
}

TEST_F(ModelDirectoryTest, AnUnknownDtypeNamesItsTensor) {
  const std::string header = R"({"w":{"dtype":"x 9","shape":[1],"data_offsets":[0,4]}})";
  directory_.write("model/vae/diffusion_pytorch_model.safetensors",
                   std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header);
  EXPECT_THAT(inspect(), HasSubstr("vae/diffusion_pytorch_model.safetensors: tensor 'w': dtype: 'x 9'"));
  EXPECT_EQ(code_, RH_MODEL_INVALID);
}

TEST_F(ModelDirectoryTest, AnEncoderInAGgufNeedsNothingBesideIt) {
  test::GgufBytes gguf = test::small_text_gguf();
  for (const auto& entry : fs::directory_iterator(model() / "text_encoder"))
    fs::remove(entry.path());
  fs::remove_all(model() / "tokenizer");
  directory_.write("model/text_encoder/model.gguf", gguf.bytes(std::string(98, '\0')));
  EXPECT_THAT(inspect(), HasSubstr("missing text_encoder/config.json")) << "no configuration inside";
  directory_.write("model/text_encoder/model.gguf",
                   gguf.u32_key("qwen3.block_count", 1).bytes(std::string(98, '\0')));
  EXPECT_EQ(inspect(), "ok");
}

TEST_F(ModelDirectoryTest, WhatLiesBesideTheWeightsDecidesNothing) {
  const std::string header =
      R"({"__metadata__":null,"w":{"dtype":"BF16","shape":[800],"data_offsets":[0,1600]},)"
      R"("n":{"dtype":"I64","shape":[],"data_offsets":[1600,1608]},)"
      R"("scaled_fp8":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[1608,1608]}})";
  directory_.write("model/vae/diffusion_pytorch_model.safetensors",
                   std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header +
                       std::string(1608, '\0'));
  EXPECT_THAT(inspect_model_directory(model()).dtypes, ElementsAre("bf16"));
}

TEST_F(ModelDirectoryTest, AFifoInPlaceOfAConfigDoesNotHang) {
  fs::remove(model() / "model_index.json");
  ASSERT_EQ(::system(("mkfifo " + (model() / "model_index.json").string()).c_str()), 0);
  inspect();
  EXPECT_EQ(code_, RH_IO_ERROR);
}

TEST_F(ModelDirectoryTest, SaysWhatAWholeModelIs) {
  const auto found = inspect_model_directory(model());
  EXPECT_EQ(found.architecture, "ZImagePipeline");
  EXPECT_EQ(found.weight_format, "safetensors");
  EXPECT_THAT(found.dtypes, ElementsAre("bf16"));
  EXPECT_EQ(found.main_dtype, "bf16");
}

TEST_F(ModelDirectoryTest, VocabularyAndMergesStandForTokenizerJson) {
  fs::remove(model() / "tokenizer/tokenizer.json");
  EXPECT_EQ(inspect(), "ok");
}

}  // namespace
}  // namespace roundhouse::host
