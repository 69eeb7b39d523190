// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/text/tiny_decoder.h"

#include <fmt/format.h>

#include <random>

#include "engines/weights/tensor_writer.h"

namespace engines::test {
namespace {

constexpr std::int64_t kWidth = 256;  // what the longest blocks need
constexpr std::int64_t kHeadDim = 36;
constexpr std::int64_t kHeads = 6;
constexpr std::int64_t kKvHeads = 2;
constexpr std::int64_t kInner = 512;
constexpr std::int64_t kLayers = 2;
constexpr std::int64_t kVocabulary = 131;

struct Matrix {
  const char* name;
  std::int64_t rows, cols;
};

// q and o have heads whose rows are no whole blocks: they stay floats.
constexpr Matrix kMatrices[] = {{"attn_q", kHeads* kHeadDim, kWidth},
                                {"attn_k", kKvHeads* kHeadDim, kWidth},
                                {"attn_v", kKvHeads* kHeadDim, kWidth},
                                {"attn_output", kWidth, kHeads* kHeadDim},
                                {"ffn_gate", kInner, kWidth},
                                {"ffn_up", kInner, kWidth},
                                {"ffn_down", kWidth, kInner}};

void put_half(std::byte* place, float value) {
  const std::uint16_t bits = float_to_f16(value);
  std::memcpy(place, &bits, sizeof bits);
}

// Any bytes are a block once its scales are finite numbers.
void set_scales(std::byte* block, Dtype type) {
  const bool minimum =
      type == Dtype::q4_1 || type == Dtype::q5_1 || type == Dtype::q4_K || type == Dtype::q5_K;
  const float scale = type == Dtype::q8_0 ? 0.0005f : block_length(type) > 32 ? 0.0002f : 0.005f;
  put_half(block + (type == Dtype::q6_K ? 208 : 0), type == Dtype::q6_K ? scale / 50 : scale);
  if (minimum) put_half(block + 2, block_length(type) > 32 ? 0.001f : -0.04f);
}

std::vector<std::byte> values_of(const TensorSpec& spec, std::mt19937& random) {
  std::vector<std::byte> data(spec.bytes());
  if (is_quantised(spec.dtype)) {
    for (std::byte& byte : data)
      byte = static_cast<std::byte>(random() & 0xffU);
    for (std::size_t at = 0; at < data.size(); at += static_cast<std::size_t>(block_bytes(spec.dtype)))
      set_scales(data.data() + at, spec.dtype);
    return data;
  }
  const bool norm = spec.shape.size() == 1;
  std::normal_distribution<float> normal(norm ? 1.0f : 0.0f, 0.06f);
  const auto size = static_cast<std::size_t>(block_bytes(spec.dtype));
  for (std::size_t at = 0; at < data.size(); at += size) {
    const float value = normal(random);
    const std::uint16_t half = spec.dtype == Dtype::f16 ? float_to_f16(value) : float_to_bf16(value);
    if (spec.dtype == Dtype::f32)
      std::memcpy(data.data() + at, &value, sizeof value);
    else
      std::memcpy(data.data() + at, &half, sizeof half);
  }
  return data;
}

std::vector<TensorSpec> tensors_of(Dtype type) {
  std::vector<TensorSpec> specs{{"token_embd.weight", type, {kVocabulary, kWidth}},
                                {"output_norm.weight", Dtype::f32, {kWidth}}};
  for (std::int64_t i = 0; i < kLayers; ++i) {
    const auto name = [&](const char* part) { return fmt::format("blk.{}.{}.weight", i, part); };
    specs.push_back({name("attn_norm"), Dtype::f32, {kWidth}});
    specs.push_back({name("ffn_norm"), Dtype::f32, {kWidth}});
    specs.push_back({name("attn_q_norm"), Dtype::f32, {kHeadDim}});
    specs.push_back({name("attn_k_norm"), Dtype::f32, {kHeadDim}});
    for (const Matrix& matrix : kMatrices) {
      const bool whole = matrix.cols % block_length(type) == 0;
      specs.push_back({name(matrix.name), whole ? type : Dtype::bf16, {matrix.rows, matrix.cols}});
    }
  }
  return specs;
}

GgufKeys keys_of_tiny() {
  const auto number = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  GgufKeys keys;
  keys.add("general.architecture", "qwen3");
  keys.add("qwen3.embedding_length", number(kWidth));
  keys.add("qwen3.block_count", number(kLayers));
  keys.add("qwen3.feed_forward_length", number(kInner));
  keys.add("qwen3.attention.head_count", number(kHeads));
  keys.add("qwen3.attention.head_count_kv", number(kKvHeads));
  keys.add("qwen3.attention.key_length", number(kHeadDim));
  keys.add("qwen3.attention.layer_norm_rms_epsilon", 1e-6F);
  keys.add("qwen3.rope.freq_base", 10000.0F);
  keys.add("qwen3.context_length", number(512));
  return keys;
}

}  // namespace

TinyDecoder::TinyDecoder(Dtype weights) {
  std::mt19937 random(7);
  TensorWriter writer =
      TensorWriter::gguf(folder_.path() / "model.gguf", keys_of_tiny(), tensors_of(weights));
  for (const TensorSpec& spec : std::vector<TensorSpec>(writer.tensors())) {
    const auto data = values_of(spec, random);
    writer.write(data.data(), data.size());
  }
  writer.finish();
}

std::vector<std::int32_t> TinyDecoder::text(std::int64_t tokens, std::uint32_t seed) const {
  std::mt19937 random(seed);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
  for (std::int32_t& id : ids)
    id = static_cast<std::int32_t>(random() % kVocabulary);
  return ids;
}

}  // namespace engines::test
