// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding: the vocabulary, the merges by rank, and merging one piece of text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engines {

struct TokenizerSpec;

class Bpe {
 public:
  // Checks that vocabulary and merges fit together: MODEL_INVALID with file and token otherwise.
  explicit Bpe(const TokenizerSpec& spec);
  Bpe(const Bpe&) = delete;  // the index refers to the tokens
  Bpe& operator=(const Bpe&) = delete;

  // Appends the ids of one piece (bytes). Time is proportional to n log n.
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const;

  // The token as the vocabulary writes it, or null when no token has this id.
  const std::string* token(std::int64_t id) const;
  // The id of a token, or -1.
  std::int32_t find(std::string_view token) const;
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }  // highest id + 1

 private:
  struct Merge {
    std::int32_t rank;
    std::int32_t id;
  };
  struct Symbol;
  struct Candidate;
  class Merging;

  void index_vocabulary(const TokenizerSpec& spec);
  void index_merges(const TokenizerSpec& spec);
  void check_every_token_is_made(const TokenizerSpec& spec) const;
  const Merge* merge_of(std::int32_t left, std::int32_t right) const;

  bool ignore_merges_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, std::int32_t> ids_;
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::array<std::int32_t, 256> byte_ids_{};
};

}  // namespace engines
