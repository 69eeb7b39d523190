// SPDX-License-Identifier: Apache-2.0
// The tokenizer that a GGUF file holds: tokens with their kinds, merges or scores, and names that stand for
// all that tokenizer.json says of the stages around the model.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "engines/tensor/error.h"
#include "engines/tokenizer/gguf_pre_tokenizers.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/gguf.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

using nlohmann::json;

// tokenizer.ggml.token_type
enum TokenKind : std::int64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
constexpr std::string_view kKinds = "tokenizer.ggml.token_type";
constexpr std::string_view kScores = "tokenizer.ggml.scores";
constexpr const char* kWordMark = "\u2581";

std::vector<double> read_scores(const GgufMetadata& keys, std::size_t count) {
  const GgufValue* const value = keys.find(kScores);
  if (value == nullptr) keys.fail(kScores, "is missing");
  if (value->kind != GgufKind::array || value->element != GgufKind::f32 || value->count != count)
    keys.fail(kScores, fmt::format("is not an array of {} numbers of type f32", count));
  std::vector<double> scores;
  for (std::size_t i = 0; i < count; ++i) {
    float score = 0;
    std::memcpy(&score, value->bytes.data() + i * sizeof score, sizeof score);
    // NaN has no place in an order.
    if (!(score > -std::numeric_limits<float>::infinity() && score < std::numeric_limits<float>::infinity()))
      keys.fail(kScores, fmt::format("the score of token {} is not finite", i));
    scores.push_back(double{score});
  }
  return scores;
}

std::vector<std::int64_t> read_kinds(const GgufMetadata& keys, const std::vector<std::string>& tokens) {
  if (!keys.has(kKinds)) return std::vector<std::int64_t>(tokens.size(), kNormal);
  auto kinds = keys.integers(kKinds);
  if (kinds.size() != tokens.size())
    keys.fail(kKinds,
              fmt::format("has {} elements, expected {} as {}", kinds.size(), tokens.size(), kTokens));
  for (std::size_t id = 0; id < kinds.size(); ++id) {
    if (kinds[id] < kNormal || kinds[id] > kByte)
      keys.fail(kKinds, fmt::format("token {} {} is of kind {}, expected 1 to 6", id, in_quotes(tokens[id]),
                                    kinds[id]));
  }
  return kinds;
}

void add_special(TokenizerSpec& spec, const std::string& content, std::int64_t id, bool special) {
  AddedToken& added = spec.added.emplace_back();
  added.id = id;
  added.content = content;
  added.special = special;
}

// `all`: whether control and user-defined tokens take part in the vocabulary too.
void read_tokens(const GgufMetadata& keys, TokenizerSpec& spec, bool all) {
  const std::vector<std::string> tokens = keys.texts(kTokens);
  if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    keys.fail(kTokens, fmt::format("has {} tokens, more than there are ids", tokens.size()));
  const auto kinds = read_kinds(keys, tokens);
  const auto scores = all ? read_scores(keys, tokens.size()) : std::vector<double>();
  spec.id_limit = tokens.size();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    if (const auto bad = unicode::first_invalid(tokens[i]); bad != std::string::npos)
      keys.fail(kTokens, fmt::format("token {} is not valid UTF-8 at byte {}", id, bad));
    const auto kind = kinds[i];
    if (kind == kUnused) continue;
    const bool special = kind == kControl || kind == kUserDefined || kind == kUnknown;
    if (special && !tokens[i].empty()) add_special(spec, tokens[i], id, kind != kUserDefined);
    if (special && !all) continue;
    if (!all && kind == kByte)
      keys.fail(kKinds,
                fmt::format("token {} {} is of kind {}, expected 1 to 5", id, in_quotes(tokens[i]), kind));
    spec.vocab.emplace_back(tokens[i], id);
    if (all) spec.scores.push_back(scores[i]);
  }
}

