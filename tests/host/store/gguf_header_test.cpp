// SPDX-License-Identifier: Apache-2.0
#include "host/store/gguf_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/model_catalogue.h"
#include "host/store/weight_digests.h"
#include "tests/host/store/gguf_bytes.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

using test::GgufBytes;
using test::little;
using test::small_text_gguf;
using test::small_text_gguf_data;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::string& bytes) {
  try {
    return parse_gguf_header(bytes, "f.gguf") ? "ok" : "needs more";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_MODEL_INVALID);
    EXPECT_THAT(error.what(), HasSubstr("f.gguf: "));
    return error.what();
  }
}

TEST(GgufHeader, SaysWhatAFileHolds) {
  const auto header = parse_gguf_header(small_text_gguf().u32_key("qwen3.block_count", 5).bytes(), "f.gguf");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->architecture(), "qwen3");
  EXPECT_EQ(header->numbers.at("qwen3.block_count"), 5u);
  EXPECT_EQ(header->bytes % 32, 0u);
  ASSERT_EQ(header->tensors.size(), 2u);
  EXPECT_EQ(header->tensors[0].name, "token_embd.weight");
  EXPECT_EQ(header->tensors[0].dtype, "f32");
  EXPECT_THAT(header->tensors[0].shape, ElementsAre(2, 8));
  EXPECT_EQ(header->tensors[0].begin, header->bytes);
  EXPECT_EQ(header->tensors[1].dtype, "q8_0");
  EXPECT_EQ(header->tensors[1].end - header->tensors[1].begin, 34u);
}

TEST(GgufHeader, OfEveryShorterBeginningNeedsMore) {
  const std::string whole = small_text_gguf().bytes();
  const auto bytes = parse_gguf_header(whole, "f.gguf")->bytes;
  for (std::size_t size = 0; size + 32 <= bytes; ++size)
    EXPECT_EQ(refusal(whole.substr(0, size)), "needs more") << size;
  EXPECT_EQ(refusal(whole), "ok");
}

TEST(GgufHeader, ClaimsAreNotBelieved) {
  GgufBytes file;
  file.extra_tensors = std::uint64_t{1} << 32;
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("tensor count: 4294967296"));
  file.extra_tensors = 0;
  file.extra_keys = std::uint64_t{1} << 63;
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("key count: 9223372036854775808"));
  const auto far = little(std::uint64_t{1} << 63, 8);
  EXPECT_THAT(refusal(GgufBytes().raw("k", 8, far).bytes()), HasSubstr("text of 9223372036854775808 bytes"));
  EXPECT_THAT(refusal(GgufBytes().raw("k", 9, little(8, 4) + far).bytes()), HasSubstr("key 'k': count"));
  EXPECT_THAT(refusal(GgufBytes().raw("k", 9, little(10, 4) + little(90'000'000, 8)).bytes()),
              HasSubstr("reach beyond"));
  EXPECT_EQ(refusal(GgufBytes().raw("k", 9, little(0, 4) + little(1000, 8)).bytes()), "needs more");
}

