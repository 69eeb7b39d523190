// SPDX-License-Identifier: Apache-2.0
#include "engines/text/decoder_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engines/tensor/error.h"
#include "engines/text/gguf_fields.h"
#include "engines/text/rope_scaling.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::int64_t kMostWindow = INT32_MAX;

float square_root(double value) {
  return static_cast<float>(std::sqrt(value));
}

float inverse_root(double value) {
  return static_cast<float>(1 / std::sqrt(value));
}

void one_rope(const Config& json, DecoderConfig& c) {
  c.ropes = {read_rope(json, c.rotary_dim, c.window)};
}

// Biases of all four products of attention.
void read_attention_bias(const Config& json, DecoderConfig& c) {
  c.qkv_bias = c.o_bias = json.boolean_or("attention_bias", false);
}

// Gives `window` to the layers that layer_types calls sliding, or, without that field, to those that
// `slides` names.
template <class Slides>
void read_windows(const Config& json, DecoderConfig& c, std::int64_t window, const Slides& slides) {
  const auto types = json.texts_or("layer_types", {});
  if (!types.empty() && types.size() != c.kinds.size())
    json.fail("layer_types", fmt::format("has {} elements, expected {}", types.size(), c.kinds.size()));
  for (std::size_t i = 0; i < c.kinds.size(); ++i) {
    const bool sliding = types.empty() ? slides(i) : types[i] == "sliding_attention";
    if (!types.empty() && !sliding && types[i] != "full_attention")
      json.fail("layer_types",
                in_quotes(types[i]) + " is not supported, expected full_attention or sliding_attention");
    if (sliding && window == 0) json.fail("sliding_window", "is missing, expected an integer");
    if (sliding) c.kinds[i].window = window;
  }
}

// The layers from max_window_layers on, where use_sliding_window says so.
void read_qwen_windows(const Config& json, DecoderConfig& c) {
  const bool used = json.boolean_or("use_sliding_window", false);
  const std::int64_t window = json.integer_or("sliding_window", 0, 1, kMostWindow);
  const auto from = static_cast<std::size_t>(json.integer_or("max_window_layers", 28, 0, 1 << 20));
  read_windows(json, c, window, [&](std::size_t i) { return used && i >= from; });
}

void read_qwen2(const Config& json, DecoderConfig& c) {
  c.qkv_bias = true;
  read_qwen_windows(json, c);
  one_rope(json, c);
}

void read_qwen3(const Config& json, DecoderConfig& c) {
  read_attention_bias(json, c);
  c.qk_norms = true;
  read_qwen_windows(json, c);
  one_rope(json, c);
}

void read_llama(const Config& json, DecoderConfig& c) {
  read_attention_bias(json, c);
  c.mlp_bias = json.boolean_or("mlp_bias", false);
  one_rope(json, c);
}

void read_mistral(const Config& json, DecoderConfig& c) {
  const std::int64_t window = json.integer_or("sliding_window", 0, 1, kMostWindow);
  read_windows(json, c, window, [&](std::size_t) { return window > 0; });
  one_rope(json, c);
}

void read_phi3(const Config& json, DecoderConfig& c) {
  c.fused = true;
  const auto rope = json.object("rope_parameters");
  const Config& partial = rope && rope->has("partial_rotary_factor") ? *rope : json;
  const double factor = partial.number_or("partial_rotary_factor", 1, 1e-3, 1);
  c.rotary_dim = static_cast<std::int64_t>(static_cast<double>(c.head_dim) * factor);
  if (c.rotary_dim < 2 || c.rotary_dim % 2 != 0)
    partial.fail("partial_rotary_factor", fmt::format("{} gives {} of {} dimensions, expected an even number",
                                                      factor, c.rotary_dim, c.head_dim));
  read_mistral(json, c);
}

// What the three generations of Gemma share.
void read_gemma(const Config& json, DecoderConfig& c) {
  c.norm_offset = 1;
  c.embedding_scale = square_root(static_cast<double>(c.hidden_size));
  read_attention_bias(json, c);
  if (!json.has("rope_parameters") || !json.object("rope_parameters")->has("full_attention"))
    one_rope(json, c);
}

float read_softcap(const Config& json, const char* field, double absent) {
  if (json.is_null(field)) return 0;
  return static_cast<float>(json.number_or(field, absent, 1e-3, 1e6));
}

void read_gemma2(const Config& json, DecoderConfig& c) {
  read_gemma(json, c);
  c.sandwich_norms = true;
  c.attention_scale = inverse_root(json.number_or("query_pre_attn_scalar", 256, 1e-3, 1e6));
  c.attention_softcap = read_softcap(json, "attn_logit_softcapping", 50);
  c.logits_softcap = read_softcap(json, "final_logit_softcapping", 30);
  const std::int64_t window = json.integer_or("sliding_window", 4096, 1, kMostWindow);
  read_windows(json, c, window, [](std::size_t i) { return i % 2 == 0; });
}

