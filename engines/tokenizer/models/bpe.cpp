// SPDX-License-Identifier: Apache-2.0
// Merging by a queue of candidate pairs over a linked list of symbols: lowest rank first, then leftmost.
#include "engines/tokenizer/models/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "engines/tensor/error.h"
#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

[[noreturn]] void fail_bpe(const std::string& where, const std::string& what) {
  throw Error(RH_MODEL_INVALID, fmt::format("{}: {}", where, what));
}

// Few symbols are merged faster by looking at all pairs each time.
constexpr std::size_t few_symbols = 24;

// A vocabulary may have some tokens that no text becomes, such as RoBERTa's "madeupword0000".
constexpr std::size_t merges_per_token_that_is_not_made = 1000;

// Of the bytes, those that UTF-8 has.
constexpr bool occurs_in_utf8(std::size_t byte) {
  return byte < 0xC0 || (byte >= 0xC2 && byte <= 0xF4);
}

}  // namespace

Bpe::Bpe(const TokenizerSpec& spec, bool byte_level)
    : Model(spec),
      ignore_merges_(spec.ignore_merges),
      byte_fallback_(spec.byte_fallback),
      fuse_unk_(spec.fuse_unk),
      has_unk_(spec.unk_token.has_value()),
      prefix_(spec.prefix),
      suffix_(spec.suffix),
      shown_(spec.vocab_shown) {
  if (has_unk_) unk_ = vocabulary().find(*spec.unk_token);
  const bool plain = prefix_.empty() && suffix_.empty();
  index_characters();
  if (byte_level && !has_unk_ && plain) check_bytes(spec);
  if (spec.merges_by_score)
    index_scores(spec);
  else
    index_merges(spec);
  if (byte_level && !ignore_merges_ && plain) check_every_token_is_made(spec);
}

void Bpe::index_characters() {
  for (std::size_t c = 0; c < character_ids_.size(); ++c) {
    std::string written;
    unicode::append_utf8(written, static_cast<char32_t>(c));
    character_ids_[c] = vocabulary().find(written);
  }
}

void Bpe::check_bytes(const TokenizerSpec& spec) const {
  const auto& alphabet = byte_alphabet();
  for (std::size_t byte = 0; byte < alphabet.size(); ++byte) {
    if (occurs_in_utf8(byte) && vocabulary().find(alphabet[byte]) < 0)
      fail_bpe(spec.vocab_shown,
               fmt::format("there is no token for the byte {}, written {}", byte, in_quotes(alphabet[byte])));
  }
}

void Bpe::index_merges(const TokenizerSpec& spec) {
  merges_ = MergeTable(spec.merges.size());
  std::string merged;
  std::int32_t rank = 0;
  for (const auto& [left, right] : spec.merges) {
    // The prefix of a token that continues a word is dropped where it is no longer at the front.
    const std::string_view rest = right;
    merged.assign(left).append(rest.starts_with(prefix_) ? rest.substr(prefix_.size()) : rest);
    const auto known = [&, &from = left, &to = right](std::string_view token) {
      const auto id = vocabulary().find(token);
      if (id < 0)
        fail_bpe(spec.merges_shown, fmt::format("merge {} ({} and {}): {} is not in the vocabulary", rank,
                                                in_quotes(from), in_quotes(to), in_quotes(token)));
      return id;
    };
    const auto left_id = known(left);
    const auto right_id = known(right);
    merges_.set(left_id, right_id, {rank, known(merged)});
    ++rank;
  }
}

// SentencePiece has no merges: whatever two tokens make a third may merge, that of the highest score first.
void Bpe::index_scores(const TokenizerSpec& spec) {
  std::vector<double> order = spec.scores;
  std::sort(order.begin(), order.end(), std::greater<>());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  for (std::size_t i = 0; i < spec.vocab.size(); ++i) {
    const std::string_view token = spec.vocab[i].first;
    const auto rank =
        std::lower_bound(order.begin(), order.end(), spec.scores[i], std::greater<>()) - order.begin();
    const Merge merge{static_cast<std::int32_t>(rank), static_cast<std::int32_t>(spec.vocab[i].second)};
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const auto left = vocabulary().find(token.substr(0, cut));
      if (left < 0) continue;
      const auto right = vocabulary().find(token.substr(cut));
      if (right >= 0) merges_.set(left, right, merge);
    }
  }
}

// A list of merges that was cut short leaves tokens that no text can become. Nothing else would show it but
// other ids.
void Bpe::check_every_token_is_made(const TokenizerSpec& spec) const {
  std::vector<bool> made(static_cast<std::size_t>(vocabulary().size()));
  const auto mark = [&](std::int32_t id) {
    if (id >= 0) made[static_cast<std::size_t>(id)] = true;
  };
  for (const auto& character : byte_alphabet())
    mark(vocabulary().find(character));
  merges_.each([&](const Merge& merge) { mark(merge.id); });
  for (const auto& token : spec.added)
    mark(vocabulary().find(token.content));
  mark(unk_);
  std::size_t spare = spec.merges.size() / merges_per_token_that_is_not_made;
  for (const auto& [token, id] : spec.vocab) {
    if (made[static_cast<std::size_t>(id)] || spare-- > 0) continue;
    fail_bpe(spec.merges_shown, fmt::format("{} merges, and none of them makes {} of the vocabulary",
                                            spec.merges.size(), in_quotes(token)));
  }
}

struct Bpe::Symbol {
  std::int32_t id;  // -1 when it was merged into its left neighbour
  std::int32_t previous;
  std::int32_t next;  // -1 at the end
};

