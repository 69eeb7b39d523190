// SPDX-License-Identifier: Apache-2.0
// Safetensors files that lie, and some that do not.
#include <sys/stat.h>

#include <limits>
#include <ostream>
#include <vector>

#include "engines/weights/safetensors.h"
#include "temporary_folder.h"

namespace engines {
namespace {

struct Refused {
  const char* what;
  std::string file;
  const char* message;
};
void PrintTo(const Refused& refused, std::ostream* stream) {
  *stream << refused.what;
}

// One tensor `a` whose fields are given.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t data) {
  return safetensors(
      R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", data);
}

// A file whose first eight bytes claim a header of that length.
std::string claiming(std::uint64_t length) {
  std::string file = safetensors("{}", 0);
  std::memcpy(file.data(), &length, 8);
  return file;
}

std::vector<Refused> refused_files() {
  const std::string f32 = R"("F32")";
  const std::string deep(200000, '[');
  return {
      {"empty", "", "is 0 bytes long"},
      {"shorter than the length", "1234567", "is 7 bytes long"},
      {"header beyond the file", claiming(3), "the header claims 3 bytes, but only 2 follow"},
      {"header of 2^63", claiming(std::uint64_t{1} << 63), "expected at most 100000000"},
      {"header of 2^64 - 1", claiming(std::numeric_limits<std::uint64_t>::max()),
       "expected at most 100000000"},
      {"header of 99 MB that is not there", claiming(99'000'000), "but only 2 follow"},
      {"empty header", safetensors("", 0), "does not begin with '{'"},
      {"header with a blank in front", safetensors(" {}", 0), "does not begin with '{'"},
      {"no JSON", safetensors("{\"a\":", 0), "is not valid JSON"},
      {"text after the JSON", safetensors("{}{}", 0), "is not valid JSON"},
      {"no UTF-8", safetensors("{\"\xFF\":1}", 0), "is not valid JSON"},
      {"nested too deeply", safetensors("{\"a\":" + deep, 0), "nested deeper than 64"},
      {"a key twice",
       safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                   R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                   1),
       "the key 'a' comes twice"},
      {"a field twice",
       safetensors(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
       "the key 'dtype' comes twice"},
      {"metadata of numbers", safetensors(R"({"__metadata__":{"a":1}})", 0), "__metadata__ is not"},
      {"metadata that is a list", safetensors(R"({"__metadata__":[]})", 0), "__metadata__ is not"},
      {"tensor that is no object", safetensors(R"({"a":3})", 0), "tensor 'a': is 3, expected an object"},
      {"no dtype", safetensors(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1), "dtype is missing"},
      {"dtype that is a number", one("5", "[1]", "[0,4]", 4), "dtype is 5, expected a string"},
      {"no shape", safetensors(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), "shape is missing"},
      {"shape that is a number", one(f32, "1", "[0,4]", 4), "shape is 1, expected an array"},
      {"negative size", one(f32, "[-1]", "[0,4]", 4), "shape holds -1"},
      {"size with a fraction", one(f32, "[1.5]", "[0,4]", 4), "shape holds 1.5"},
      {"size of 2^63", one(f32, "[9223372036854775808]", "[0,4]", 4), "more elements than can be counted"},
      {"product that overflows", one(f32, "[4294967296,4294967296]", "[0,4]", 4), "more elements than"},
      {"product that wraps to the right size", one(f32, "[4611686018427387905]", "[0,4]", 4),
       "more elements than"},
      {"no offsets", safetensors(R"({"a":{"dtype":"U8","shape":[1]}})", 1), "data_offsets is missing"},
      {"one offset", one(f32, "[1]", "[0]", 4), "expected [begin, end]"},
      {"negative offset", one(f32, "[1]", "[-4,0]", 4), "expected [begin, end]"},
      {"offsets backwards", one(f32, "[1]", "[4,0]", 4), "end before they begin"},
      {"offsets beyond the file", one(f32, "[2]", "[0,8]", 4), "reach beyond the data of 4 bytes"},
      {"offset of 2^64 - 1", one(f32, "[1]", "[0,18446744073709551615]", 4), "reach beyond the data"},
      {"fewer bytes than the shape", one(f32, "[2]", "[0,4]", 4), "span 4 bytes, expected 8"},
      {"truncated data", one(f32, "[2,2]", "[0,16]", 15), "reach beyond the data of 15 bytes"},
      {"data that no tensor has", one(f32, "[1]", "[0,4]", 5), "end at byte 4 of the data, expected 5"},
      {"data without tensors", safetensors("{}", 4), "end at byte 0 of the data, expected 4"},
      {"a hole in front", one(f32, "[1]", "[4,8]", 8), "begins at 4, expected 0 (a hole)"},
      {"overlap",
       safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                   6),
       "tensor 'b' begins at 2, expected 4 (tensors overlap)"},
  };
}

class RefusedSafetensors : public testing::TestWithParam<Refused> {};

TEST_P(RefusedSafetensors, IsModelInvalidAndSaysWhy) {
  const TemporaryFolder folder;
  const auto file = folder.write("unet/x.safetensors", GetParam().file);
  expect_error([&] { SafetensorsFile{file}; }, RH_MODEL_INVALID, GetParam().message);
  expect_error([&] { SafetensorsFile{file}; }, RH_MODEL_INVALID, "unet/x.safetensors");
}
INSTANTIATE_TEST_SUITE_P(Files, RefusedSafetensors, testing::ValuesIn(refused_files()));

TEST(Safetensors, NoFileIsMissingWeights) {
  const TemporaryFolder folder;
  expect_error([&] { SafetensorsFile{folder.path() / "x.safetensors"}; }, RH_WEIGHTS_MISSING,
               "x.safetensors");
}

TEST(Safetensors, AFolderInPlaceOfTheFileIsRefused) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "x.safetensors");
  expect_error([&] { SafetensorsFile{folder.path() / "x.safetensors"}; }, RH_MODEL_INVALID,
               "not a regular file");
}

