// SPDX-License-Identifier: Apache-2.0
#include "engines/text/llama_cpp_names.h"

#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::int64_t kMostWidth = 1 << 20;  // the models' own limits are checked where they read the fields

}  // namespace

const NameTable& llama_cpp_names() {
  static const NameTable table({
      {"^text_encoders.*.transformer.", {""}},  // in checkpoints with all components in one file
      {"^text_encoders.", {}},
      {"^model.diffusion_model.", {}},
      {"^vae.", {}},
      {"^first_stage_model.", {}},
      {"^token_embd.", {"model.embed_tokens."}},
      {"^output_norm.", {"model.norm."}},
      {"^output.", {"lm_head."}},
      {"^rope_freqs.", {}},  // follows from the configuration
      {"^blk.", {"model.layers."}},
      {".attn_norm.", {".input_layernorm."}},
      {".ffn_norm.", {".post_attention_layernorm."}},
      {".attn_q.", {".self_attn.q_proj."}},
      {".attn_k.", {".self_attn.k_proj."}},
      {".attn_v.", {".self_attn.v_proj."}},
      {".attn_output.", {".self_attn.o_proj."}},
      {".attn_q_norm.", {".self_attn.q_norm."}},
      {".attn_k_norm.", {".self_attn.k_norm."}},
      {".ffn_gate.", {".mlp.gate_proj."}},
      {".ffn_up.", {".mlp.up_proj."}},
      {".ffn_down.", {".mlp.down_proj."}},
  });
  return table;
}

Config config_of_gguf(const GgufFile& file) {
  const GgufMetadata& keys = file.metadata();
  const std::string architecture = keys.text("general.architecture");
  if (architecture != "qwen3")
    throw Error(RH_CAPABILITY_UNSUPPORTED, file.shown() +
                                               ": general.architecture: " + in_quotes(architecture) +
                                               " is not supported, expected 'qwen3'");
  const auto key = [&](const char* name) { return architecture + "." + name; };
  const auto width = [&](const char* name) { return keys.integer(key(name), 1, kMostWidth); };
  const std::int64_t heads = width("attention.head_count");
  const WeightView* const embedding = file.find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2)
    throw Error(RH_MODEL_INVALID,
                file.shown() + ": tensor 'token_embd.weight' is missing, expected a matrix");
  nlohmann::json fields = {
      {"model_type", architecture},
      {"hidden_act", "silu"},
      {"hidden_size", width("embedding_length")},
      {"num_hidden_layers", width("block_count")},
      {"num_attention_heads", heads},
      {"num_key_value_heads", keys.integer_or(key("attention.head_count_kv"), heads, 1, kMostWidth)},
      {"intermediate_size", width("feed_forward_length")},
      {"vocab_size", embedding->shape[0]},
      {"rms_norm_eps", keys.number(key("attention.layer_norm_rms_epsilon"), 0, 1)},
      {"rope_theta", keys.number_or(key("rope.freq_base"), 10000, 1, 1e12)},
      {"tie_word_embeddings", file.raw("output.weight") == nullptr},
  };
  if (keys.has(key("attention.key_length"))) fields["head_dim"] = width("attention.key_length");
  if (keys.has(key("context_length")))
    fields["max_position_embeddings"] = keys.integer(key("context_length"), 1, INT32_MAX);
  const std::string scaling = keys.text_or(key("rope.scaling.type"), "none");
  if (scaling != "none")
    keys.fail(key("rope.scaling.type"), in_quotes(scaling) + " is not supported, expected 'none'");
  return {std::move(fields), file.shown()};
}

Config read_text_config(const std::filesystem::path& folder, const std::string& stem,
                        const std::string& shown) {
  const auto json = folder / "config.json";
  const auto gguf = folder / (stem + ".gguf");
  std::error_code ignored;
  if (!std::filesystem::exists(json, ignored) && std::filesystem::exists(gguf, ignored))
    return config_of_gguf(GgufFile(gguf));
  return Config::read(json, shown);
}

}  // namespace engines
