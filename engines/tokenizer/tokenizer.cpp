// SPDX-License-Identifier: Apache-2.0
// The stages of a byte-level BPE tokenizer in order: added tokens, normalisation, splitting, merging.
#include "engines/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "engines/tensor/error.h"
#include "engines/tokenizer/added_tokens.h"
#include "engines/tokenizer/bpe.h"
#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t longest_added_token = 1024;

// Those looked for in the raw text, or those in the normalised text, which are normalised themselves.
std::vector<AddedToken> select(const TokenizerSpec& spec, bool normalized) {
  std::vector<AddedToken> chosen;
  for (const auto& token : spec.added) {
    if (token.normalized != normalized) continue;
    chosen.push_back(token);
    if (normalized && spec.nfc) chosen.back().content = unicode::nfc(token.content);
  }
  return chosen;
}

TokenizerSpec with_checked_contents(TokenizerSpec spec) {
  for (const auto& token : spec.added) {
    if (token.content.empty() || token.content.size() > longest_added_token)
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}: token {} is {} bytes long, expected 1 to {}", spec.added_shown, token.id,
                              token.content.size(), longest_added_token));
  }
  return spec;
}

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerSpec read)  // with contents checked
      : bpe(read), raw_matcher(select(read, false)), normalized_matcher(select(read, true)) {
    spec = std::move(read);
    spec.vocab = {};
    spec.merges = {};
    index_added();
    check_template(spec.before);
    check_template(spec.after);
  }

  // Added tokens follow the vocabulary, not necessarily at once, or repeat one of its tokens; neither ids nor
  // contents come twice.
  void index_added() {
    std::set<std::string_view> contents;
    for (const auto& token : spec.added) {
      const auto fail = [&](const std::string& what) {
        throw Error(RH_MODEL_INVALID, fmt::format("{}: token {} {}: {}", spec.added_shown, token.id,
                                                  in_quotes(token.content), what));
      };
      if (!contents.insert(token.content).second) fail("the same content comes twice");
      if (!added.emplace(token.id, &token).second) fail("the same id comes twice");
      const auto* const existing = bpe.token(token.id);
      if (existing != nullptr && *existing != token.content)
        fail("the vocabulary has " + in_quotes(*existing) + " at this id");
      const auto id = bpe.find(token.content);
      if (id >= 0 && id != token.id) fail(fmt::format("the vocabulary has it as {}", id));
    }
    size = std::max(bpe.size(), added.empty() ? 0 : added.rbegin()->first + 1);
  }

  void check_template(const std::vector<std::int64_t>& ids) const {
    for (const auto id : ids) {
      if (find(id) == nullptr)
        throw Error(RH_MODEL_INVALID, fmt::format("{}: the post-processor adds the id {}, which no token has",
                                                  spec.added_shown, id));
    }
  }

  const std::string* find(std::int64_t id) const {
    const auto place = added.find(id);
    return place != added.end() ? &place->second->content : bpe.token(id);
  }

  // Text in which no raw added token is left.
  void encode_between(std::string_view text, std::vector<std::int32_t>& ids) const {
    const std::string normal = spec.nfc ? unicode::nfc(text) : std::string(text);
    for (const auto& part : normalized_matcher.split(normal)) {
      if (part.id >= 0) {
        ids.push_back(part.id);
        continue;
      }
      for (const auto piece : split_pieces(part.text, spec.rules))
        bpe.encode(piece, ids);
    }
  }

  TokenizerSpec spec;  // without vocabulary and merges
  Bpe bpe;
  AddedTokenMatcher raw_matcher;
  AddedTokenMatcher normalized_matcher;
  std::map<std::int64_t, const AddedToken*> added;
  std::int64_t size = 0;
};

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  const auto json = folder / "tokenizer.json";
  const std::string shown = shown_path(json);
  const std::string shown_folder = std::filesystem::path(shown).parent_path().string();
  std::error_code ignored;
  if (std::filesystem::exists(json, ignored))
    return Tokenizer(std::make_unique<State>(with_checked_contents(read_tokenizer_json(json, shown))));
  if (!std::filesystem::exists(folder / "vocab.json", ignored))
    throw Error(RH_WEIGHTS_MISSING, "missing " + shown + " (or vocab.json and merges.txt)");
  return Tokenizer(
      std::make_unique<State>(with_checked_contents(read_vocab_and_merges(folder, shown_folder))));
}

Tokenizer Tokenizer::from_gguf(const GgufFile& file) {
  return Tokenizer(std::make_unique<State>(with_checked_contents(read_gguf_tokenizer(file))));
}

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {
}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, bool add_special) const {
  if (const auto bad = unicode::first_invalid(text); bad != std::string_view::npos)
    throw Error(RH_INVALID_ARGUMENT, fmt::format("text: is not valid UTF-8 at byte {}", bad));
  std::vector<std::int32_t> ids;
  if (add_special) ids.assign(state_->spec.before.begin(), state_->spec.before.end());
  for (const auto& part : state_->raw_matcher.split(text)) {
    if (part.id >= 0)
      ids.push_back(part.id);
    else
      state_->encode_between(part.text, ids);
  }
  if (add_special) ids.insert(ids.end(), state_->spec.after.begin(), state_->spec.after.end());
  return ids;
}

std::string Tokenizer::decode(const std::vector<std::int32_t>& ids, bool skip_special) const {
  std::string bytes;
  for (const auto id : ids) {
    const std::string written = token(id);
    const auto place = state_->added.find(id);
    if (skip_special && place != state_->added.end() && place->second->special) continue;
    bytes += from_byte_alphabet(written).value_or(written);
  }
  return unicode::replace_invalid(bytes);
}

std::string Tokenizer::token(std::int32_t id) const {
  const auto* const found = state_->find(id);
  if (found == nullptr)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("id {} is not in the vocabulary of {} tokens", id, state_->size));
  return *found;
}

std::int64_t Tokenizer::size() const {
  return state_->size;
}

}  // namespace engines