// Layers with a window have a rotary base of their own.
void read_gemma3_ropes(const Config& json, DecoderConfig& c) {
  const auto all = json.object("rope_parameters");
  if (all && all->has("full_attention")) {
    const auto rope = [&](const char* name, double theta) {
      const auto of_kind = all->object(name);
      if (!of_kind) all->fail(name, "is missing, expected an object");
      return read_scaled_rope(json, *of_kind, of_kind->number_or("rope_theta", theta, 1, 1e12), c.rotary_dim,
                              c.window);
    };
    c.ropes = {rope("full_attention", 1e6), rope("sliding_attention", 1e4)};
  } else {
    const double theta = json.number_or("rope_theta", 1e6, 1, 1e12);
    const auto scaling = json.object("rope_scaling");
    c.ropes = {scaling ? read_scaled_rope(json, *scaling, theta, c.rotary_dim, c.window)
                       : plain_rope(theta, c.rotary_dim),
               plain_rope(json.number_or("rope_local_base_freq", 1e4, 1, 1e12), c.rotary_dim)};
  }
  for (LayerKind& kind : c.kinds)
    kind.rope = kind.window > 0 ? 1 : 0;
}

void read_gemma3(const Config& json, DecoderConfig& c) {
  read_gemma(json, c);
  c.sandwich_norms = c.qk_norms = true;
  c.attention_scale = inverse_root(json.number_or("query_pre_attn_scalar", 256, 1e-3, 1e6));
  c.attention_softcap = read_softcap(json, "attn_logit_softcapping", 0);
  c.logits_softcap = read_softcap(json, "final_logit_softcapping", 0);
  const auto every = static_cast<std::size_t>(json.integer_or("sliding_window_pattern", 6, 1, 1024));
  const std::int64_t window = json.integer_or("sliding_window", 4096, 1, kMostWindow);
  read_windows(json, c, window, [&](std::size_t i) { return (i + 1) % every != 0; });
  read_gemma3_ropes(json, c);
}

std::vector<NameRule> gemma_names() {
  return {{".post_attention_norm.", {".post_attention_layernorm."}},
          {".ffn_norm.", {".pre_feedforward_layernorm."}},
          {".post_ffw_norm.", {".post_feedforward_layernorm."}}};
}

std::vector<NameRule> phi3_names() {
  return {{".attn_qkv.", {".self_attn.qkv_proj."}}, {".ffn_up.", {".mlp.gate_up_proj."}}};
}

}  // namespace

std::span<const DecoderFamily> decoder_families() {
  using enum GateActivation;
  static const DecoderFamily families[] = {
      {"qwen3", "Qwen3ForCausalLM", "qwen3", silu, false, false, read_qwen3, plain_fields, {}},
      {"qwen2", "Qwen2ForCausalLM", "qwen2", silu, false, false, read_qwen2, plain_fields, {}},
      {"llama", "LlamaForCausalLM", "llama", silu, false, true, read_llama, llama_fields, {}},
      {"mistral", "MistralForCausalLM", nullptr, silu, false, true, read_mistral, llama_fields, {}},
      {"phi3", "Phi3ForCausalLM", "phi3", silu, false, false, read_phi3, phi3_fields, phi3_names()},
      {"gemma", "GemmaForCausalLM", "gemma", gelu_tanh, true, false, read_gemma, plain_fields, {}},
      {"gemma2", "Gemma2ForCausalLM", "gemma2", gelu_tanh, true, false, read_gemma2, gemma2_fields,
       gemma_names()},
      {"gemma3_text", "Gemma3ForCausalLM", "gemma3", gelu_tanh, true, false, read_gemma3, gemma3_fields,
       gemma_names()},
  };
  return families;
}

const DecoderFamily& decoder_family(const Config& json) {
  const auto classes = json.texts_or("architectures", {});
  const std::string type = json.text_or("model_type", "");
  const auto families = decoder_families();
  const auto found = std::ranges::find_if(families, [&](const DecoderFamily& family) {
    return classes.empty() ? family.model_type == type : family.architecture == classes.front();
  });
  if (found != families.end()) return *found;
  std::string known;
  for (const DecoderFamily& family : families)
    known +=
        (known.empty() ? "" : ", ") + std::string(classes.empty() ? family.model_type : family.architecture);
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              fmt::format("{}: {}: {} is not supported, expected one of {}", json.shown(),
                          classes.empty() ? "model_type" : "architectures",
                          in_quotes(classes.empty() ? type : classes.front()), known));
}

const DecoderFamily* gguf_family(const std::string& architecture) {
  for (const DecoderFamily& family : decoder_families())
    if (family.gguf != nullptr && architecture == family.gguf) return &family;
  return nullptr;
}

}  // namespace engines
