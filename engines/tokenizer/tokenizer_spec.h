// SPDX-License-Identifier: Apache-2.0
// What the files of a tokenizer say, before anything is built from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engines/tokenizer/pre_tokenizer.h"

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

struct TokenizerSpec {
  std::vector<std::pair<std::string, std::int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
  std::vector<AddedToken> added;
  bool nfc = false;
  bool ignore_merges = false;  // a piece that is a token is taken as it is
  SplitRules rules = SplitRules::qwen2;
  std::vector<std::int64_t> before;  // ids that the post-processor puts around a text
  std::vector<std::int64_t> after;

  std::string vocab_shown;  // where each part came from, for messages
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

}  // namespace engines
