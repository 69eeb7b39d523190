// SPDX-License-Identifier: Apache-2.0
// What rounding costs real weights: bounds from the formats, and outputs that follow the weights.
#include <gtest/gtest.h>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/tensor/quantise.h"
#include "tests/engines/pipeline/type_quality.h"
#include "tests/engines/tensor/block_bounds.h"

namespace engines::test {
namespace {

constexpr Dtype kTypes[] = {Dtype::q8_0, Dtype::q6_K, Dtype::q4_K, Dtype::q4_0};

struct Component {
  std::filesystem::path folder;
  const char* stem;
};

std::vector<Component> components() {
  const std::filesystem::path fixtures = ROUNDHOUSE_FIXTURES;
  const std::filesystem::path base = std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-base";
  return {{pocket_turbo() / "text_encoder", "model"},
          {pocket_turbo() / "transformer", "diffusion_pytorch_model"},
          {base / "transformer", "diffusion_pytorch_model"},
          {fixtures / "zimage-tiny/text_encoder", "model"},
          {fixtures / "zimage-wide-dit/transformer", "diffusion_pytorch_model"},
          {fixtures / "qwen3-tiny-lm", "model"},
          {fixtures / "llama-tiny-lm", "model"}};
}

// Every block of every weight whose elements fill blocks, rows or no rows.
TEST(TypeQuality, NoBlockOfRealWeightsIsFurtherOffThanItsFormatAllows) {
  for (const Component& component : components()) {
    if (!std::filesystem::exists(component.folder)) continue;
    const WeightSet set(component.folder, component.stem);
    for (const Dtype type : kTypes) {
      const std::int64_t length = block_length(type);
      for (const auto& name : set.names()) {
        const WeightView& view = *set.find(name);
        const std::int64_t count = view.size() / length * length;
        const std::vector<float> values = to_floats(view);
        std::vector<std::byte> blocks(static_cast<std::size_t>(bytes_of(type, count)));
        ASSERT_EQ(quantise(blocks.data(), type, view.data, view.dtype, count), count) << name;
        for (std::int64_t i = 0; i < count / length; ++i)
          ASSERT_LE(squared_error(type, blocks.data() + i * block_bytes(type), &values[i * length]),
                    squared_error_bound(type, &values[i * length]))
              << component.folder << " " << name << " " << name_of(type) << " block " << i;
      }
    }
  }
}

// The errors of an output follow those of the weights: as far from one type to the next, within a factor of
// two.
TEST(TypeQuality, OutputsFollowTheirWeights) {
  const auto kernels = make_openblas_kernels(2);
  const WeightSet encoder(pocket_turbo() / "text_encoder", "model");
  const WeightSet transformer(pocket_turbo() / "transformer", "diffusion_pytorch_model");
  const double text = encoder_error(*kernels, Dtype::q8_0) / weight_quality(encoder, Dtype::q8_0).error;
  const double dit =
      transformer_error(*kernels, Dtype::q8_0) / weight_quality(transformer, Dtype::q8_0).error;
  for (const Dtype type : {Dtype::q6_K, Dtype::q4_K, Dtype::q4_0}) {
    const double of_text = encoder_error(*kernels, type) / weight_quality(encoder, type).error;
    const double of_dit = transformer_error(*kernels, type) / weight_quality(transformer, type).error;
    EXPECT_GT(of_text, text / 2) << name_of(type);
    EXPECT_LT(of_text, text * 2) << name_of(type);
    EXPECT_GT(of_dit, dit / 2) << name_of(type);
    EXPECT_LT(of_dit, dit * 2) << name_of(type);
  }
}

TEST(TypeQuality, MoreBitsAreBetter) {
  const WeightSet encoder(pocket_turbo() / "text_encoder", "model");
  double last = 0;
  for (const Dtype type : kTypes) {
    const WeightQuality quality = weight_quality(encoder, type);
    EXPECT_EQ(quality.share, 1) << "the encoder's rows are whole blocks of every type";
    EXPECT_GT(quality.error, last) << name_of(type);
    last = quality.error;
  }
}

}  // namespace
}  // namespace engines::test
