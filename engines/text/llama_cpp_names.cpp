// SPDX-License-Identifier: Apache-2.0
#include "engines/text/llama_cpp_names.h"

#include <fmt/format.h>

#include "engines/tensor/error.h"
#include "engines/text/decoder_family.h"
#include "engines/text/gguf_fields.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr const char* kEncoder = "qwen3";  // the only family that image models read prompts with

std::vector<NameRule> rules() {
  return {
      {"^text_encoders.*.transformer.", {""}},  // in checkpoints with all components in one file
      {"^text_encoders.", {}},
      {"^model.diffusion_model.", {}},
      {"^vae.", {}},
      {"^first_stage_model.", {}},
      {"^token_embd.", {"model.embed_tokens."}},
      {"^output_norm.", {"model.norm."}},
      {"^output.", {"lm_head."}},
      {"^rope_freqs.", {}},  // read with the configuration
      {"^rope_factors_", {}},
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
  };
}

}  // namespace

const NameTable& llama_cpp_names() {
  static const NameTable table(rules());
  return table;
}

NameTable llama_cpp_names(const DecoderFamily& family) {
  std::vector<NameRule> all = family.gguf_names;
  for (NameRule& rule : rules())
    all.push_back(std::move(rule));
  return NameTable(std::move(all));
}

Config config_of_gguf(const GgufFile& file) {
  const std::string architecture = file.metadata().text("general.architecture");
  const DecoderFamily* const family = gguf_family(architecture);
  if (family == nullptr) {
    std::string known;
    for (const DecoderFamily& each : decoder_families())
      if (each.gguf != nullptr) known += (known.empty() ? "" : ", ") + std::string(each.gguf);
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("{}: general.architecture: {} is not supported, expected one of {}", file.shown(),
                            in_quotes(architecture), known));
  }
  nlohmann::json fields = common_fields(file, architecture);
  fields["model_type"] = family->model_type;
  family->read_gguf(file, fields);
  return {std::move(fields), file.shown()};
}

Config read_text_config(const std::filesystem::path& folder, const std::string& stem,
                        const std::string& shown) {
  const auto json = folder / "config.json";
  const auto gguf = folder / (stem + ".gguf");
  std::error_code ignored;
  if (std::filesystem::exists(json, ignored) || !std::filesystem::exists(gguf, ignored))
    return Config::read(json, shown);
  const GgufFile file(gguf);
  const std::string architecture = file.metadata().text("general.architecture");
  if (architecture != kEncoder)
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("{}: general.architecture: {} is not supported, expected '{}'", file.shown(),
                            in_quotes(architecture), kEncoder));
  return config_of_gguf(file);
}

}  // namespace engines
