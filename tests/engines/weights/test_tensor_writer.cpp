// SPDX-License-Identifier: Apache-2.0
// Files written and read again, byte for byte the same every time.
#include <random>

#include "engines/weights/gguf.h"
#include "engines/weights/json_file.h"
#include "engines/weights/safetensors.h"
#include "engines/weights/tensor_writer.h"
#include "gguf_bytes.h"
#include "temporary_folder.h"

namespace engines {
namespace {

std::string content(const std::filesystem::path& file) {
  return read_file(file, "the file", std::size_t{1} << 30);
}

std::vector<std::byte> data_of(const TensorSpec& tensor) {
  std::mt19937 random(static_cast<unsigned>(tensor.name.size()));
  std::vector<std::byte> data(tensor.bytes());
  for (auto& byte : data)
    byte = static_cast<std::byte>(random());
  return data;
}

// In pieces of that size.
void write_all(TensorWriter& writer, std::size_t piece) {
  for (const auto& tensor : std::vector<TensorSpec>(writer.tensors())) {
    const auto data = data_of(tensor);
    for (std::size_t at = 0; at < data.size(); at += piece)
      writer.write(data.data() + at, std::min(piece, data.size() - at));
  }
  writer.finish();
}

void expect_same(const WeightFile& file, const std::vector<TensorSpec>& tensors) {
  EXPECT_EQ(file.names().size(), tensors.size());
  for (const auto& tensor : tensors) {
    const WeightView* const view = file.find(tensor.name);
    ASSERT_NE(view, nullptr) << tensor.name;
    EXPECT_EQ(view->dtype, tensor.dtype) << tensor.name;
    EXPECT_EQ(view->shape, tensor.shape) << tensor.name;
    const auto data = data_of(tensor);
    EXPECT_EQ(std::memcmp(view->data, data.data(), data.size()), 0) << tensor.name;
  }
}

const std::vector<TensorSpec> kEveryType = {
    {"norm", Dtype::f32, {5}},           {"a.q8", Dtype::q8_0, {3, 64}},   {"b.q4", Dtype::q4_0, {7, 32}},
    {"c.q4k", Dtype::q4_K, {2, 512}},    {"d.q6k", Dtype::q6_K, {1, 256}}, {"e.bf16", Dtype::bf16, {3, 1, 3}},
    {"f.f16", Dtype::f16, {2, 2, 3, 3}}, {"empty", Dtype::f32, {0, 4}},    {"scalar", Dtype::f32, {}}};

GgufKeys some_keys() {
  GgufKeys keys;
  keys.add("general.architecture", "test");
  keys.add("general.quantization_version", std::uint32_t{2});
  keys.add("test.eps", 1e-6f);
  keys.add("test.flag", true);
  keys.add("test.names", std::vector<std::string>{"one", "", "drei\n"});
  keys.add("test.numbers", std::vector<std::int32_t>{-1, 0, 7});
  return keys;
}

TEST(TensorWriter, GgufComesBackWhateverThePieces) {
  const TemporaryFolder folder;
  std::string first;
  for (const std::size_t piece : {1u, 7u, 100000u}) {
    const auto path = folder.path() / "m.gguf";
    TensorWriter writer = TensorWriter::gguf(path, some_keys(), kEveryType);
    write_all(writer, piece);
    if (first.empty()) first = content(path);
    EXPECT_TRUE(first == content(path)) << "other bytes in pieces of " << piece;
    const GgufFile file(path);
    expect_same(file, kEveryType);
    EXPECT_EQ(file.metadata().text("general.architecture"), "test");
    EXPECT_EQ(file.metadata().integer("general.quantization_version", 0, 9), 2);
    EXPECT_EQ(file.metadata().number("test.eps", 0, 1), double{1e-6f});
    EXPECT_TRUE(file.metadata().boolean_or("test.flag", false));
    EXPECT_EQ(file.metadata().texts("test.names"), (std::vector<std::string>{"one", "", "drei\n"}));
    EXPECT_EQ(file.metadata().integers("test.numbers"), (std::vector<std::int64_t>{-1, 0, 7}));
  }
}

// Byte for byte what the format's description says.
TEST(TensorWriter, GgufIsLaidOutAsDescribed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.gguf";
  GgufKeys keys;
  keys.add("k", std::uint32_t{258});
  TensorWriter writer = TensorWriter::gguf(path, keys, {{"m", Dtype::bf16, {3, 2}}, {"v", Dtype::f32, {1}}});
  const std::string data = "abcdefghijklABCD";
  const auto* const bytes = reinterpret_cast<const std::byte*>(data.data());
  writer.write(bytes, 12);
  writer.write(bytes + 12, 4);
  writer.finish();
  GgufBytes expected;
  expected.begin(2, 1).text("k").u32(4).u32(258).info("m", {2, 3}, 30, 0).info("v", {1}, 0, 32);
  expected.pad().raw("abcdefghijkl").pad().raw("ABCD").pad();
  EXPECT_EQ(content(path), expected.bytes);
}

TEST(TensorWriter, SafetensorsComeBackInTheCustomaryOrder) {
  const TemporaryFolder folder;
  const std::vector<TensorSpec> tensors = {{"b", Dtype::bf16, {3}},   {"a", Dtype::f16, {2, 2}},
                                           {"z", Dtype::f32, {1}},    {"y", Dtype::f32, {2, 3}},
                                           {"none", Dtype::f32, {0}}, {"scalar", Dtype::f32, {}}};
  std::string first;
  for (const std::size_t piece : {1u, 5u, 100000u}) {
    const auto path = folder.path() / "m.safetensors";
    TensorWriter writer = TensorWriter::safetensors(path, tensors, {{"format", "pt"}});
    std::vector<std::string> order;
    for (const auto& tensor : writer.tensors())
      order.push_back(tensor.name);
    EXPECT_EQ(order, (std::vector<std::string>{"none", "scalar", "y", "z", "a", "b"}));
    write_all(writer, piece);
    const std::string bytes = content(path);
    if (first.empty()) first = bytes;
    EXPECT_TRUE(first == bytes);
    EXPECT_EQ((static_cast<unsigned char>(bytes[0])) % 8, 0u) << "the header is padded";
    EXPECT_EQ(bytes.substr(8, 34), R"({"__metadata__":{"format":"pt"},"n)");
    expect_same(SafetensorsFile(path), tensors);
  }
}

TEST(TensorWriter, WhatAFormatCannotSayIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m";
  const auto gguf = [&](const TensorSpec& tensor) { return [=] { TensorWriter::gguf(path, {}, {tensor}); }; };
  expect_error(gguf({std::string(65, 'x'), Dtype::f32, {1}}), RH_CONVERSION_FAILED,
               "the name is 65 bytes long");
  expect_error(gguf({"", Dtype::f32, {1}}), RH_CONVERSION_FAILED, "the name is 0 bytes long");
  expect_error(gguf({"a", Dtype::f32, {1, 1, 1, 1, 1}}), RH_CONVERSION_FAILED, "5 dimensions");
  expect_error(gguf({"a", Dtype::q4_K, {2, 128}}), RH_CONVERSION_FAILED, "not whole blocks of q4_k");
  expect_error(
      [&] {
        TensorWriter::gguf(path, {}, {{"a", Dtype::f32, {1}}, {"a", Dtype::f32, {1}}});
      },
      RH_CONVERSION_FAILED, "tensor 'a' comes twice");
  expect_error(
      [&] {
        TensorWriter::safetensors(path, {{"a", Dtype::q8_0, {32}}});
      },
      RH_CONVERSION_FAILED, "safetensors has no type q8_0");
  expect_error(
      [&] {
        TensorWriter::safetensors(path, {{"__metadata__", Dtype::f32, {1}}});
      },
      RH_CONVERSION_FAILED, "no tensor can be named");
}

TEST(TensorWriter, TooMuchAndTooLittleDataAreNoticed) {
  const TemporaryFolder folder;
  const std::byte data[16] = {};
  TensorWriter writer = TensorWriter::gguf(folder.path() / "m", {}, {{"a", Dtype::f32, {2}}});
  expect_error([&] { writer.write(data, 9); }, RH_CONVERSION_FAILED, "more data than the tensor 'a' has");
  writer.write(data, 4);
  expect_error([&] { writer.finish(); }, RH_CONVERSION_FAILED, "tensor 'a' has only 4 of 8 bytes");
  writer.write(data, 4);
  expect_error([&] { writer.write(data, 1); }, RH_CONVERSION_FAILED, "more data than the tensors have");
  writer.finish();
}

TEST(TensorWriter, ADiskThatIsFullIsSaidAtOnce) {
  const TemporaryFolder folder;
  expect_error(
      [&] {
        TensorWriter::gguf(folder.path() / "m", {}, {{"a", Dtype::f32, {std::int64_t{1} << 58}}});
      },
      RH_INSUFFICIENT_STORAGE, "m: ");
  expect_error(
      [&] {
        TensorWriter::gguf("/dev/full", {}, {{"a", Dtype::f32, {1}}});
      },
      RH_INSUFFICIENT_STORAGE, "dev/full: ");
  expect_error([&] { TensorWriter::gguf(folder.path() / "none/m", {}, {}); }, RH_IO_ERROR, "none/m: ");
}

}  // namespace
}  // namespace engines
