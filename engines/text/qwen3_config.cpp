// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_config.h"

#include <fmt/format.h>

namespace engines {
namespace {

using namespace std::literals;

constexpr std::int64_t kMaxWidth = 1 << 20;

// Plain rotary embeddings only; a scaled kind would silently give other images.
void only_default_rope(const Config& rope) {
  rope.only("rope_type", "default"sv);
  rope.only("type", "default"sv);
}

// rope_parameters.rope_theta is the newer way to write rope_theta (transformers 5).
double read_rope_theta(const Config& json) {
  if (const auto scaling = json.object("rope_scaling")) only_default_rope(*scaling);
  if (const auto rope = json.object("rope_parameters")) {
    only_default_rope(*rope);
    return rope->number("rope_theta", 1, 1e12);
  }
  return json.number("rope_theta", 1, 1e12);
}

void refuse_variants(const Config& json) {
  json.only("model_type", "qwen3"sv);
  json.only("hidden_act", "silu"sv);
  json.only("attention_bias", false);
  json.only("use_sliding_window", false);
  for (const auto& type : json.texts_or("layer_types", {})) {
    if (type != "full_attention")
      json.fail("layer_types", "'" + type + "' is not supported, expected full_attention");
  }
  if (json.has("quantization_config"))
    json.fail("quantization_config", "quantised weights are not supported, expected f32, bf16 or f16");
}

}  // namespace

Qwen3Config Qwen3Config::read(const Config& json) {
  refuse_variants(json);
  Qwen3Config c{};
  c.hidden_size = json.integer("hidden_size", 1, kMaxWidth);
  c.layers = json.integer("num_hidden_layers", 1, 1024);
  c.heads = json.integer("num_attention_heads", 1, 4096);
  c.kv_heads = json.integer_or("num_key_value_heads", c.heads, 1, 4096);
  c.head_dim = json.integer_or("head_dim", c.hidden_size / c.heads, 2, 4096);
  c.intermediate_size = json.integer("intermediate_size", 1, kMaxWidth);
  c.vocab_size = json.integer("vocab_size", 1, 1 << 24);
  c.rms_norm_eps = json.number_or("rms_norm_eps", 1e-6, 0, 1);
  c.rope_theta = read_rope_theta(json);
  c.tied = json.boolean_or("tie_word_embeddings", false);
  if (c.heads % c.kv_heads != 0) {
    json.fail("num_key_value_heads",
              fmt::format("{} does not divide num_attention_heads {}", c.kv_heads, c.heads));
  }
  if (c.head_dim % 2 != 0) {
    json.fail("head_dim",
              fmt::format("{} is odd, expected an even number for rotary embeddings", c.head_dim));
  }
  return c;
}

}  // namespace engines
