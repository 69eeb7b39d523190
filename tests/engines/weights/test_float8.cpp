// SPDX-License-Identifier: Apache-2.0
// 8-bit floats: every value, the spellings of their scales, and the formats that look like them.
#include "engines/weights/float8.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "engines/tensor/halves.h"
#include "engines/weights/weight_set.h"
#include "temporary_folder.h"

namespace engines {
namespace {

TEST(Float8, ValuesAreThoseOfTheFormats) {
  const auto e4m3 = [](int bits) { return float8_to_float(static_cast<std::uint8_t>(bits), Float8::e4m3); };
  EXPECT_EQ(e4m3(0x00), 0.0F);
  EXPECT_EQ(e4m3(0x01), 0x1p-9F);
  EXPECT_EQ(e4m3(0x08), 0x1p-6F);
  EXPECT_EQ(e4m3(0x38), 1.0F);
  EXPECT_EQ(e4m3(0xb9), -1.125F);
  EXPECT_EQ(e4m3(0x7e), 448.0F);
  EXPECT_TRUE(std::isnan(e4m3(0x7f)) && std::isnan(e4m3(0xff)));
  const auto e5m2 = [](int bits) { return float8_to_float(static_cast<std::uint8_t>(bits), Float8::e5m2); };
  EXPECT_EQ(e5m2(0x01), 0x1p-16F);
  EXPECT_EQ(e5m2(0x3c), 1.0F);
  EXPECT_EQ(e5m2(0xbd), -1.25F);
  EXPECT_EQ(e5m2(0x7b), 57344.0F);
  EXPECT_TRUE(std::isinf(e5m2(0x7c)) && std::isnan(e5m2(0x7d)));
}

TEST(Float8, ValuesGrowWithTheirBits) {
  for (const Float8 kind : {Float8::e4m3, Float8::e5m2}) {
    const int last = kind == Float8::e4m3 ? 0x7e : 0x7c;
    for (int bits = 1; bits <= last; ++bits)
      EXPECT_LT(float8_to_float(static_cast<std::uint8_t>(bits - 1), kind),
                float8_to_float(static_cast<std::uint8_t>(bits), kind));
  }
}

TEST(Float8, ScalesAreForAllForRowsOrForBlocks) {
  EXPECT_TRUE(float8_scales({2}, {}, {4, 8}));
  EXPECT_TRUE(float8_scales({1, 2, 3, 4}, {4}, {4, 8}));
  EXPECT_TRUE(float8_scales({1, 2, 3, 4}, {4, 1}, {4, 8}));
  EXPECT_TRUE(float8_scales({1, 2, 3, 4}, {2, 2}, {200, 129}));
  EXPECT_FALSE(float8_scales({1, 2, 3}, {3}, {4, 8}));
  EXPECT_FALSE(float8_scales({1, 2, 3, 4}, {1, 4}, {4, 8}));
  EXPECT_FALSE(float8_scales({1, 2, 3, 4}, {2, 2}, {4, 8}));
}

// A tensor of a file in the making.
struct Entry {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class Float8Set : public testing::Test {
 protected:
  void write(const std::vector<Entry>& entries) const {
    nlohmann::json header;
    std::string data;
    for (const Entry& entry : entries) {
      header[entry.name] = {{"dtype", entry.dtype},
                            {"shape", entry.shape},
                            {"data_offsets", {data.size(), data.size() + entry.bytes.size()}}};
      data += entry.bytes;
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    folder_.write("unet/m.safetensors",
                  std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data);
  }
  WeightSet open(const WeightOptions& options = {}, const NameTable& names = {}) const {
    return {folder_.path() / "unet", "m", options, names};
  }
  static std::vector<float> values(const WeightView& view) { return to_floats(view); }

  // 1, 2, 4, 8 as e4m3.
  const std::string powers_ = "\x38\x40\x48\x50";
  TemporaryFolder folder_;
};

TEST_F(Float8Set, BecomesBf16TimesItsScaleInEverySpelling) {
  for (const std::string spelling : {"scale_weight", "weight_scale", "weight_scale_inv"}) {
    write({{"a.weight", "F8_E4M3", {2, 2}, powers_}, {"a." + spelling, "F32", {}, floats({0.5F})}});
    const WeightSet set = open();
    const WeightView& view = set.get("a.weight", {2, 2});
    EXPECT_EQ(view.dtype, Dtype::bf16);
    EXPECT_EQ(values(view), (std::vector<float>{0.5F, 1, 2, 4})) << spelling;
    EXPECT_TRUE(set.makes_copies());
  }
}

TEST_F(Float8Set, WithoutAScaleOrWithOneARow) {
  write({{"a.weight", "F8_E4M3", {2, 2}, powers_},
         {"b.weight", "F8_E4M3", {2, 2}, powers_},
         {"b.weight_scale", "F32", {2, 1}, floats({1, 10})},
         {"c.weight", "F8_E5M2", {2}, "\x3c\x40"}});
  WeightSet set = open();
  EXPECT_EQ(values(set.matrix("a.weight", {2, 2})), (std::vector<float>{1, 2, 4, 8}));
  EXPECT_EQ(values(set.matrix("b.weight", {2, 2})), (std::vector<float>{1, 2, 40, 80}));
  EXPECT_EQ(set.floats("c.weight", {2}), (std::vector<float>{1, 2}));
}

TEST_F(Float8Set, PartsOfAFusedTensorShareItsScale) {
  write({{"a.qkv.weight", "F8_E4M3", {2, 2}, powers_}, {"a.qkv.scale_weight", "F32", {}, floats({2})}});
  const NameTable names({{".qkv.", {".q.", ".k."}}});
  const WeightSet set = open({}, names);
  EXPECT_EQ(values(set.get("a.q.weight", {1, 2})), (std::vector<float>{2, 4}));
  EXPECT_EQ(values(set.get("a.k.weight", {1, 2})), (std::vector<float>{8, 16}));
}

TEST_F(Float8Set, IsRoundedAsTheSameMatrixInBf16) {
  constexpr std::int64_t rows = 256, cols = 256;
  std::string bytes(rows * cols, '\0'), halves;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 37 % 120);
    const std::uint16_t half =
        float_to_bf16(float8_to_float(static_cast<std::uint8_t>(bytes[i]), Float8::e4m3) * 0.01F);
    halves.append(reinterpret_cast<const char*>(&half), sizeof half);
  }
  write({{"a.weight", "F8_E4M3", {rows, cols}, bytes},
         {"a.weight_scale", "F32", {}, floats({0.01F})},
         {"b.weight", "BF16", {rows, cols}, halves}});
  WeightSet set = open({.matrices = Dtype::q8_0});
  const WeightView& a = set.matrix("a.weight", {rows, cols});
  const WeightView& b = set.matrix("b.weight", {rows, cols});
  EXPECT_EQ(a.dtype, Dtype::q8_0);
  EXPECT_EQ(values(a), values(b));
  const WeightSet planned = [&] {
    WeightSet plan = open({.matrices = Dtype::q8_0, .plan_only = true});
    plan.matrix("a.weight", {rows, cols});
    plan.matrix("b.weight", {rows, cols});
    return plan;
  }();
  EXPECT_EQ(planned.total_bytes(), set.total_bytes());
}

TEST_F(Float8Set, FormatsOfBlocksAreRefusedByName) {
  const std::string data(64, '\0');
  write({{"a.weight", "F8_E4M3", {2, 32}, data}, {"a.weight_scale", "F8_E8M0", {2, 1}, "\x7f\x7f"}});
  expect_error(
      [&] {
        open().get("a.weight", {2, 32});
      },
      RH_CAPABILITY_UNSUPPORTED, "is mxfp8, of type F8_E4M3");
  write({{"a.weight", "U8", {2, 32}, data},
         {"a.weight_scale", "F8_E4M3", {2, 4}, data.substr(0, 8)},
         {"a.weight_scale_2", "F32", {}, floats({1})}});
  expect_error([&] { open().get("a.weight", {2, 32}); }, RH_CAPABILITY_UNSUPPORTED, "is nvfp4, of type U8");
  write({{"a.weight", "F8_E4M3", {2, 32}, data}, {"a.weight_scale", "F32", {2, 2}, floats({1, 1, 1, 1})}});
  expect_error(
      [&] {
        open().get("a.weight", {2, 32});
      },
      RH_CAPABILITY_UNSUPPORTED, "tensor 'a.weight_scale': shape is [2,2], expected one scale, one a row");
}

TEST_F(Float8Set, FormatsOfBlocksWithScalesInBytesAreRefusedByNameToo) {
  const auto refused = [&](const std::vector<Entry>& entries, const std::string& format) {
    write(entries);
    expect_error(
        [&] {
          open().get("a.weight", {2, 64});
        },
        RH_CAPABILITY_UNSUPPORTED, "is " + format + ", of type");
  };
  refused({{"a.weight", "F8_E4M3", {2, 64}, std::string(128, '\0')},
           {"a.weight_scale", "U8", {2, 2}, std::string(4, '\x7f')}},
          "mxfp8");
  refused({{"a.weight", "U8", {2, 32}, std::string(64, '\0')},
           {"a.weight_scale", "U8", {2, 2}, std::string(4, '\x7f')}},
          "mxfp4");
  refused({{"a.weight", "U8", {2, 32}, std::string(64, '\0')},
           {"a.weight_scale", "U8", {2, 4}, std::string(8, '\x38')}},
          "nvfp4");
}

TEST_F(Float8Set, ScalesThatAreNotUnderstoodAreRefusedByTheirNames) {
  write({{"a.weight", "F8_E4M3", {2, 2}, powers_}, {"a.weight.scale", "F32", {}, floats({0.5F})}});
  expect_error([&] { open().get("a.weight", {2, 2}); }, RH_CAPABILITY_UNSUPPORTED, "'a.weight.scale'");
  write({{"a.weight", "F8_E4M3", {2, 2}, powers_}, {"a.dequant_scale", "F32", {}, floats({0.5F})}});
  expect_error([&] { open().get("a.weight", {2, 2}); }, RH_CAPABILITY_UNSUPPORTED, "'a.dequant_scale'");
  write({{"a.weight", "F8_E4M3", {2, 2}, powers_},
         {"a.weight_scale", "F32", {}, floats({0.5F})},
         {"a.weight_scale_inv", "F32", {}, floats({2})}});
  expect_error(
      [&] {
        open().get("a.weight", {2, 2});
      },
      RH_CAPABILITY_UNSUPPORTED, "its scales 'a.weight_scale' and 'a.weight_scale_inv' differ");
}

TEST_F(Float8Set, ScalesOfActivationsAndOfOtherModulesDecideNothing) {
  write({{"a.weight", "F8_E4M3", {2, 2}, powers_},
         {"a.input_scale", "F32", {}, floats({0.5F})},
         {"a.b.scale", "F32", {}, floats({0.5F})}});
  EXPECT_EQ(values(open().get("a.weight", {2, 2})), (std::vector<float>{1, 2, 4, 8}));
}

}  // namespace
}  // namespace engines