void read_merges(const GgufMetadata& keys, TokenizerSpec& spec) {
  constexpr std::string_view key = "tokenizer.ggml.merges";
  for (const std::string& line : keys.texts(key)) {
    const auto space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
      keys.fail(key, fmt::format("merge {} {} is not a pair of tokens, expected 'a b'", spec.merges.size(),
                                 in_quotes(line)));
    spec.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
}

json template_of(const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after) {
  json single = json::array(), tokens = json::object();
  const auto put = [&](std::int64_t id) {
    const std::string name = fmt::format("{}", id);
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    tokens[name] = {{"id", name}, {"ids", json::array({id})}};
  };
  std::for_each(before.begin(), before.end(), put);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  std::for_each(after.begin(), after.end(), put);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", tokens}};
}

// BOS and EOS around every text where the file says so, or where it is usual.
json read_ends(const GgufMetadata& keys, bool begins, bool ends) {
  std::vector<std::int64_t> before, after;
  if (keys.boolean_or("tokenizer.ggml.add_bos_token", begins))
    before.push_back(keys.integer("tokenizer.ggml.bos_token_id", 0, highest_token_id));
  if (keys.boolean_or("tokenizer.ggml.add_eos_token", ends))
    after.push_back(keys.integer("tokenizer.ggml.eos_token_id", 0, highest_token_id));
  return template_of(before, after);
}

json sequence(const char* list, json parts) {
  return {{"type", "Sequence"}, {list, std::move(parts)}};
}

json replace(const char* kind, const std::string& pattern, const std::string& by) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", by}};
}

// Byte-level BPE.
void read_gpt2(const GgufMetadata& keys, TokenizerSpec& spec) {
  const auto pre = find_gguf_pre_tokenizer(keys.text("tokenizer.ggml.pre"), keys.shown());
  spec.ignore_merges = pre.ignore_merges;
  spec.normalizer = pre.normalizer;
  spec.pre_tokenizer = pre.pre_tokenizer;
  spec.decoder = byte_level_decoder();
  read_tokens(keys, spec, false);
  read_merges(keys, spec);
  spec.post_processor = read_ends(keys, pre.begins, false);
}

void read_unknown(const GgufMetadata& keys, TokenizerSpec& spec) {
  const auto id = keys.integer_or("tokenizer.ggml.unknown_token_id", 0, 0, highest_token_id);
  for (const auto& [token, token_id] : spec.vocab) {
    if (token_id != id) continue;
    spec.unk_token = token;
    spec.unk_id = id;
  }
}

