// SPDX-License-Identifier: Apache-2.0
// Reading GGUF: hostile headers first, then what a good one says.
#include <cmath>
#include <random>

#include "engines/weights/gguf.h"
#include "engines/weights/weight_set.h"
#include "gguf_bytes.h"
#include "temporary_folder.h"

namespace engines {
namespace {

constexpr std::uint32_t kU32 = 4, kText = 8, kArray = 9;
constexpr std::uint32_t kF32 = 0, kQ8 = 8, kQ4K = 12;

class Gguf : public testing::Test {
 protected:
  GgufFile open(const GgufBytes& bytes) const { return GgufFile(folder_.write("unet/m.gguf", bytes.bytes)); }
  void expect_refused(const GgufBytes& bytes, const std::string& text,
                      rh_status code = RH_MODEL_INVALID) const {
    expect_error([&] { open(bytes); }, code, text);
    expect_error([&] { open(bytes); }, code, "unet/m.gguf: ");
  }
  // One F32 tensor `a` of these dimensions in the file's order, at that offset, and so much data.
  static GgufBytes one(const std::vector<std::uint64_t>& dimensions, std::uint32_t type, std::uint64_t offset,
                       std::size_t data) {
    return GgufBytes().begin(1, 0).info("a", dimensions, type, offset).pad().data(data);
  }

  TemporaryFolder folder_;
};

TEST_F(Gguf, WhatIsNoGgufFileIsRefused) {
  expect_error([&] { GgufFile(folder_.path() / "unet/none.gguf"); }, RH_WEIGHTS_MISSING, "none.gguf");
  expect_refused(GgufBytes(), "the magic number claims 4 bytes at byte 0, but only 0 follow");
  expect_refused(GgufBytes().raw("GGUG").data(100), "does not begin with 'GGUF'");
  expect_refused(GgufBytes().raw("GGUF"), "the version");
  for (const std::uint32_t version : {0u, 1u, 4u, 0xffffffffu})
    expect_refused(GgufBytes().begin(0, 0, version),
                   "is of version " + std::to_string(version) + ", expected 2 or 3");
  expect_refused(GgufBytes().begin(0, 0, 3u << 24), "is big-endian");
}

TEST_F(Gguf, CountsThatTheFileCannotHoldAreRefusedBeforeAnythingIsAllocated) {
  for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{1} << 32, std::uint64_t{1} << 62,
                                    std::uint64_t{1} << 63, UINT64_MAX}) {
    expect_refused(GgufBytes().begin(count, 0), "the tensor count: " + std::to_string(count) + " do not fit");
    expect_refused(GgufBytes().begin(0, count),
                   "the key-value count: " + std::to_string(count) + " do not fit");
    expect_refused(GgufBytes().begin(0, 1).text("k").u32(kArray).u32(kText).u64(count),
                   "the value of 'k': " + std::to_string(count) + " do not fit");
    expect_refused(GgufBytes().begin(0, 1).text("k").u32(kArray).u32(kU32).u64(count),
                   "the value of 'k': " + std::to_string(count) + " do not fit");
  }
}

TEST_F(Gguf, TextsThatReachBeyondTheFileAreRefused) {
  for (const std::uint64_t length :
       {std::uint64_t{100}, std::uint64_t{1} << 32, std::uint64_t{1} << 63, UINT64_MAX}) {
    expect_refused(GgufBytes().begin(0, 1).u64(length).data(30), "key 0 claims");
    expect_refused(GgufBytes().begin(0, 1).text("k").u32(kText).u64(length).data(30),
                   "the value of 'k' claims");
    expect_refused(
        GgufBytes().begin(0, 1).text("k").u32(kArray).u32(kText).u64(2).text("x").u64(length).data(30),
        "the value of 'k': element 1 claims");
    expect_refused(GgufBytes().begin(1, 0).u64(length).data(30), "the name of tensor 0 claims");
  }
}

TEST_F(Gguf, ValuesOfUnknownKindsAndNestedArraysAreRefused) {
  expect_refused(GgufBytes().begin(0, 1).text("k").u32(13).u64(0),
                 "the value of 'k' is of type 13, expected 0 to 12");
  expect_refused(GgufBytes().begin(0, 1).text("k").u32(0xffffffff).u64(0),
                 "the value of 'k' is of type 4294967295");
  GgufBytes nested;
  nested.begin(0, 1).text("k").u32(kArray);
  for (int depth = 0; depth < 1000; ++depth)
    nested.u32(kArray).u64(1);
  expect_refused(nested, "the value of 'k' is an array of type 9, expected numbers, booleans or texts");
}

