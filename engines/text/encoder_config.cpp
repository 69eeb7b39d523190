// SPDX-License-Identifier: Apache-2.0
#include "engines/text/encoder_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tensor/error.h"

namespace engines {
namespace {

constexpr std::int64_t kMostOfEncoder = 1 << 20;

void check_heads(const Config& json, const char* field, const EncoderConfig& c) {
  if (c.hidden_size % c.heads != 0)
    json.fail(field, fmt::format("{} does not divide the width {}", c.heads, c.hidden_size));
}

// transformers' modeling_bert.py
EncoderConfig read_bert(const Config& json) {
  json.only("hidden_act", "gelu");
  json.only("position_embedding_type", "absolute");
  json.only("is_decoder", false);
  EncoderConfig c;
  c.hidden_size = json.integer("hidden_size", 1, kMostOfEncoder);
  c.layers = json.integer("num_hidden_layers", 1, 1024);
  c.heads = json.integer("num_attention_heads", 1, 4096);
  c.intermediate_size = json.integer("intermediate_size", 1, kMostOfEncoder);
  c.vocab_size = json.integer("vocab_size", 1, 1 << 24);
  c.positions = json.integer("max_position_embeddings", 1, kMostOfEncoder);
  c.types = json.integer_or("type_vocab_size", 2, 1, 1024);
  c.norm_eps = json.number_or("layer_norm_eps", 1e-12, 0, 1);
  c.pooling = static_cast<Pooling::Kind>(json.integer_or("pooling", static_cast<int>(c.pooling), 0, 3));
  check_heads(json, "num_attention_heads", c);
  return c;
}

// Positions begin behind that of the padding.
EncoderConfig read_roberta(const Config& json) {
  EncoderConfig c = read_bert(json);
  c.first_position = json.integer_or("pad_token_id", 1, 0, c.positions - 2) + 1;
  return c;
}

// modeling_hf_nomic_bert.py of nomic-embed-text
EncoderConfig read_nomic(const Config& json) {
  json.only("activation_function", "swiglu");
  json.only("prenorm", false);
  json.only("use_rms_norm", false);
  json.only("parallel_block", false);
  json.only("rotary_emb_interleaved", false);
  if (json.number_or("rotary_emb_fraction", 1, 0, 1) != 1)
    json.fail("rotary_emb_fraction", "parts of heads are not supported, expected 1");
  EncoderConfig c;
  c.hidden_size = json.integer("n_embd", 1, kMostOfEncoder);
  c.layers = json.integer("n_layer", 1, 1024);
  c.heads = json.integer("n_head", 1, 4096);
  c.intermediate_size = json.integer_or("n_inner", 4 * c.hidden_size, 1, kMostOfEncoder);
  c.vocab_size = json.integer("vocab_size", 1, 1 << 24);
  // Beyond those that it was trained with its frequencies would change from text to text.
  const std::int64_t positions = json.integer("n_positions", 1, kMostOfEncoder);
  c.positions = std::min(positions, json.integer_or("max_trained_positions", positions, 1, kMostOfEncoder));
  c.types = json.integer_or("type_vocab_size", 2, 0, 1024);
  c.norm_eps = json.number_or("layer_norm_epsilon", 1e-12, 0, 1);
  c.rope_theta = json.number_or("rotary_emb_base", 1000, 1, 1e12);
  c.qkv_bias = c.o_bias = json.boolean_or("qkv_proj_bias", false);
  c.up_bias = json.boolean_or("mlp_fc1_bias", false);
  c.down_bias = json.boolean_or("mlp_fc2_bias", false);
  c.pooling = static_cast<Pooling::Kind>(json.integer_or("pooling", static_cast<int>(c.pooling), 0, 3));
  check_heads(json, "n_head", c);
  if (c.head_dim() % 2 != 0)
    json.fail("n_head", "heads are odd, expected an even number for rotary embeddings");
  return c;
}

EncoderNames bert_names(const char* prefix) {
  return {.roots = {"", prefix},
          .words = "embeddings.word_embeddings",
          .positions = "embeddings.position_embeddings",
          .types = "embeddings.token_type_embeddings",
          .norm = "embeddings.LayerNorm",
          .layers = "encoder.layer.",
          .q = "attention.self.query",
          .k = "attention.self.key",
          .v = "attention.self.value",
          .qkv = "",
          .o = "attention.output.dense",
          .attention_norm = "attention.output.LayerNorm",
          .up = "intermediate.dense",
          .gate = "",
          .down = "output.dense",
          .out_norm = "output.LayerNorm"};
}

EncoderNames nomic_names() {
  return {.roots = {"", "bert."},
          .words = "embeddings.word_embeddings",
          .positions = "",
          .types = "embeddings.token_type_embeddings",
          .norm = "emb_ln",
          .layers = "encoder.layers.",
          .q = "",
          .k = "",
          .v = "",
          .qkv = "attn.Wqkv",
          .o = "attn.out_proj",
          .attention_norm = "norm1",
          .up = "mlp.fc11",
          .gate = "mlp.fc12",
          .down = "mlp.fc2",
          .out_norm = "norm2"};
}

std::vector<NameRule> bert_gguf_names() {
  return {{"^token_embd_norm.", {"embeddings.LayerNorm."}},
          {"^token_embd.", {"embeddings.word_embeddings."}},
          {"^token_types.", {"embeddings.token_type_embeddings."}},
          {"^position_embd.", {"embeddings.position_embeddings."}},
          {"^blk.", {"encoder.layer."}},
          {".attn_q.", {".attention.self.query."}},
          {".attn_k.", {".attention.self.key."}},
          {".attn_v.", {".attention.self.value."}},
          {".attn_output_norm.", {".attention.output.LayerNorm."}},
          {".attn_output.", {".attention.output.dense."}},
          {".ffn_up.", {".intermediate.dense."}},
          {".ffn_down.", {".output.dense."}},
          {".layer_output_norm.", {".output.LayerNorm."}}};
}

std::vector<NameRule> nomic_gguf_names() {
  return {{"^token_embd_norm.", {"emb_ln."}},
          {"^token_embd.", {"embeddings.word_embeddings."}},
          {"^token_types.", {"embeddings.token_type_embeddings."}},
          {"^blk.", {"encoder.layers."}},
          {".attn_qkv.", {".attn.Wqkv."}},
          {".attn_output_norm.", {".norm1."}},
          {".attn_output.", {".attn.out_proj."}},
          {".ffn_up.", {".mlp.fc11."}},
          {".ffn_gate.", {".mlp.fc12."}},
          {".ffn_down.", {".mlp.fc2."}},
          {".layer_output_norm.", {".norm2."}}};
}

std::vector<EncoderFamily> make_families() {
  return {{"bert", "bert", read_bert, bert_names("bert."), bert_gguf_names()},
          {"roberta", nullptr, read_roberta, bert_names("roberta."), {}},
          {"xlm-roberta", nullptr, read_roberta, bert_names("roberta."), {}},
          {"nomic_bert", "nomic-bert", read_nomic, nomic_names(), nomic_gguf_names()}};
}

const std::vector<EncoderFamily>& encoder_families() {
  static const std::vector<EncoderFamily> families = make_families();
  return families;
}

// llama.cpp's numbers of pooling types.
Pooling::Kind gguf_pooling(const GgufMetadata& keys, const std::string& key) {
  constexpr int kMean = 1, kFirst = 2, kLast = 3;
  switch (keys.integer_or(key, kMean, kMean, kLast)) {
    case kFirst:
      return Pooling::Kind::first;
    case kLast:
      return Pooling::Kind::last;
    default:
      return Pooling::Kind::mean;
  }
}

}  // namespace

const EncoderFamily* encoder_family(const std::string& model_type) {
  for (const EncoderFamily& family : encoder_families())
    if (model_type == family.model_type) return &family;
  return nullptr;
}

const EncoderFamily* encoder_gguf_family(const std::string& architecture) {
  for (const EncoderFamily& family : encoder_families())
    if (family.gguf != nullptr && architecture == family.gguf) return &family;
  return nullptr;
}

Config encoder_fields(const GgufFile& file, const EncoderFamily& family) {
  const GgufMetadata& keys = file.metadata();
  const auto key = [&](const char* name) { return std::string(family.gguf) + "." + name; };
  const auto number = [&](const char* name) { return keys.integer(key(name), 1, kMostOfEncoder); };
  const bool rotary = family.names.gate[0] != '\0';
  const auto rows = [&](const char* tensor) -> std::int64_t {
    const WeightView* const view = file.find(tensor);
    if (view == nullptr || view->shape.empty())
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}: tensor '{}' is missing, expected a matrix", file.shown(), tensor));
    return view->shape.size() == 1 ? 1 : view->shape.front();
  };
  nlohmann::json fields = {
      {"model_type", family.model_type},
      {rotary ? "n_embd" : "hidden_size", number("embedding_length")},
      {rotary ? "n_layer" : "num_hidden_layers", number("block_count")},
      {rotary ? "n_head" : "num_attention_heads", number("attention.head_count")},
      {rotary ? "n_inner" : "intermediate_size", number("feed_forward_length")},
      {rotary ? "n_positions" : "max_position_embeddings", number("context_length")},
      {rotary ? "layer_norm_epsilon" : "layer_norm_eps",
       keys.number(key("attention.layer_norm_epsilon"), 0, 1)},
      {"vocab_size", rows("token_embd.weight")},
      {"type_vocab_size", rows("token_types.weight")},
      {"pooling", static_cast<int>(gguf_pooling(keys, key("pooling_type")))},
  };
  if (rotary) fields["rotary_emb_base"] = keys.number_or(key("rope.freq_base"), 1000, 1, 1e12);
  if (keys.boolean_or(key("attention.causal"), false))
    keys.fail(key("attention.causal"), "is true, expected false");
  return {std::move(fields), file.shown()};
}

}  // namespace engines
