// SPDX-License-Identifier: Apache-2.0
// The kinds of models by name.
#include "engines/tokenizer/models/model.h"

#include "engines/tokenizer/models/bpe.h"
#include "engines/tokenizer/models/unigram.h"
#include "engines/tokenizer/models/words.h"
#include "engines/tokenizer/tokenizer_spec.h"

namespace engines {

std::unique_ptr<Model> make_model(const TokenizerSpec& spec, bool byte_level) {
  switch (spec.kind) {
    case ModelKind::unigram:
      return std::make_unique<Unigram>(spec);
    case ModelKind::word_piece:
      return std::make_unique<WordPiece>(spec);
    case ModelKind::word_level:
      return std::make_unique<WordLevel>(spec);
    case ModelKind::bpe:
      break;
  }
  return std::make_unique<Bpe>(spec, byte_level);
}

}  // namespace engines