// SentencePiece's BPE.
void read_llama(const GgufMetadata& keys, TokenizerSpec& spec) {
  const bool prefix = keys.boolean_or("tokenizer.ggml.add_space_prefix", true);
  json normalizers = json::array(), decoders = json::array();
  if (prefix) normalizers.push_back({{"type", "Prepend"}, {"prepend", kWordMark}});
  normalizers.push_back(replace("String", " ", kWordMark));
  decoders = {replace("String", kWordMark, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (prefix) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  spec.normalizer = sequence("normalizers", normalizers);
  spec.decoder = sequence("decoders", decoders);
  spec.merges_by_score = spec.byte_fallback = spec.fuse_unk = true;
  read_tokens(keys, spec, true);
  read_unknown(keys, spec);
  spec.post_processor = read_ends(keys, true, false);
}

// The bytes of the table of replacements, empty where there is none.
json read_charsmap(const GgufMetadata& keys) {
  constexpr std::string_view key = "tokenizer.ggml.precompiled_charsmap";
  std::vector<std::uint8_t> bytes;
  if (const GgufValue* const value = keys.find(key)) {
    if (value->kind != GgufKind::array || (value->element != GgufKind::u8 && value->element != GgufKind::i8))
      keys.fail(key, "is not an array of bytes");
    for (const auto byte : value->bytes)
      bytes.push_back(std::to_integer<std::uint8_t>(byte));
  }
  return {{"type", "Precompiled"}, {"precompiled_charsmap", json::binary(std::move(bytes))}};
}

// SentencePiece's Unigram.
void read_t5(const GgufMetadata& keys, TokenizerSpec& spec) {
  const bool prefix = keys.boolean_or("tokenizer.ggml.add_space_prefix", true);
  const json metaspace = {
      {"type", "Metaspace"}, {"replacement", kWordMark}, {"prepend_scheme", prefix ? "always" : "never"}};
  json splits = json::array();
  if (keys.boolean_or("tokenizer.ggml.remove_extra_whitespaces", true))
    splits.push_back({{"type", "WhitespaceSplit"}});
  splits.push_back(metaspace);
  spec.kind = ModelKind::unigram;
  spec.normalizer = read_charsmap(keys);
  spec.pre_tokenizer = sequence("pretokenizers", splits);
  spec.decoder = metaspace;
  read_tokens(keys, spec, true);
  spec.byte_fallback = std::any_of(spec.vocab.begin(), spec.vocab.end(),
                                   [](const auto& token) { return token.first == "<0x00>"; });
  read_unknown(keys, spec);
  spec.post_processor = read_ends(keys, false, true);
}

// GGUF marks the tokens that begin a word; the files of BERT those that continue one.
void unmark_words(TokenizerSpec& spec) {
  const std::string_view mark = kWordMark;
  for (auto& [token, id] : spec.vocab)
    token = token.starts_with(mark) ? token.substr(mark.size()) : "##" + token;
}

void read_bert(const GgufMetadata& keys, TokenizerSpec& spec) {
  spec.kind = ModelKind::word_piece;
  spec.prefix = "##";
  read_tokens(keys, spec, false);
  unmark_words(spec);
  const auto has_capital = [](const auto& token) {
    return std::any_of(token.first.begin(), token.first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  };
  // Files older than the kinds of tokens have the special ones in brackets among the others.
  for (auto& [token, id] : spec.vocab) {
    if (token.starts_with("##[") && token.ends_with("]") && token.size() > 4) {
      token.erase(0, 2);
      add_special(spec, token, id, true);
    }
  }
  const bool cased = std::any_of(spec.vocab.begin(), spec.vocab.end(), [&](const auto& token) {
    return !token.first.starts_with("[") && has_capital(token);
  });
  spec.normalizer = {{"type", "BertNormalizer"}, {"lowercase", !cased}};
  spec.pre_tokenizer = {{"type", "BertPreTokenizer"}};
  spec.decoder = {{"type", "WordPiece"}, {"prefix", "##"}};
  const auto unknown = keys.integer_or("tokenizer.ggml.unknown_token_id", 100, 0, highest_token_id);
  for (const auto& added : spec.added) {
    if (added.id != unknown) continue;
    spec.unk_token = added.content;
    const bool known = std::any_of(spec.vocab.begin(), spec.vocab.end(),
                                   [&](const auto& token) { return token.second == unknown; });
    if (!known) spec.vocab.emplace_back(added.content, unknown);
  }
  const auto first = keys.integer_or("tokenizer.ggml.bos_token_id", 101, 0, highest_token_id);
  const auto last =
      keys.integer_or("tokenizer.ggml.seperator_token_id", 102, 0, highest_token_id);  // spelt so in files
  spec.post_processor =
      template_of({keys.integer_or("tokenizer.ggml.cls_token_id", first, 0, highest_token_id)},
                  {keys.integer_or("tokenizer.ggml.separator_token_id", last, 0, highest_token_id)});
}

struct GgufModel {
  std::string_view name;
  void (*read)(const GgufMetadata& keys, TokenizerSpec& spec);
};
constexpr GgufModel gguf_models[] = {
    {"gpt2", read_gpt2}, {"llama", read_llama}, {"t5", read_t5}, {"bert", read_bert}};

}  // namespace

TokenizerSpec read_gguf_tokenizer(const GgufFile& file) {
  const GgufMetadata& keys = file.metadata();
  TokenizerSpec spec;
  spec.shown = file.shown();
  spec.vocab_shown = spec.added_shown = fmt::format("{}: {}", file.shown(), kTokens);
  spec.merges_shown = file.shown() + ": tokenizer.ggml.merges";
  const std::string model = keys.text("tokenizer.ggml.model");
  std::string known;
  for (const auto& [name, read] : gguf_models) {
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", name);
    if (name != model) continue;
    read(keys, spec);
    return spec;
  }
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              fmt::format("{}: tokenizer.ggml.model: {} is not supported, expected one of {}", keys.shown(),
                          in_quotes(model), known));
}

}  // namespace engines