TEST(GgufHeader, RefusesWhatCannotBe) {
  const auto with_alignment = [](std::uint32_t value) {
    return GgufBytes().u32_key("general.alignment", value).bytes();
  };
  EXPECT_THAT(refusal("GGML" + std::string(40, '\0')), HasSubstr("does not begin with 'GGUF'"));
  for (const std::uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    GgufBytes file;
    file.version = version;
    EXPECT_THAT(refusal(file.bytes()), HasSubstr("version: " + std::to_string(version)));
  }
  EXPECT_THAT(refusal(with_alignment(0)), HasSubstr("general.alignment: 0"));
  EXPECT_THAT(refusal(with_alignment(12)), HasSubstr("general.alignment: 12"));
  EXPECT_THAT(refusal(with_alignment(1u << 31)), HasSubstr("general.alignment: 2147483648"));
  EXPECT_THAT(refusal(GgufBytes().text_key("general.alignment", "32").bytes()), HasSubstr("alignment: 0"));
  EXPECT_THAT(refusal(GgufBytes().u32_key("a", 1).u32_key("a", 1).bytes()), HasSubstr("'a' comes twice"));
  EXPECT_THAT(refusal(GgufBytes().raw("a", 13, "").bytes()), HasSubstr("type 13 does not exist"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += little(9, 4) + little(1, 8);
  EXPECT_THAT(refusal(GgufBytes().raw("a", 9, deep).bytes()), HasSubstr("nested deeper than 4"));
}

TEST(GgufHeader, RefusesTensorsThatCannotBe) {
  const auto tensor = [](const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                         std::uint64_t offset) {
    return refusal(GgufBytes().tensor("t\n", dimensions, type, offset).bytes());
  };
  EXPECT_EQ(tensor({32, 3}, 8, 64), "ok");
  EXPECT_EQ(tensor({}, 0, 0), "ok");
  EXPECT_THAT(tensor({1, 1, 1, 1, 1}, 0, 0), HasSubstr("tensor 't?': 5 dimensions"));
  EXPECT_THAT(tensor({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, 0), HasSubstr("can be counted"));
  EXPECT_THAT(tensor({std::uint64_t{1} << 61}, 0, 0), HasSubstr("beyond every file"));
  EXPECT_THAT(tensor({31}, 8, 0), HasSubstr("whole blocks of 32 q8_0"));
  EXPECT_THAT(tensor({32}, 12, 0), HasSubstr("whole blocks of 256 q4_k"));
  EXPECT_EQ(tensor({32}, 4, 0), "ok") << "perhaps nobody asks for it";
  EXPECT_THAT(refusal(GgufBytes().tensor("a\xff", {1}, 0, 0).bytes()),
              HasSubstr("tensor 'a?': its name is not UTF-8"));
  EXPECT_THAT(tensor({32}, 0, 8), HasSubstr("offset 8 is not a multiple of 32"));
  EXPECT_THAT(refusal(GgufBytes().tensor("a", {16}, 0, 0).tensor("b", {16}, 0, 32).bytes()),
              HasSubstr("'a' and 'b' overlap"));
  EXPECT_THAT(refusal(GgufBytes().tensor("a", {16}, 0, 0).tensor("a", {16}, 0, 64).bytes()),
              HasSubstr("tensor 'a': comes twice"));
}

TEST(GgufHeader, TextsThatAreNotUtf8AreLeftOutButForTheArchitecture) {
  const auto header =
      parse_gguf_header(small_text_gguf().text_key("general.name", "a\xff").bytes(), "f.gguf");
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->texts.contains("general.name"));
  EXPECT_THAT(refusal(small_text_gguf("q\xff").bytes()),
              HasSubstr("general.architecture: 'q?' is not UTF-8"));
}

TEST(GgufHeader, OfAFileLiesWithinIt) {
  const TemporaryDirectory directory;
  const auto outcome = [&](const std::string& bytes) -> std::string {
    try {
      read_gguf_header(directory.write("f.gguf", bytes), "f.gguf");
      return "ok";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_MODEL_INVALID);
      return error.what();
    }
  };
  const std::string whole = small_text_gguf().bytes(small_text_gguf_data());
  EXPECT_EQ(outcome(whole), "ok");
  EXPECT_THAT(outcome(whole.substr(0, whole.size() - 1)), HasSubstr("tensor 'output_norm.weight' ends at"));
  EXPECT_THAT(outcome(whole.substr(0, 60)), HasSubstr("truncated: the header goes on"));
  EXPECT_THAT(outcome(""), HasSubstr("truncated"));
}

TEST(GgufHeader, KnowsAnImageTransformer) {
  const auto is_image = [](const GgufBytes& file) {
    return is_image_transformer(*parse_gguf_header(file.bytes(), "f.gguf"));
  };
  EXPECT_TRUE(is_image(GgufBytes().text_key("general.architecture", "lumina2")));
  EXPECT_TRUE(is_image(GgufBytes()
                           .tensor("model.diffusion_model.cap_embedder.0.weight", {8}, 0, 0)
                           .tensor("model.diffusion_model.x_pad_token", {8}, 0, 32)));
  EXPECT_FALSE(is_image(small_text_gguf()));
}

TEST(GgufDigests, AreOfTheTensorsWhateverThePieces) {
  const std::string whole = small_text_gguf().bytes(small_text_gguf_data());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{40}, whole.size()}) {
    WeightDigests digests;
    for (std::size_t at = 0; at < whole.size(); at += piece)
      digests.update(std::string_view(whole).substr(at, piece));
    const auto record = digests.finish();
    ASSERT_TRUE(record) << piece;
    ASSERT_EQ(record->tensors.size(), 2u);
    EXPECT_EQ(record->header, sha256(whole.substr(0, whole.size() - 98)));
    EXPECT_EQ(record->tensors[0].digest, sha256(std::string(64, 'a')));
    EXPECT_EQ(record->tensors[1].digest, sha256(std::string(34, 'b')));
  }
}

