// SPDX-License-Identifier: Apache-2.0
// Merging by a queue of candidate pairs over a linked list of symbols: lowest rank first, then leftmost.
#include "engines/tokenizer/bpe.h"

#include <fmt/format.h>

#include <queue>

#include "engines/tensor/error.h"
#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(RH_MODEL_INVALID, where + ": " + what);
}

constexpr std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

}  // namespace

Bpe::Bpe(const TokenizerSpec& spec) : ignore_merges_(spec.ignore_merges) {
  index_vocabulary(spec);
  index_merges(spec);
  if (!ignore_merges_) check_every_token_is_made(spec);
}

void Bpe::index_vocabulary(const TokenizerSpec& spec) {
  // The vocabulary has no holes, apart from those that added tokens fill: so no id is beyond the number of
  // tokens, and the table below is no larger than the file warrants.
  const auto most = spec.vocab.size() + spec.added.size();
  std::int64_t highest = -1;
  for (const auto& [token, id] : spec.vocab) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= most)
      fail(spec.vocab_shown,
           fmt::format("the id {} of {} is out of range, there are {} tokens", id, in_quotes(token), most));
    highest = std::max(highest, id);
  }
  tokens_.resize(static_cast<std::size_t>(highest + 1));
  std::vector<bool> taken(tokens_.size());
  for (const auto& [token, id] : spec.vocab) {
    const auto at = static_cast<std::size_t>(id);
    if (taken[at])
      fail(spec.vocab_shown,
           fmt::format("{} and {} share the id {}", in_quotes(tokens_[at]), in_quotes(token), id));
    taken[at] = true;
    tokens_[at] = token;
  }
  ids_.reserve(tokens_.size());
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    if (taken[id] && !ids_.emplace(tokens_[id], static_cast<std::int32_t>(id)).second)
      fail(spec.vocab_shown, in_quotes(tokens_[id]) + " comes twice");
  }
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    byte_ids_[byte] = find(byte_alphabet()[byte]);
    if (byte_ids_[byte] < 0)
      fail(spec.vocab_shown, fmt::format("there is no token for the byte {}, written {}", byte,
                                         in_quotes(byte_alphabet()[byte])));
  }
}

void Bpe::index_merges(const TokenizerSpec& spec) {
  merges_.reserve(spec.merges.size());
  std::string merged;
  std::int32_t rank = 0;
  for (const auto& merge : spec.merges) {
    const std::string& left = merge.first;
    const std::string& right = merge.second;
    merged.assign(left).append(right);
    const auto known = [&](std::string_view token) {
      const auto id = find(token);
      if (id < 0)
        fail(spec.merges_shown, fmt::format("merge {} ({} and {}): {} is not in the vocabulary", rank,
                                            in_quotes(left), in_quotes(right), in_quotes(token)));
      return id;
    };
    const auto left_id = known(left);
    const auto right_id = known(right);
    merges_.insert_or_assign(pair_key(left_id, right_id), Merge{rank, known(merged)});
    ++rank;
  }
}

// A list of merges that was cut short leaves tokens that no text can become. Nothing else would show it but
// other ids.
void Bpe::check_every_token_is_made(const TokenizerSpec& spec) const {
  std::vector<bool> made(tokens_.size());
  for (const auto id : byte_ids_)
    made[static_cast<std::size_t>(id)] = true;
  for (const auto& [pair, merge] : merges_)
    made[static_cast<std::size_t>(merge.id)] = true;
  for (const auto& token : spec.added) {
    if (const auto id = find(token.content); id >= 0) made[static_cast<std::size_t>(id)] = true;
  }
  for (const auto& [token, id] : spec.vocab) {
    if (!made[static_cast<std::size_t>(id)])
      fail(spec.merges_shown, fmt::format("{} merges, and none of them makes {} of the vocabulary",
                                          spec.merges.size(), in_quotes(token)));
  }
}

std::int32_t Bpe::find(std::string_view token) const {
  const auto place = ids_.find(token);
  return place == ids_.end() ? -1 : place->second;
}

const std::string* Bpe::token(std::int64_t id) const {
  if (id < 0 || id >= size()) return nullptr;
  const auto& token = tokens_[static_cast<std::size_t>(id)];
  return find(token) == id ? &token : nullptr;
}

const Bpe::Merge* Bpe::merge_of(std::int32_t left, std::int32_t right) const {
  const auto place = merges_.find(pair_key(left, right));
  return place == merges_.end() ? nullptr : &place->second;
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
  Merging(const Bpe& bpe, std::string_view piece) : bpe_(bpe) {
    const auto count = static_cast<std::int32_t>(piece.size());
    symbols_.reserve(piece.size());
    for (std::int32_t i = 0; i < count; ++i) {
      const auto byte = static_cast<unsigned char>(piece[static_cast<std::size_t>(i)]);
      symbols_.push_back({bpe.byte_ids_[byte], i - 1, i + 1 < count ? i + 1 : -1});
    }
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
    if (const auto* const found = bpe_.merge_of(symbol(left).id, symbol(symbol(left).next).id))
      queue_.push({found->rank, left, found->id});
  }

  // Whether the pair that was proposed has not changed since.
  bool still_there(const Candidate& candidate) {
    const Symbol& left = symbol(candidate.at);
    if (left.id < 0 || left.next < 0) return false;
    const auto* const found = bpe_.merge_of(left.id, symbol(left.next).id);
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

void Bpe::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (piece.empty()) return;
  if (ignore_merges_) {
    if (const auto id = find(to_byte_alphabet(piece)); id >= 0) {
      ids.push_back(id);
      return;
    }
  }
  Merging(*this, piece).run(ids);
}

}  // namespace engines
