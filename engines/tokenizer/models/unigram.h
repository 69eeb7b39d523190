// SPDX-License-Identifier: Apache-2.0
// SentencePiece's Unigram: of all ways to cut a piece into tokens the one with the highest sum of scores.
#pragma once

#include <cstddef>
#include <string>

#include "engines/tokenizer/models/model.h"

namespace engines {

class Unigram : public Model {
 public:
  // MODEL_INVALID where scores are missing, or the unknown token has no id of the vocabulary.
  explicit Unigram(const TokenizerSpec& spec);
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  struct Cut;
  // The best way to every place of the piece.
  std::vector<Cut> best_cuts(std::string_view piece) const;
  void append_unknown(std::string_view unknown, std::vector<std::int32_t>& ids) const;

  std::vector<double> scores_;        // by id
  std::vector<std::int32_t> sorted_;  // ids in the order of their tokens' bytes
  std::vector<std::size_t> first_;    // where in it tokens of each first byte begin; 257 entries
  double unk_score_ = 0;
  std::int32_t unk_ = -1;
  std::string shown_;
};

}  // namespace engines
