// SPDX-License-Identifier: Apache-2.0
#include "engines/text/gguf_fields.h"

#include <cmath>

#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

using Fields = nlohmann::json;

constexpr std::int64_t kMostNumber = 1
                                     << 20;  // the models' own limits are checked where they read the fields

std::string key_of(const GgufFile& file, const char* name) {
  return file.metadata().text("general.architecture") + "." + name;
}

void set_integer(const GgufFile& file, Fields& fields, const char* field, const char* name) {
  const std::string key = key_of(file, name);
  if (file.metadata().has(key)) fields[field] = file.metadata().integer(key, 0, INT32_MAX);
}

void set_number(const GgufFile& file, Fields& fields, const char* field, const char* name) {
  const std::string key = key_of(file, name);
  if (file.metadata().has(key)) fields[field] = file.metadata().number(key, -1e12, 1e12);
}

void set_factors(const GgufFile& file, Fields& scaling, const char* field, const char* tensor) {
  if (const WeightView* const factors = file.find(tensor)) scaling[field] = to_floats(*factors);
}

// llama.cpp knows none, linear and yarn by name; what llama3 and longrope divide by lies in tensors.
void read_scaling(const GgufFile& file, Fields& fields) {
  const GgufMetadata& keys = file.metadata();
  const std::string key = key_of(file, "rope.scaling.type");
  const std::string type = keys.text_or(key, "none");
  if (file.find("rope_freqs.weight") != nullptr) {
    fields["rope_scaling"] = {{"rope_type", "factors"}};
    return set_factors(file, fields["rope_scaling"], "factors", "rope_freqs.weight");
  }
  if (type == "none" || type == "longrope") return;
  if (type != "linear" && type != "yarn")
    keys.fail(key, in_quotes(type) + " is not supported, expected none, linear, longrope or yarn");
  Fields scaling = {{"rope_type", type},
                    {"factor", keys.number(key_of(file, "rope.scaling.factor"), 1e-6, 1e6)}};
  set_integer(file, scaling, "original_max_position_embeddings", "rope.scaling.original_context_length");
  fields["rope_scaling"] = std::move(scaling);
}

// 27-billion-parameter models divide by another number, and no key says so: llama.cpp knows them by layers.
double gemma_scalar(const Fields& fields, std::int64_t layers_of_27b) {
  const double width = fields.at("hidden_size").get<double>();
  const double heads = fields.at("num_attention_heads").get<double>();
  return fields.at("num_hidden_layers") == layers_of_27b ? width / heads
                                                         : fields.at("head_dim").get<double>();
}

}  // namespace

Fields common_fields(const GgufFile& file, const std::string& architecture) {
  const GgufMetadata& keys = file.metadata();
  const auto key = [&](const char* name) { return architecture + "." + name; };
  const auto width = [&](const char* name) { return keys.integer(key(name), 1, kMostNumber); };
  const std::int64_t heads = width("attention.head_count");
  const WeightView* const embedding = file.find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2)
    throw Error(RH_MODEL_INVALID,
                file.shown() + ": tensor 'token_embd.weight' is missing, expected a matrix");
  Fields fields = {
      {"hidden_size", width("embedding_length")},
      {"num_hidden_layers", width("block_count")},
      {"num_attention_heads", heads},
      {"num_key_value_heads", keys.integer_or(key("attention.head_count_kv"), heads, 1, kMostNumber)},
      {"intermediate_size", width("feed_forward_length")},
      {"vocab_size", embedding->shape[0]},
      {"rms_norm_eps", keys.number(key("attention.layer_norm_rms_epsilon"), 0, 1)},
      {"rope_theta", keys.number_or(key("rope.freq_base"), 10000, 1, 1e12)},
      {"tie_word_embeddings", file.raw("output.weight") == nullptr},
  };
  if (keys.has(key("attention.key_length"))) fields["head_dim"] = width("attention.key_length");
  set_integer(file, fields, "max_position_embeddings", "context_length");
  read_scaling(file, fields);
  return fields;
}

void plain_fields(const GgufFile&, Fields&) {
}

void llama_fields(const GgufFile& file, Fields& fields) {
  fields["attention_bias"] = file.raw("blk.0.attn_q.bias") != nullptr;
  fields["mlp_bias"] = file.raw("blk.0.ffn_gate.bias") != nullptr;
}

void phi3_fields(const GgufFile& file, Fields& fields) {
  set_integer(file, fields, "sliding_window", "attention.sliding_window");
  if (fields.contains("sliding_window") && fields["sliding_window"] == 0) fields.erase("sliding_window");
  set_integer(file, fields, "original_max_position_embeddings", "rope.scaling.original_context_length");
  const double heads = fields.at("num_attention_heads").get<double>();
  const double head = fields.value("head_dim", fields.at("hidden_size").get<double>() / heads);
  const std::string turned = key_of(file, "rope.dimension_count");
  if (file.metadata().has(turned))
    fields["partial_rotary_factor"] =
        static_cast<double>(file.metadata().integer(turned, 1, kMostNumber)) / head;
  if (file.find("rope_factors_long.weight") == nullptr) return;
  Fields scaling = {{"rope_type", "longrope"}};
  set_factors(file, scaling, "long_factor", "rope_factors_long.weight");
  set_factors(file, scaling, "short_factor", "rope_factors_short.weight");
  set_number(file, scaling, "attention_factor", "rope.scaling.attn_factor");
  fields["rope_scaling"] = std::move(scaling);
}

void gemma2_fields(const GgufFile& file, Fields& fields) {
  set_integer(file, fields, "sliding_window", "attention.sliding_window");
  set_number(file, fields, "attn_logit_softcapping", "attn_logit_softcapping");
  set_number(file, fields, "final_logit_softcapping", "final_logit_softcapping");
  constexpr std::int64_t kLayersOf27b = 46;
  if (fields.contains("head_dim")) fields["query_pre_attn_scalar"] = gemma_scalar(fields, kLayersOf27b);
}

void gemma3_fields(const GgufFile& file, Fields& fields) {
  set_integer(file, fields, "sliding_window", "attention.sliding_window");
  set_number(file, fields, "final_logit_softcapping", "final_logit_softcapping");
  set_number(file, fields, "rope_local_base_freq", "rope.freq_base_swa");
  constexpr std::int64_t kLayersOf27b = 62;
  if (fields.contains("head_dim")) fields["query_pre_attn_scalar"] = gemma_scalar(fields, kLayersOf27b);
}

}  // namespace engines
