// SPDX-License-Identifier: Apache-2.0
// The table of tokens with its index.
#include "engines/tokenizer/models/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

[[noreturn]] void fail_vocabulary(const TokenizerSpec& spec, const std::string& what) {
  throw Error(RH_MODEL_INVALID, fmt::format("{}: {}", spec.vocab_shown, what));
}

// A vocabulary has few holes, such as those of GPT-4o before its added tokens: so no id is far beyond the
// number of tokens, and the table is no larger than the file warrants.
constexpr std::size_t unused_ids(std::size_t tokens) {
  return 1024 + tokens / 8;
}

std::int64_t highest_id_of(const TokenizerSpec& spec) {
  const auto tokens = spec.vocab.size() + spec.added.size();
  const auto most = std::max(spec.id_limit, tokens + unused_ids(tokens));
  std::int64_t highest = -1;
  for (const auto& [token, id] : spec.vocab) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= most)
      fail_vocabulary(spec, fmt::format("the id {} of {} is out of range, there are {} tokens", id,
                                        in_quotes(token), tokens));
    highest = std::max(highest, id);
  }
  return highest;
}

}  // namespace

Vocabulary::Vocabulary(const TokenizerSpec& spec) {
  tokens_.resize(static_cast<std::size_t>(highest_id_of(spec) + 1));
  taken_.resize(tokens_.size());
  for (const auto& [token, id] : spec.vocab) {
    const auto at = static_cast<std::size_t>(id);
    if (taken_[at])
      fail_vocabulary(spec,
                      fmt::format("{} and {} share the id {}", in_quotes(tokens_[at]), in_quotes(token), id));
    taken_[at] = true;
    tokens_[at] = token;
    longest_ = std::max(longest_, token.size());
  }
  ids_.reserve(tokens_.size());
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    if (!taken_[id]) continue;
    const auto [place, fresh] = ids_.emplace(tokens_[id], static_cast<std::int32_t>(id));
    if (fresh) continue;
    // A list of pieces may repeat one, and the last counts.
    if (spec.kind != ModelKind::unigram)
      fail_vocabulary(spec, fmt::format("{} comes twice", in_quotes(tokens_[id])));
    place->second = static_cast<std::int32_t>(id);
  }
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte)
    byte_ids_[byte] = spec.byte_fallback ? find(fmt::format("<0x{:02X}>", byte)) : -1;
}

std::int32_t Vocabulary::find(std::string_view token) const {
  const auto place = ids_.find(token);
  return place == ids_.end() ? -1 : place->second;
}

const std::string* Vocabulary::token(std::int64_t id) const {
  if (id < 0 || id >= size() || !taken_[static_cast<std::size_t>(id)]) return nullptr;
  return &tokens_[static_cast<std::size_t>(id)];
}

bool Vocabulary::append_bytes(std::string_view bytes, std::vector<std::int32_t>& ids) const {
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (std::any_of(bytes.begin(), bytes.end(), [&](char byte) { return id_of(byte) < 0; })) return false;
  for (const char byte : bytes)
    ids.push_back(id_of(byte));
  return true;
}

}  // namespace engines
