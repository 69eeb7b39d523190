// SPDX-License-Identifier: Apache-2.0
// What the files of a tokenizer say, before anything is built from it. The stages around the model are kept
// in the form of tokenizer.json, whatever file they come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engines {

class Config;
class GgufFile;

// A token that is recognised in the text before it is split.
struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and that after it
  bool normalized = false;   // is looked for in the normalised text, not in the raw
  bool special = false;      // is left out when decoding without special tokens
};

constexpr std::int64_t highest_token_id = std::numeric_limits<std::int32_t>::max();

enum class ModelKind { bpe, unigram, word_piece, word_level };

struct TokenizerSpec {
  ModelKind kind = ModelKind::bpe;
  std::vector<std::pair<std::string, std::int64_t>> vocab;
  std::size_t id_limit =
      0;  // where a file lists a token an id: how many; ids that nothing uses are left out of vocab
  std::vector<double> scores;                               // one a token of the vocabulary, or none
  std::vector<std::pair<std::string, std::string>> merges;  // of BPE, by rank
  bool merges_by_score = false;                             // of BPE: there are no merges but scores
  bool ignore_merges = false;                               // a piece that is a token is taken as it is
  bool byte_fallback = false;                               // unknown characters become tokens of their bytes
  bool fuse_unk = false;                                    // unknown characters in a row become one token
  std::optional<std::string> unk_token;
  std::optional<std::int64_t> unk_id;  // of Unigram
  std::string prefix;                  // of tokens that continue a word
  std::string suffix;                  // of BPE: of tokens that end a word
  std::int64_t most_characters = 100;  // of WordPiece: longer words are unknown
  std::vector<AddedToken> added;
  // null, or an object with `type`
  nlohmann::json normalizer, pre_tokenizer, post_processor, decoder;

  std::string shown;  // where each part came from, for messages
  std::string vocab_shown;
  std::string merges_shown;
  std::string added_shown;
};

// `shown` is the folder in messages ("tokenizer"). Failures as Tokenizer::load has them.
TokenizerSpec read_tokenizer_json(const std::filesystem::path& file, const std::string& shown);
TokenizerSpec read_vocab_and_merges(const std::filesystem::path& folder, const std::string& shown);
// Failures as Tokenizer::from_gguf has them.
TokenizerSpec read_gguf_tokenizer(const GgufFile& file);

// The fields of an added token that both kinds of files share; the id is elsewhere.
AddedToken read_added_token(const Config& object);

// The stages of byte-level BPE in the form of tokenizer.json: splitting by an expression (by GPT-2's where it
// is empty) before bytes become characters, and back.
nlohmann::json byte_level_pre_tokenizer(const std::string& expression);
nlohmann::json byte_level_decoder();

// The expressions of Qwen 2 and Llama 3.
extern const char* const qwen2_expression;
extern const char* const llama3_expression;

}  // namespace engines
