// SPDX-License-Identifier: Apache-2.0
// Greedy look-up from the left. The time for a word is bounded by its length times the longest token's.
#include "engines/tokenizer/models/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

std::int32_t find_unknown(const Vocabulary& vocabulary, const TokenizerSpec& spec) {
  return spec.unk_token ? vocabulary.find(*spec.unk_token) : -1;
}

std::int32_t require_unknown(std::int32_t id, const std::string& shown, std::string_view piece) {
  if (id < 0)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: has no unknown token, and none for {}", shown, in_quotes(piece)));
  return id;
}

}  // namespace

WordPiece::WordPiece(const TokenizerSpec& spec)
    : Model(spec),
      prefix_(spec.prefix),
      most_characters_(static_cast<std::size_t>(spec.most_characters)),
      unk_(find_unknown(vocabulary(), spec)),
      vocab_shown_(spec.vocab_shown) {
}

std::int32_t WordPiece::longest_token(std::string_view rest, bool continues, std::size_t& length) const {
  std::string written = continues ? prefix_ : std::string();
  const std::size_t before = written.size();
  written += rest.substr(0, vocabulary().longest());
  while (written.size() > before) {
    // Cut only between characters.
    const std::size_t taken = written.size() - before;
    if (taken == rest.size() || begins_character(rest[taken])) {
      length = taken;
      if (const auto id = vocabulary().find(written); id >= 0) return id;
    }
    written.pop_back();
  }
  return -1;
}

void WordPiece::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  const auto characters =
      static_cast<std::size_t>(std::count_if(piece.begin(), piece.end(), begins_character));
  const std::size_t before = ids.size();
  bool known = characters <= most_characters_;
  for (std::size_t at = 0; known && at < piece.size();) {
    std::size_t length = 0;
    const auto id = longest_token(piece.substr(at), at > 0, length);
    known = id >= 0;
    ids.push_back(id);
    at += length;
  }
  if (known) return;
  ids.resize(before);
  ids.push_back(require_unknown(unk_, vocab_shown_, piece));
}

WordLevel::WordLevel(const TokenizerSpec& spec)
    : Model(spec), unk_(find_unknown(vocabulary(), spec)), vocab_shown_(spec.vocab_shown) {
}

void WordLevel::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  const auto id = vocabulary().find(piece);
  ids.push_back(id >= 0 ? id : require_unknown(unk_, vocab_shown_, piece));
}

}  // namespace engines