TEST(Safetensors, APipeInPlaceOfTheFileIsRefusedAndNotWaitedFor) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "x.safetensors";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_error([&] { SafetensorsFile{pipe}; }, RH_MODEL_INVALID, "not a regular file");
}

TEST(Safetensors, AFileThatMayNotBeReadIsAnIoError) {
  const TemporaryFolder folder;
  const auto file = folder.write("x.safetensors", safetensors("{}", 0));
  std::filesystem::permissions(file, std::filesystem::perms::none);
  if (std::ifstream(file).is_open()) GTEST_SKIP() << "this user may read every file";
  expect_error([&] { SafetensorsFile{file}; }, RH_IO_ERROR, "x.safetensors");
}

TEST(Safetensors, AnyCutOfAGoodFileIsRefused) {
  const TemporaryFolder folder;
  const std::string good = one(R"("F32")", "[2,2]", "[0,16]", 16);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto file = folder.write("x.safetensors", std::string_view(good).substr(0, length));
    EXPECT_THROW(SafetensorsFile{file}, Error) << length;
  }
}

TEST(Safetensors, AnyOtherByteInTheHeaderIsRefusedOrHarmless) {
  const TemporaryFolder folder;
  const std::string good = one(R"("F32")", "[2,2]", "[0,16]", 16);
  for (std::size_t at = 0; at + 16 < good.size(); ++at) {
    for (const char other : {'\0', '9', '"', '}', ']', ',', '\xFF'}) {
      std::string changed = good;
      changed[at] = other;
      const auto file = folder.write("x.safetensors", changed);
      try {
        const SafetensorsFile opened(file);
        for (const auto& name : opened.names())
          EXPECT_EQ(opened.raw(name)->bytes, 16u) << changed;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), RH_MODEL_INVALID);
      }
    }
  }
}

TEST(Safetensors, TensorsAreFoundWhereTheyLie) {
  const TemporaryFolder folder;
  // Padded with blanks; three bytes come first, so that the floats lie at an odd address.
  const auto file = folder.write(
      "x.safetensors", safetensors(R"({"__metadata__":{"format":"pt"},)"
                                   R"("w":{"dtype":"BF16","shape":[2,1],"data_offsets":[3,7]},)"
                                   R"("bytes":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                                   R"("none":{"dtype":"F32","shape":[0,5],"data_offsets":[7,7]},)"
                                   R"("scalar":{"dtype":"F32","shape":[],"data_offsets":[7,11]}}   )",
                                   11));
  const SafetensorsFile opened(file);
  EXPECT_EQ(opened.names(), (std::vector<std::string>{"bytes", "none", "scalar", "w"}));
  const WeightView* const w = opened.find("w");
  ASSERT_NE(w, nullptr);
  EXPECT_EQ(w->dtype, Dtype::bf16);
  EXPECT_EQ(w->shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(w->data[0], std::byte{3});
  EXPECT_EQ(opened.find("scalar")->size(), 1);
  EXPECT_EQ(opened.find("none")->size(), 0);
  EXPECT_EQ(opened.find("bytes"), nullptr);
  ASSERT_NE(opened.raw("bytes"), nullptr);
  EXPECT_EQ(opened.raw("bytes")->dtype, "U8");
  EXPECT_EQ(opened.raw("bytes")->bytes, 3u);
  EXPECT_EQ(opened.find("absent"), nullptr);
  EXPECT_EQ(opened.raw("absent"), nullptr);
}

TEST(Safetensors, ViewsSurviveMovingTheFile) {
  const TemporaryFolder folder;
  SafetensorsFile first(folder.write("x.safetensors", one(R"("F32")", "[1]", "[0,4]", 4)));
  const WeightView* const view = first.find("a");
  const SafetensorsFile second = std::move(first);
  EXPECT_EQ(second.find("a"), view);
  EXPECT_EQ(view->data[1], std::byte{1});
}

}  // namespace
}  // namespace engines