struct Bpe::Candidate {
  std::int32_t rank;
  std::int32_t at;  // the left symbol
  std::int32_t id;  // what the pair becomes
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

class Bpe::Merging {
 public:
  Merging(const Bpe& bpe, const std::int32_t* ids, std::size_t size) : bpe_(bpe) {
    const auto count = static_cast<std::int32_t>(size);
    symbols_.reserve(size);
    for (std::int32_t i = 0; i < count; ++i)
      symbols_.push_back({ids[i], i - 1, i + 1 < count ? i + 1 : -1});
  }

  void run(std::vector<std::int32_t>& ids) {
    for (std::int32_t i = 0; i >= 0; i = symbol(i).next)
      propose(i);
    while (!queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      if (still_there(best)) merge(best);
    }
    for (std::int32_t i = 0; i >= 0; i = symbol(i).next)
      ids.push_back(symbol(i).id);
  }

 private:
  Symbol& symbol(std::int32_t i) { return symbols_[static_cast<std::size_t>(i)]; }

  void propose(std::int32_t left) {
    if (left < 0 || symbol(left).next < 0) return;
    if (const auto* const found = bpe_.merges_.find(symbol(left).id, symbol(symbol(left).next).id))
      queue_.push({found->rank, left, found->id});
  }

  // Whether the pair that was proposed has not changed since.
  bool still_there(const Candidate& candidate) {
    const Symbol& left = symbol(candidate.at);
    if (left.id < 0 || left.next < 0) return false;
    const auto* const found = bpe_.merges_.find(left.id, symbol(left.next).id);
    return found != nullptr && found->id == candidate.id;
  }

  void merge(const Candidate& candidate) {
    Symbol& left = symbol(candidate.at);
    Symbol& right = symbol(left.next);
    left.id = candidate.id;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbol(left.next).previous = candidate.at;
    propose(left.previous);
    propose(candidate.at);
  }

  const Bpe& bpe_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> queue_;
};

std::int32_t Bpe::unknown(std::string_view character) const {
  if (unk_ < 0)
    throw Error(RH_MODEL_INVALID, fmt::format("{}: the unknown token is not in it, and none for {}", shown_,
                                              in_quotes(character)));
  return unk_;
}

std::int32_t Bpe::character_id(std::string_view piece, std::size_t at, std::size_t bytes) const {
  const std::string_view character = piece.substr(at, bytes);
  if (prefix_.empty() && suffix_.empty()) {
    if (const auto c = unicode::decode_first(character).value; c < character_ids_.size())
      return character_ids_[c];
    return vocabulary().find(character);
  }
  std::string written = at > 0 ? prefix_ : std::string();
  written += character;
  if (at + bytes == piece.size()) written += suffix_;
  return vocabulary().find(written);
}

// As Hugging Face's library has it, an unknown token waits while bytes stand for the characters after it.
void Bpe::begin(std::string_view piece, std::vector<std::int32_t>& symbols) const {
  bool waiting = false;
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t bytes = std::max<std::size_t>(unicode::decode_first(piece.substr(at)).bytes, 1);
    const std::string_view character = piece.substr(at, bytes);
    const auto id = character_id(piece, at, bytes);
    at += bytes;
    if (id >= 0) {
      if (waiting) symbols.push_back(unk_);
      waiting = false;
      symbols.push_back(id);
    } else if (!(byte_fallback_ && vocabulary().append_bytes(character, symbols)) && has_unk_) {
      if (waiting && !fuse_unk_) symbols.push_back(unk_);
      unknown(character);
      waiting = true;
    }
  }
  if (waiting) symbols.push_back(unk_);
}

// Merges the symbols from `from` on in their place.
void Bpe::merge_few(std::vector<std::int32_t>& symbols, std::size_t from) const {
  std::array<Merge, few_symbols> pairs;  // of each symbol and the next; a rank of -1 where there is none
  std::size_t count = symbols.size() - from;
  std::int32_t* const ids = symbols.data() + from;
  const auto look_up = [&](std::size_t i) {
    const auto* const found = i + 1 < count ? merges_.find(ids[i], ids[i + 1]) : nullptr;
    pairs[i] = found != nullptr ? *found : Merge();
  };
  for (std::size_t i = 0; i < count; ++i)
    look_up(i);
  for (;;) {
    std::size_t best = count;
    for (std::size_t i = 0; i + 1 < count; ++i)
      if (pairs[i].rank >= 0 && (best == count || pairs[i].rank < pairs[best].rank)) best = i;
    if (best == count) break;
    ids[best] = pairs[best].id;
    std::move(ids + best + 2, ids + count, ids + best + 1);
    std::move(pairs.begin() + static_cast<std::ptrdiff_t>(best) + 2,
              pairs.begin() + static_cast<std::ptrdiff_t>(count),
              pairs.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    --count;
    look_up(best);
    if (best > 0) look_up(best - 1);
  }
  symbols.resize(from + count);
}

void Bpe::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (ignore_merges_) {
    if (const auto id = vocabulary().find(piece); id >= 0) {
      ids.push_back(id);
      return;
    }
  }
  const std::size_t from = ids.size();
  begin(piece, ids);
  if (ids.size() - from <= few_symbols) {
    merge_few(ids, from);
    return;
  }
  Merging merging(*this, ids.data() + from, ids.size() - from);
  ids.resize(from);
  merging.run(ids);
}

}  // namespace engines