TEST(GgufDigests, OfADamagedFileAreNone) {
  const auto record = [](const std::string& bytes) {
    WeightDigests digests;
    digests.update(bytes);
    return digests.finish();
  };
  const std::string whole = small_text_gguf().bytes(small_text_gguf_data());
  EXPECT_FALSE(record(whole.substr(0, whole.size() - 1)));
  EXPECT_FALSE(record(whole.substr(0, 50)));
  EXPECT_FALSE(record("GGUFxxxxxxxxxxxx"));
}

// Text models: all in one folder.
class TextModelDirectory : public ::testing::Test {
 protected:
  std::string inspect() {
    try {
      found_ = inspect_model_directory(directory_.path());
      return "ok";
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
  }
  TemporaryDirectory directory_;
  ModelDirectory found_;
};

TEST_F(TextModelDirectory, MayBeOneGguf) {
  directory_.write("model.gguf", small_text_gguf().bytes(small_text_gguf_data()));
  EXPECT_EQ(inspect(), "ok");
  EXPECT_EQ(found_.architecture, "Qwen3ForCausalLM");
  EXPECT_EQ(found_.weight_format, "gguf");
  EXPECT_THAT(found_.dtypes, ElementsAre("f32", "q8_0"));
  EXPECT_EQ(found_.main_dtype, "f32") << "most bytes";
}

TEST_F(TextModelDirectory, NeedsATokenizer) {
  GgufBytes file;
  directory_.write("model.gguf", file.text_key("general.architecture", "llama").bytes());
  EXPECT_THAT(inspect(), HasSubstr("WEIGHTS_MISSING: model directory"));
  EXPECT_THAT(inspect(), HasSubstr("tokenizer.json (or vocab.json and merges.txt)"));
}

TEST_F(TextModelDirectory, IsNoImageTransformer) {
  GgufBytes file;
  file.text_key("general.architecture", "lumina2").text_key("tokenizer.ggml.model", "gpt2");
  directory_.write("model.gguf", file.bytes());
  EXPECT_THAT(inspect(), HasSubstr("MODEL_INVALID: model.gguf: holds an image model's transformer alone"));
}

TEST_F(TextModelDirectory, InSafetensorsIsWhatItsConfigurationSays) {
  namespace fs = std::filesystem;
  fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "llama-tiny-lm", directory_.path(),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  EXPECT_EQ(inspect(), "ok");
  EXPECT_EQ(found_.architecture, "LlamaForCausalLM");
  EXPECT_EQ(found_.weight_format, "safetensors");
  fs::remove(directory_.path() / "model-00002-of-00002.safetensors");
  fs::remove(directory_.path() / "tokenizer.json");
  EXPECT_THAT(inspect(), HasSubstr("WEIGHTS_MISSING"));
  EXPECT_THAT(inspect(), HasSubstr("model-00002-of-00002.safetensors, tokenizer.json (or"));
}

}  // namespace
}  // namespace roundhouse::host