TEST_F(Gguf, KeysAndNamesThatComeTwiceOrAreNoneAreRefused) {
  expect_refused(GgufBytes().begin(0, 2).text("k").u32(kU32).u32(1).text("k").u32(kU32).u32(2),
                 "the key 'k' comes twice");
  expect_refused(GgufBytes().begin(0, 1).text("").u32(kU32).u32(1).data(8), "key 0 is '', expected a name");
  expect_refused(GgufBytes().begin(2, 0).info("a", {1}, kF32, 0).info("a", {1}, kF32, 32).pad().data(64),
                 "tensor 'a': comes twice");
  expect_refused(GgufBytes().begin(1, 0).info(std::string_view("a\0b", 3), {1}, kF32, 0).pad().data(4),
                 "the name of tensor 0 is");
}

TEST_F(Gguf, AlignmentsThatAreNoneAreRefused) {
  for (const std::uint32_t alignment : {0u, 1u, 4u, 24u, 48u, 65537u, 1u << 31, 0xffffffffu})
    expect_refused(GgufBytes().begin(0, 1).text("general.alignment").u32(kU32).u32(alignment),
                   "general.alignment: " + std::to_string(alignment));
  expect_refused(GgufBytes().begin(0, 1).text("general.alignment").u32(kText).text("32"),
                 "general.alignment: is of type text, expected an integer");
}

TEST_F(Gguf, DimensionsThatCannotBeCountedAreRefused) {
  expect_refused(one({1, 1, 1, 1, 1}, kF32, 0, 4), "tensor 'a': has 5 dimensions, expected at most 4");
  expect_refused(GgufBytes().begin(1, 0).text("a").u32(0xffffffff).data(100),
                 "tensor 'a': has 4294967295 dimensions");
  expect_refused(one({std::uint64_t{1} << 63}, kF32, 0, 4), "tensor 'a': dimension 0 is 9223372036854775808");
  expect_refused(one({1u << 31, 1u << 31, 1u << 31}, kF32, 0, 4),
                 "there are more elements than can be counted");
  expect_refused(one({std::uint64_t{1} << 62}, kF32, 0, 4), "takes more bytes than can be counted");
}

TEST_F(Gguf, RowsThatAreNotWholeBlocksAreRefused) {
  expect_refused(one({33, 32}, kQ8, 0, 5000),
                 "rows of 33 elements are not whole blocks of Q8_0, expected a multiple of 32");
  expect_refused(one({128, 256}, kQ4K, 0, 50000),
                 "rows of 128 elements are not whole blocks of Q4_K, expected a multiple of 256");
}

TEST_F(Gguf, TypesThatAreNotReadAreRefusedByName) {
  for (const auto& [number, name] : {std::pair{10u, "Q2_K"},
                                     {11u, "Q3_K"},
                                     {23u, "IQ4_XS"},
                                     {34u, "TQ1_0"},
                                     {39u, "MXFP4"},
                                     {4u, "number 4"},
                                     {40u, "NVFP4"},
                                     {41u, "number 41"},
                                     {0xffffffffu, "number 4294967295"}}) {
    folder_.write("unet/m.gguf", one({256}, number, 0, 500).bytes);
    const WeightSet set(folder_.path() / "unet", "m");
    expect_error([&] { set.get("a", {256}); }, RH_CAPABILITY_UNSUPPORTED,
                 std::string("tensor 'a': is of type ") + name +
                     ", which is not read, expected one of F32, F16, BF16, Q8_0,");
  }
}

TEST_F(Gguf, OffsetsThatLieOutsideOverlapOrAreNotAlignedAreRefused) {
  expect_refused(one({1}, kF32, 8, 64), "tensor 'a': offset 8 is not a multiple of the alignment 32");
  expect_refused(one({8}, kF32, 0, 31), "tensor 'a': 32 bytes at offset 0 reach beyond the data of 31 bytes");
  expect_refused(one({8}, kF32, 64, 95), "reach beyond the data of 95 bytes");
  expect_refused(one({8}, kF32, std::uint64_t{1} << 63, 64), "reach beyond the data");
  expect_refused(one({8}, kF32, UINT64_MAX - 31, 64), "reach beyond the data");
  expect_refused(GgufBytes().begin(2, 0).info("a", {9}, kF32, 0).info("b", {8}, kF32, 32).pad().data(64),
                 "tensor 'b' begins at 32, inside of 'a' (tensors overlap)");
  expect_refused(GgufBytes().begin(1, 0).info("a", {1}, kF32, 0), "reach beyond the data of 0 bytes");
}

