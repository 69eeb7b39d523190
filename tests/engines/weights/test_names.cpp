// SPDX-License-Identifier: Apache-2.0
// Names of other files: tables of rules, the sets that are opened with them, and which type a tensor gets.
#include <gtest/gtest.h>

#include "engines/tensor/quantise.h"
#include "engines/weights/choose_type.h"
#include "engines/weights/name_table.h"
#include "engines/weights/tensor_writer.h"
#include "engines/weights/weight_set.h"
#include "gguf_bytes.h"
#include "temporary_folder.h"

namespace engines {
namespace {

using Names = std::vector<std::string>;

const NameTable kTable({{"^pre.", {""}},
                        {"^x.", {"model.x."}},
                        {".qkv.", {".to_q.", ".to_k.", ".to_v."}},
                        {".out.", {".to_out.0."}},
                        {".pixel.", {".point."}, true},
                        {"^unused.", {}}});

TEST(NameTable, SaysWhatTheModelCallsAStoredTensor) {
  EXPECT_EQ(kTable.meaning("pre.x.w").names, Names{"model.x.w"});
  EXPECT_EQ(kTable.meaning("x.w").names, Names{"model.x.w"});
  EXPECT_EQ(kTable.meaning("y.x.w").names, Names{"y.x.w"}) << "only at the beginning";
  EXPECT_EQ(kTable.meaning("a.qkv.w").names, (Names{"a.to_q.w", "a.to_k.w", "a.to_v.w"}));
  EXPECT_EQ(kTable.meaning("a.to_out.0.w").names, Names{"a.to_out.0.w"});
  EXPECT_TRUE(kTable.meaning("unused.w").names.empty());
  EXPECT_TRUE(kTable.meaning("a.pixel.w").squeeze);
  EXPECT_FALSE(kTable.meaning("a.w").squeeze);
}

TEST(NameTable, SaysWhereATensorOfTheModelLies) {
  EXPECT_EQ(kTable.stored("model.x.w").name, "x.w");
  const StoredName k = kTable.stored("a.to_k.w");
  EXPECT_EQ(k.name, "a.qkv.w");
  EXPECT_EQ(k.part, 1u);
  EXPECT_EQ(k.parts, 3u);
  EXPECT_EQ(kTable.stored("a.to_out.0.w").name, "a.out.w");
  EXPECT_EQ(kTable.stored("free").name, "free");
}

TEST(NameTable, FindsRowsThatWerePermutedForNeighbouringPairs) {
  // Heads of 6: rows 0 3 1 4 2 5 of the model's, one head after the other.
  const std::vector<std::int64_t> places = {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
  for (std::int64_t row = 0; row < 12; ++row)
    EXPECT_EQ(row_for_neighbouring_pairs(row, 6), places[static_cast<std::size_t>(row)]);
}

// A folder `unet` with a GGUF file whose tensors count up.
class NamedSet : public testing::Test {
 protected:
  void write(const std::vector<TensorSpec>& tensors) const {
    std::filesystem::create_directories(folder_.path() / "unet");
    TensorWriter writer = TensorWriter::gguf(folder_.path() / "unet/m.gguf", {}, tensors);
    for (const auto& tensor : tensors) {
      std::vector<std::byte> data(tensor.bytes());
      for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(i * 7 & 0x3f);
      writer.write(data.data(), data.size());
    }
    writer.finish();
  }
  WeightSet open(const WeightOptions& options = {}) const {
    return {folder_.path() / "unet", "m", options, kTable};
  }

  TemporaryFolder folder_;
};

TEST_F(NamedSet, FusedRowsOfAnyTypeAreThreeTensors) {
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::q8_0, Dtype::q4_K}) {
    write({{"a.qkv.w", dtype, {6, 512}}, {"pre.x.w", Dtype::f32, {4}}, {"unused.w", Dtype::f32, {9}}});
    const WeightSet set = open();
    const WeightView& q = set.get("a.to_q.w", {2, 512});
    const WeightView& k = set.get("a.to_k.w", {2, 512});
    const WeightView& v = set.get("a.to_v.w", {2, 512});
    EXPECT_EQ(k.data - q.data, bytes_of(dtype, 1024));
    EXPECT_EQ(v.data - k.data, bytes_of(dtype, 1024));
    EXPECT_EQ(k.dtype, dtype);
    EXPECT_FALSE(set.contains("unused.w"));
    EXPECT_EQ(set.total_bytes(), static_cast<std::uint64_t>(bytes_of(dtype, 3072) + 16)) << "no byte twice";
    EXPECT_EQ(set.bytes_under("a.to_k"), static_cast<std::uint64_t>(bytes_of(dtype, 1024)));
  }
}

TEST_F(NamedSet, RowsThatCannotBeSharedOutAreRefused) {
  write({{"a.qkv.w", Dtype::f32, {7, 4}}});
  const WeightSet set = open();
  expect_error(
      [&] {
        set.get("a.to_k.w", {2, 4});
      },
      RH_MODEL_INVALID,
      "unet/m.gguf: tensor 'a.to_k.w' ('a.qkv.w'): shape is [7,4], expected rows in 3 equal parts");
}

TEST_F(NamedSet, TwoTensorsOfOneMeaningAreRefused) {
  write({{"x.w", Dtype::f32, {1}}, {"model.x.w", Dtype::f32, {1}}});
  const WeightSet set = open();
  expect_error([&] { set.get("model.x.w", {1}); }, RH_MODEL_INVALID,
               "tensor 'model.x.w': is in unet/m.gguf, too (as 'x.w')");
}

TEST_F(NamedSet, AMessageNamesBothNames) {
  write({{"x.w", Dtype::f32, {2, 3}}});
  const WeightSet set = open();
  expect_error(
      [&] {
        set.get("model.x.w", {3, 2});
      },
      RH_MODEL_INVALID, "unet/m.gguf: tensor 'model.x.w' ('x.w'): shape is [2,3], expected [3,2]");
}

TEST_F(NamedSet, DimensionsOfOneMayBeMissing) {
  write({{"token", Dtype::f32, {4}}, {"a.pixel.w", Dtype::f32, {2, 2, 1, 1}}});
  const WeightSet set = open();
  EXPECT_EQ(set.floats("token", {1, 4}).size(), 4u);
  expect_error([&] { set.floats("token", {2, 2}); }, RH_MODEL_INVALID, "shape is [4], expected [2,2]");
  EXPECT_EQ(set.get("a.point.w", {2, 2}).size(), 4);
}

TEST_F(NamedSet, WeightsInBothFormatsAreRefused) {
  write({{"a", Dtype::f32, {1}}});
  for (const std::string other : {"m.safetensors", "m.safetensors.index.json"}) {
    folder_.write("unet/" + other, "x");
    expect_error([&] { open(); }, RH_MODEL_INVALID, "unet: has both m.gguf and " + other);
    std::filesystem::remove(folder_.path() / "unet" / other);
  }
}

TEST_F(NamedSet, QuantisedMatricesStayAsTheyAreWhateverIsAskedFor) {
  write({{"w", Dtype::q6_K, {256, 256}}});
  WeightSet set = open({.matrices = Dtype::q4_0});
  EXPECT_EQ(set.matrix("w", {256, 256}).dtype, Dtype::q6_K);
  EXPECT_FALSE(set.makes_copies());
  EXPECT_EQ(set.main_dtype(), Dtype::q6_K);
}

TEST(ChooseType, TakesWhatIsAskedForWhereItFits) {
  const auto matrix = [](Dtype requested, std::int64_t row, std::int64_t rows = 1024) {
    return choose_type(requested, Dtype::bf16, row, row * rows, WeightRole::matrix);
  };
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16})
    EXPECT_EQ(matrix(dtype, 33), dtype);
  EXPECT_EQ(matrix(Dtype::q8_0, 96), Dtype::q8_0);
  EXPECT_EQ(matrix(Dtype::q4_0, 96), Dtype::q4_0);
  EXPECT_EQ(matrix(Dtype::q4_0, 100), Dtype::bf16) << "no type has blocks of 4";
  EXPECT_EQ(matrix(Dtype::q4_K, 768), Dtype::q4_K);
  EXPECT_EQ(matrix(Dtype::q4_K, 192), Dtype::q8_0);
  EXPECT_EQ(matrix(Dtype::q6_K, 192), Dtype::q8_0);
  EXPECT_EQ(matrix(Dtype::q6_K, 100), Dtype::bf16);
  EXPECT_EQ(matrix(Dtype::q8_0, 256, 255), Dtype::bf16) << "nothing is won";
}

TEST(ChooseType, LeavesWhatIsNoMatrixOfALayer) {
  const auto choose = [](Dtype requested, WeightRole role) {
    return choose_type(requested, Dtype::bf16, 256, 1 << 20, role);
  };
  EXPECT_EQ(choose(Dtype::q4_K, WeightRole::embedding), Dtype::bf16);
  EXPECT_EQ(choose(Dtype::q4_K, WeightRole::other), Dtype::bf16);
  EXPECT_EQ(choose(Dtype::q4_K, WeightRole::vector), Dtype::f32);
  EXPECT_EQ(choose(Dtype::f16, WeightRole::vector), Dtype::f32);
  EXPECT_EQ(choose(Dtype::f16, WeightRole::embedding), Dtype::f16);
}

}  // namespace
}  // namespace engines
