// SPDX-License-Identifier: Apache-2.0
// The tokenizer that a GGUF file holds: tokens with their kinds, merges, and the name of a pre-tokenizer that
// stands for all that tokenizer.json says of normalising and splitting.
#include <fmt/format.h>

#include <limits>

#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/gguf.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

struct PreTokenizer {
  std::string_view name;
  SplitRules rules;
  bool nfc = false;
  bool ignore_merges = false;
  bool begins = false;  // with BOS, unless the file says otherwise
};

constexpr PreTokenizer kPreTokenizers[] = {
    {"qwen2", SplitRules::qwen2, true},
    {"gpt-2", SplitRules::gpt2},
    {"llama-bpe", SplitRules::llama3, false, true, true},
    {"llama3", SplitRules::llama3, false, true, true},
};

// tokenizer.ggml.token_type
enum TokenKind : std::int64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

const PreTokenizer& pre_tokenizer(const GgufMetadata& keys) {
  const std::string model = keys.text("tokenizer.ggml.model");
  if (model != "gpt2")
    throw Error(RH_CAPABILITY_UNSUPPORTED, keys.shown() + ": tokenizer.ggml.model: " + in_quotes(model) +
                                               " is not supported, expected 'gpt2'");
  const std::string name = keys.text("tokenizer.ggml.pre");
  std::string known;
  for (const PreTokenizer& candidate : kPreTokenizers) {
    if (candidate.name == name) return candidate;
    known += (known.empty() ? "" : ", ") + in_quotes(candidate.name);
  }
  throw Error(RH_CAPABILITY_UNSUPPORTED, keys.shown() + ": tokenizer.ggml.pre: " + in_quotes(name) +
                                             " is not supported, expected one of " + known);
}

void read_tokens(const GgufMetadata& keys, TokenizerSpec& spec) {
  constexpr std::string_view key = "tokenizer.ggml.tokens";
  constexpr std::string_view kinds_key = "tokenizer.ggml.token_type";
  const std::vector<std::string> tokens = keys.texts(key);
  if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    keys.fail(key, fmt::format("has {} tokens, more than there are ids", tokens.size()));
  std::vector<std::int64_t> kinds(tokens.size(), kNormal);
  if (keys.has(kinds_key)) kinds = keys.integers(kinds_key);
  if (kinds.size() != tokens.size())
    keys.fail(kinds_key, fmt::format("has {} elements, expected {} as {}", kinds.size(), tokens.size(), key));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    if (kinds[i] == kNormal) {
      spec.vocab.emplace_back(tokens[i], id);
    } else if (kinds[i] == kControl || kinds[i] == kUserDefined) {
      AddedToken& added = spec.added.emplace_back();
      added.id = id;
      added.content = tokens[i];
      added.special = kinds[i] == kControl;
    } else if (kinds[i] != kUnused) {
      keys.fail(kinds_key, fmt::format("token {} {} is of kind {}, expected 1, 3, 4 or 5", id,
                                       in_quotes(tokens[i]), kinds[i]));
    }
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

// The id that a key names, put at one end of every text when another key says so.
void read_end(const GgufMetadata& keys, const char* flag, bool usual, const char* id_key,
              std::vector<std::int64_t>& ids) {
  if (!keys.boolean_or(flag, usual)) return;
  ids.push_back(keys.integer(id_key, 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

TokenizerSpec read_gguf_tokenizer(const GgufFile& file) {
  const GgufMetadata& keys = file.metadata();
  const PreTokenizer& pre = pre_tokenizer(keys);
  TokenizerSpec spec;
  spec.vocab_shown = file.shown() + ": tokenizer.ggml.tokens";
  spec.merges_shown = file.shown() + ": tokenizer.ggml.merges";
  spec.added_shown = spec.vocab_shown;
  spec.rules = pre.rules;
  spec.nfc = pre.nfc;
  spec.ignore_merges = pre.ignore_merges;
  read_tokens(keys, spec);
  read_merges(keys, spec);
  read_end(keys, "tokenizer.ggml.add_bos_token", pre.begins, "tokenizer.ggml.bos_token_id", spec.before);
  read_end(keys, "tokenizer.ggml.add_eos_token", false, "tokenizer.ggml.eos_token_id", spec.after);
  return spec;
}

}  // namespace engines
