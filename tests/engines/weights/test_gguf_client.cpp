// SPDX-License-Identifier: Apache-2.0
// What is written, as the hub's own reader (npm's @huggingface/gguf) finds it.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "engines/weights/gguf.h"
#include "engines/weights/tensor_writer.h"
#include "temporary_folder.h"

namespace engines {
namespace {

const std::filesystem::path kPackages = std::filesystem::path(ROUNDHOUSE_BINARY_DIR).parent_path();

nlohmann::json read_by_client(const std::filesystem::path& file) {
  const std::string command =
      "node '" ROUNDHOUSE_CLIENTS "/read_gguf.mjs' '" + kPackages.string() + "' '" + file.string() + "'";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
    text += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return nlohmann::json::parse(text);
}

TEST(GgufClient, FindsKeysAndTensorsOfEveryTypeWhereWeWroteThem) {
  ASSERT_TRUE(std::filesystem::exists(kPackages / "node_modules/@huggingface/gguf"))
      << "the npm clients are not installed: ./dev test does that";
  const std::vector<TensorSpec> tensors = {
      {"norm", Dtype::f32, {5}},          {"a.q8", Dtype::q8_0, {3, 64}},
      {"b.q4", Dtype::q4_0, {7, 32}},     {"c.q4k", Dtype::q4_K, {2, 512}},
      {"d.q6k", Dtype::q6_K, {1, 256}},   {"e.bf16", Dtype::bf16, {3, 1, 3}},
      {"f.f16", Dtype::f16, {2, 2, 3, 4}}};
  GgufKeys keys;
  keys.add("general.architecture", "qwen3");
  keys.add("general.quantization_version", std::uint32_t{2});
  keys.add("qwen3.rope.freq_base", 1e6f);
  keys.add("tokenizer.ggml.add_bos_token", false);
  keys.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "\u0120b", ""});
  keys.add("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 3, 5});
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.gguf";
  TensorWriter writer = TensorWriter::gguf(path, keys, tensors);
  for (const auto& tensor : tensors) {
    const std::vector<std::byte> data(tensor.bytes());
    writer.write(data.data(), data.size());
  }
  writer.finish();

  const nlohmann::json read = read_by_client(path);
  const nlohmann::json& metadata = read.at("metadata");
  EXPECT_EQ(metadata.at("version"), 3);
  EXPECT_EQ(metadata.at("general.architecture"), "qwen3");
  EXPECT_EQ(metadata.at("general.quantization_version"), 2);
  EXPECT_EQ(metadata.at("qwen3.rope.freq_base"), 1e6);
  EXPECT_EQ(metadata.at("tokenizer.ggml.add_bos_token"), false);
  EXPECT_EQ(metadata.at("tokenizer.ggml.tokens"), nlohmann::json({"a", "\u0120b", ""}));
  EXPECT_EQ(metadata.at("tokenizer.ggml.token_type"), nlohmann::json({1, 3, 5}));
  const GgufFile file(path);
  ASSERT_EQ(read.at("tensors").size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const nlohmann::json& tensor = read.at("tensors").at(i);
    EXPECT_EQ(tensor.at("name"), tensors[i].name);
    const std::vector<std::int64_t> reversed(tensors[i].shape.rbegin(), tensors[i].shape.rend());
    EXPECT_EQ(tensor.at("shape"), nlohmann::json(reversed)) << tensors[i].name;
    EXPECT_EQ(tensor.at("dtype"), gguf_type_of(tensors[i].dtype).number) << tensors[i].name;
    const auto offset =
        read.at("dataOffset").get<std::ptrdiff_t>() + tensor.at("offset").get<std::ptrdiff_t>();
    EXPECT_EQ(offset, file.find(tensors[i].name)->data - file.file().data()) << tensors[i].name;
  }
}

}  // namespace
}  // namespace engines