// Every prefix of a good file, and the file with any one byte changed, is either refused or read within its
// bounds; the sanitizers watch.
TEST_F(Gguf, DamageAnywhereIsAnErrorOrHarmless) {
  GgufBytes good;
  good.begin(2, 4)
      .text("general.architecture")
      .u32(kText)
      .text("x")
      .text("general.alignment")
      .u32(kU32)
      .u32(32);
  good.text("t").u32(kArray).u32(kText).u64(3).text("one").text("").text("three");
  good.text("n").u32(kArray).u32(5).u64(2).put(std::int32_t{-1}).put(std::int32_t{7});
  good.info("a", {2, 3}, kF32, 0).info("b", {32, 2}, kQ8, 32).pad().data(32 + 68);
  const auto look = [&](const std::string& bytes) {
    try {
      const GgufFile file(folder_.write("unet/m.gguf", bytes));
      for (const auto& key : file.metadata().keys()) {
        try {
          file.metadata().texts(key);
        } catch (const Error&) {
        }
        try {
          file.metadata().integers(key);
        } catch (const Error&) {
        }
      }
      for (const auto& name : file.names())
        if (const auto* const view = file.find(name)) to_floats(*view);
      return true;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == RH_MODEL_INVALID || error.code() == RH_CAPABILITY_UNSUPPORTED)
          << error.what();
      return false;
    }
  };
  EXPECT_TRUE(look(good.bytes));
  for (std::size_t length = 0; length < good.bytes.size(); ++length)
    EXPECT_FALSE(look(good.bytes.substr(0, length))) << length;
  std::mt19937 random(1);
  for (std::size_t at = 0; at < good.bytes.size() - 100; ++at) {
    for (const int bits : {0xff, 0x80, 1 << (random() % 8)}) {
      std::string bytes = good.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ bits);
      look(bytes);
    }
  }
}

TEST_F(Gguf, TensorsAreFoundWithTheirShapesTurnedRound) {
  GgufBytes bytes;
  bytes.begin(4, 1, 2).text("general.alignment").u32(kU32).u32(64);
  bytes.info("m", {64, 3}, kQ8, 64)
      .info("v", {5}, kF32, 0)
      .info("i", {2}, 26, 320)
      .info("e", {0, 7}, kF32, 320);
  bytes.pad(64);
  const std::size_t begin = bytes.bytes.size();
  bytes.data(328);
  const GgufFile file = open(bytes);
  EXPECT_EQ(file.names(), (std::vector<std::string>{"e", "i", "m", "v"}));
  const WeightView* const m = file.find("m");
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->dtype, Dtype::q8_0);
  EXPECT_EQ(m->shape, (std::vector<std::int64_t>{3, 64}));
  EXPECT_EQ(m->data, file.file().data() + begin + 64);
  EXPECT_EQ(file.find("v")->shape, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(file.find("i"), nullptr) << "integers are no weights";
  EXPECT_EQ(file.raw("i")->dtype, "I32");
  EXPECT_EQ(file.find("e")->size(), 0);
}

TEST_F(Gguf, KeyValuesAreReadAsWhatTheyAreAskedFor) {
  GgufBytes bytes;
  bytes.begin(0, 7).text("n").u32(10).u64(1u << 20).text("x").u32(6).put(0.5f).text("s").u32(kText).text(
      "hello");
  bytes.text("b").u32(7).put(std::uint8_t{1}).text("l").u32(kArray).u32(kText).u64(2).text("p").text("q");
  bytes.text("big").u32(10).u64(UINT64_MAX).text("nan").u32(12).put(std::nan(""));
  const GgufFile file = open(bytes);
  const GgufMetadata& keys = file.metadata();
  EXPECT_EQ(keys.integer("n", 0, 1 << 20), 1 << 20);
  EXPECT_EQ(keys.number("n", 0, 1e9), 1 << 20);
  EXPECT_EQ(keys.number("x", 0, 1), 0.5);
  EXPECT_EQ(keys.text("s"), "hello");
  EXPECT_TRUE(keys.boolean_or("b", false));
  EXPECT_EQ(keys.texts("l"), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(keys.integer_or("absent", 7, 0, 9), 7);
  const auto refused = [&](const auto& ask, const std::string& text) {
    expect_error(ask, RH_MODEL_INVALID, "unet/m.gguf: " + text);
  };
  refused([&] { keys.integer("absent", 0, 9); }, "absent: is missing");
  refused([&] { keys.integer("n", 0, 9); }, "n: 1048576 is out of range, expected 0 to 9");
  refused([&] { keys.integer("x", 0, 9); }, "x: is of type f32, expected an integer");
  refused([&] { keys.integer("big", 0, 9); }, "big: is of type u64, expected an integer");
  refused([&] { keys.number("nan", 0, 9); }, "nan: nan is out of range");
  refused([&] { keys.text("n"); }, "n: is of type u64, expected a text");
  refused([&] { keys.texts("n"); }, "n: is of type u64, expected an array of texts");
  refused([&] { keys.integers("l"); }, "l: is an array of text, expected one of integers");
  refused([&] { keys.boolean_or("n", true); }, "n: is of type u64, expected a boolean");
}

}  // namespace
}  // namespace engines
