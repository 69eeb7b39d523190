// SPDX-License-Identifier: Apache-2.0
// Viterbi over the bytes of a piece. Tokens that begin at a place are found by narrowing a range of the
// sorted vocabulary byte by byte.
#include "engines/tokenizer/models/unigram.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr double unknown_penalty = 10;
// Bounds the time for a place of the text.
constexpr std::size_t longest_unigram = 1024;

unsigned char byte_at(const std::string& token, std::size_t depth) {
  return static_cast<unsigned char>(token[depth]);
}

}  // namespace

struct Unigram::Cut {
  double score = 0;
  std::size_t begin = 0;
  std::int32_t id = -2;  // -2: no way leads here; -1: an unknown character
};

Unigram::Unigram(const TokenizerSpec& spec) : Model(spec), shown_(spec.vocab_shown) {
  const auto count = static_cast<std::size_t>(vocabulary().size());
  if (spec.scores.size() != spec.vocab.size())
    throw Error(RH_MODEL_INVALID, fmt::format("{}: has {} scores for {} tokens", shown_, spec.scores.size(),
                                              spec.vocab.size()));
  scores_.resize(count);
  for (std::size_t i = 0; i < spec.vocab.size(); ++i)
    scores_[static_cast<std::size_t>(spec.vocab[i].second)] = spec.scores[i];
  if (vocabulary().longest() > longest_unigram)
    throw Error(RH_MODEL_INVALID, fmt::format("{}: a token is {} bytes long, expected at most {}", shown_,
                                              vocabulary().longest(), longest_unigram));
  if (spec.unk_id && vocabulary().token(*spec.unk_id) == nullptr)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: unk_id: {} is not an id of the vocabulary", spec.shown, *spec.unk_id));
  if (spec.unk_id) unk_ = static_cast<std::int32_t>(*spec.unk_id);
  if (!spec.scores.empty())
    unk_score_ = *std::min_element(spec.scores.begin(), spec.scores.end()) - unknown_penalty;
  for (std::size_t id = 0; id < count; ++id) {
    const auto signed_id = static_cast<std::int32_t>(id);
    const std::string* const token = vocabulary().token(signed_id);
    if (token != nullptr && !token->empty() && vocabulary().find(*token) == signed_id)
      sorted_.push_back(signed_id);
  }
  const auto token_of = [&](std::int32_t id) -> const std::string& { return *vocabulary().token(id); };
  std::sort(sorted_.begin(), sorted_.end(), [&](auto a, auto b) { return token_of(a) < token_of(b); });
  for (unsigned byte = 0; byte <= 256; ++byte) {
    const auto place = std::partition_point(sorted_.begin(), sorted_.end(),
                                            [&](auto id) { return byte_at(token_of(id), 0) < byte; });
    first_.push_back(static_cast<std::size_t>(place - sorted_.begin()));
  }
}

std::vector<Unigram::Cut> Unigram::best_cuts(std::string_view piece) const {
  std::vector<Cut> cuts(piece.size() + 1);
  const auto offer = [&](std::size_t begin, std::size_t end, double score, std::int32_t id) {
    Cut& cut = cuts[end];
    const double sum = cuts[begin].score + score;
    if (cut.id == -2 || sum > cut.score) cut = {sum, begin, id};
  };
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t character = std::max<std::size_t>(unicode::decode_first(piece.substr(at)).bytes, 1);
    const auto lead = static_cast<unsigned char>(piece[at]);
    auto low = sorted_.begin() + static_cast<std::ptrdiff_t>(first_[lead]);
    auto high = sorted_.begin() + static_cast<std::ptrdiff_t>(first_[lead + 1u]);
    bool alone = false;  // whether the character is a token by itself
    for (std::size_t length = 1; low != high; ++length) {
      if (const std::string& shortest = *vocabulary().token(*low); shortest.size() == length) {
        offer(at, at + length, scores_[static_cast<std::size_t>(*low)], *low);
        alone = alone || length == character;
        ++low;
      }
      if (at + length == piece.size()) break;
      const auto next = static_cast<unsigned char>(piece[at + length]);
      low = std::partition_point(low, high,
                                 [&](auto id) { return byte_at(*vocabulary().token(id), length) < next; });
      high = std::partition_point(low, high,
                                  [&](auto id) { return byte_at(*vocabulary().token(id), length) == next; });
    }
    if (!alone) offer(at, at + character, unk_score_, -1);
    at += character;
  }
  return cuts;
}

void Unigram::append_unknown(std::string_view unknown, std::vector<std::int32_t>& ids) const {
  if (vocabulary().append_bytes(unknown, ids)) return;
  if (unk_ < 0)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: has no unk_id, and no token for {}", shown_, in_quotes(unknown)));
  ids.push_back(unk_);
}

void Unigram::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  const auto cuts = best_cuts(piece);
  std::vector<std::size_t> ends;
  for (std::size_t end = piece.size(); end > 0; end = cuts[end].begin)
    ends.push_back(end);
  // Unknown characters in a row are one.
  const auto is_unknown = [&](const Cut& cut) { return cut.id == -1 || cut.id == unk_; };
  for (std::size_t i = ends.size(); i > 0;) {
    const Cut& cut = cuts[ends[i - 1]];
    std::size_t end = ends[i - 1];
    --i;
    if (!is_unknown(cut)) {
      ids.push_back(cut.id);
      continue;
    }
    for (; i > 0 && is_unknown(cuts[ends[i - 1]]); --i)
      end = ends[i - 1];
    const std::string_view unknown = piece.substr(cut.begin, end - cut.begin);
    // The text of unknown characters may be a token after all: that of the unknown token itself.
    if (const auto id = vocabulary().find(unknown); id >= 0)
      ids.push_back(id);
    else
      append_unknown(unknown, ids);
  }
}

}  // namespace engines
