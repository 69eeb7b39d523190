// SPDX-License-Identifier: Apache-2.0
#include "engines/text/decoder_config.h"

#include <fmt/format.h>

#include <cmath>

#include "engines/text/decoder_family.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::int64_t kMostOf = 1 << 20;

void read_sizes(const Config& json, DecoderConfig& c) {
  c.hidden_size = json.integer("hidden_size", 1, kMostOf);
  c.layers = json.integer("num_hidden_layers", 1, 1024);
  c.heads = json.integer("num_attention_heads", 1, 4096);
  c.kv_heads = json.integer_or("num_key_value_heads", c.heads, 1, 4096);
  c.head_dim = json.integer_or("head_dim", c.hidden_size / c.heads, 2, 4096);
  c.intermediate_size = json.integer("intermediate_size", 1, kMostOf);
  c.vocab_size = json.integer("vocab_size", 1, 1 << 24);
  c.window = json.integer_or("max_position_embeddings", 2048, 1, INT32_MAX);
  c.norm_eps = json.number_or("rms_norm_eps", 1e-6, 0, 1);
  if (c.heads % c.kv_heads != 0) {
    json.fail("num_key_value_heads",
              fmt::format("{} does not divide num_attention_heads {}", c.kv_heads, c.heads));
  }
  if (c.head_dim % 2 != 0) {
    json.fail("head_dim",
              fmt::format("{} is odd, expected an even number for rotary embeddings", c.head_dim));
  }
}

GateActivation read_activation(const Config& json, const DecoderFamily& family) {
  const char* const field = json.has("hidden_activation") ? "hidden_activation" : "hidden_act";
  const bool silu = family.activation == GateActivation::silu;
  const std::string name = json.text_or(field, silu ? "silu" : "gelu_pytorch_tanh");
  const bool known = silu ? name == "silu" : name == "gelu_pytorch_tanh" || name == "gelu";
  if (!known)
    json.fail(field, fmt::format("{} is not supported, expected '{}'", in_quotes(name),
                                 silu ? "silu" : "gelu_pytorch_tanh"));
  return family.activation;
}

void refuse_variants(const Config& json) {
  if (json.has("quantization_config"))
    json.fail("quantization_config", "quantised weights are not supported, expected f32, bf16 or f16");
  json.only("pretraining_tp", 1);
  json.only("use_bidirectional_attention", false);
}

}  // namespace

DecoderConfig DecoderConfig::read(const Config& json, bool gguf) {
  const DecoderFamily& family = decoder_family(json);
  refuse_variants(json);
  DecoderConfig c;
  c.family = family.model_type;
  read_sizes(json, c);
  c.rotary_dim = c.head_dim;
  c.tied = json.boolean_or("tie_word_embeddings", family.tied);
  c.attention_scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)));
  c.activation = read_activation(json, family);
  c.kinds.resize(static_cast<std::size_t>(c.layers));
  family.read(json, c);
  // llama.cpp's files have the offset in the weights, and the rows of q and k of llama for such pairs.
  if (gguf) {
    c.norm_offset = 0;
    c.neighbouring_pairs = family.gguf_pairs;
  }
  return c;
}

bool DecoderConfig::is_long(std::int64_t tokens) const {
  for (const Rope& rope : ropes)
    if (!rope.long_frequencies.empty() && tokens > rope.short_window) return true;
  return false;
}

}  // namespace engines
