// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding: the merges by rank, and merging one piece of text.
#pragma once

#include <array>
#include <string>

#include "engines/tokenizer/models/merge_table.h"
#include "engines/tokenizer/models/model.h"

namespace engines {

class Bpe : public Model {
 public:
  // Checks that vocabulary and merges fit together: MODEL_INVALID with file and token otherwise.
  Bpe(const TokenizerSpec& spec, bool byte_level);
  // Time is proportional to n log n.
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  struct Symbol;
  struct Candidate;
  class Merging;

  void index_characters();
  void index_merges(const TokenizerSpec& spec);
  void index_scores(const TokenizerSpec& spec);
  void check_bytes(const TokenizerSpec& spec) const;
  void check_every_token_is_made(const TokenizerSpec& spec) const;
  // The symbols that a piece begins as.
  void begin(std::string_view piece, std::vector<std::int32_t>& symbols) const;
  std::int32_t character_id(std::string_view piece, std::size_t at, std::size_t bytes) const;
  std::int32_t unknown(std::string_view character) const;
  void merge_few(std::vector<std::int32_t>& symbols, std::size_t from) const;

  bool ignore_merges_;
  bool byte_fallback_;
  bool fuse_unk_;
  bool has_unk_;
  std::int32_t unk_ = -1;
  std::string prefix_;
  std::string suffix_;
  std::string shown_;
  MergeTable merges_;
  std::array<std::int32_t, 0x250> character_ids_{};  // of the first characters: all that stand for bytes
};

}  // namespace engines
