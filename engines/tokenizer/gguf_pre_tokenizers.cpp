// SPDX-License-Identifier: Apache-2.0
// The splits of each family of byte-level tokenizers, one after the other, as its tokenizer.json has them.
#include "engines/tokenizer/gguf_pre_tokenizers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr const char* single_digit = R"(\p{N})";
constexpr const char* o200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* tekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* deepseek_digits = R"(\p{N}{1,3})";
constexpr const char* deepseek_east_asian = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
constexpr const char* deepseek_rest =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* deepseek_coder_ideographs = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";

// Splits before that of GPT-2 or of an expression that takes all the rest.
struct SplitFamily {
  const char* expressions[6];  // as many as there are; none: GPT-2's
  bool gpt2_last;
  bool nfc;
  bool ignore_merges;
  bool begins;
};

constexpr SplitFamily gpt2_family{{}, true, false, false, false};
constexpr SplitFamily digits_family{{single_digit}, true, false, false, false};
constexpr SplitFamily falcon_family{{R"([\p{P}\$\+<=>\^~\|`]+)", nullptr}, true, false, false, false};
constexpr SplitFamily o200k_family{{o200k}, false, false, true, false};
constexpr SplitFamily tekken_family{{tekken}, false, false, true, true};
constexpr SplitFamily deepseek_family{
    {deepseek_digits, deepseek_east_asian, deepseek_rest}, false, false, false, true};
constexpr SplitFamily deepseek_coder_family{
    {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", deepseek_coder_ideographs, single_digit},
    false,
    false,
    false,
    true};

struct FamilyName {
  std::string_view name;
  const SplitFamily* family;
};

constexpr FamilyName family_names[] = {
    {"gpt-2", &gpt2_family},
    {"phi-2", &gpt2_family},
    {"mpt", &gpt2_family},
    {"olmo", &gpt2_family},
    {"jais", &gpt2_family},
    {"roberta-bpe", &gpt2_family},
    {"modern-bert", &gpt2_family},
    {"starcoder", &digits_family},
    {"refact", &digits_family},
    {"command-r", &digits_family},
    {"smollm", &digits_family},
    {"codeshell", &digits_family},
    {"falcon", &falcon_family},
    {"gpt-4o", &o200k_family},
    {"llama4", &o200k_family},
    {"tekken", &tekken_family},
    {"deepseek-v3", &deepseek_family},
    {"deepseek-coder", &deepseek_coder_family},
};

// These are read by the hand-written scanners.
struct ScannedName {
  std::string_view name;
  const char* const* expression;
  bool nfc;
  bool ignore_merges;
  bool begins;
};

constexpr ScannedName scanned_names[] = {
    {"qwen2", &qwen2_expression, true, false, false},
    {"deepseek-r1-qwen", &qwen2_expression, true, false, false},
    {"stablelm2", &qwen2_expression, true, false, false},
    {"llama-bpe", &llama3_expression, false, true, true},
    {"llama3", &llama3_expression, false, true, true},
    {"llama-v3", &llama3_expression, false, true, true},
    {"falcon3", &llama3_expression, false, true, true},
    {"dbrx", &llama3_expression, false, false, false},
    {"smaug-bpe", &llama3_expression, false, false, true},
    {"chatglm-bpe", &llama3_expression, false, false, false},
    {"glm4", &llama3_expression, false, false, false},
};

nlohmann::json split_json(const std::string& expression) {
  return {
      {"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}, {"invert", false}};
}

nlohmann::json byte_level_json(bool use_regex) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

nlohmann::json nfc_json(bool nfc) {
  return nfc ? nlohmann::json{{"type", "NFC"}} : nlohmann::json();
}

GgufPreTokenizer of_family(const SplitFamily& family) {
  auto parts = nlohmann::json::array();
  for (const char* const expression : family.expressions) {
    if (expression == nullptr) break;
    parts.push_back(split_json(expression));
  }
  parts.push_back(byte_level_json(family.gpt2_last));
  return {family.ignore_merges,
          family.begins,
          nfc_json(family.nfc),
          {{"type", "Sequence"}, {"pretokenizers", parts}}};
}

}  // namespace

nlohmann::json byte_level_pre_tokenizer(const std::string& expression) {
  if (expression.empty()) return byte_level_json(true);
  return {{"type", "Sequence"},
          {"pretokenizers", nlohmann::json::array({split_json(expression), byte_level_json(false)})}};
}

nlohmann::json byte_level_decoder() {
  return {{"type", "ByteLevel"}};
}

GgufPreTokenizer find_gguf_pre_tokenizer(std::string_view name, const std::string& shown) {
  std::string known;
  for (const auto& scanned : scanned_names) {
    if (scanned.name == name)
      return {scanned.ignore_merges, scanned.begins, nfc_json(scanned.nfc),
              byte_level_pre_tokenizer(*scanned.expression)};
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", scanned.name);
  }
  for (const auto& [known_name, family] : family_names) {
    if (known_name == name) return of_family(*family);
    known += fmt::format(", '{}'", known_name);
  }
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              fmt::format("{}: tokenizer.ggml.pre: {} is not supported, expected one of {}", shown,
                          in_quotes(name), known));
}

}  // namespace engines
