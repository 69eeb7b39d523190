// SPDX-License-Identifier: Apache-2.0
// The stages of a tokenizer in order: added tokens, normalisation, splitting, the model; and back.
#include "engines/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "engines/tensor/error.h"
#include "engines/tokenizer/added_tokens.h"
#include "engines/tokenizer/decoders.h"
#include "engines/tokenizer/models/model.h"
#include "engines/tokenizer/normalizers.h"
#include "engines/tokenizer/post_processors.h"
#include "engines/tokenizer/pre_tokenizers.h"
#include "engines/tokenizer/token_writing.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t longest_added_token = 1024;

// A stage of the spec, made by `make` where there is one.
template <class Made>
Made make_stage(const TokenizerSpec& spec, const nlohmann::json& tree, const char* name,
                Made (*make)(const StageConfig&), Made otherwise) {
  if (tree.is_null()) return otherwise;
  return make(StageConfig(tree, fmt::format("{}: {}", spec.shown, name)));
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

std::string normalize(const NormalizerPart& normalizer, std::string_view text) {
  if (!normalizer) return std::string(text);
  return normalizer->apply(std::string(text), longest_normal_text(text.size()));
}

// Those looked for in the raw text, or those in the normalised text, which are normalised themselves. One
// that normalisation leaves nothing of is never found.
std::vector<AddedToken> select(const TokenizerSpec& spec, bool normalized, const NormalizerPart& normalizer) {
  std::vector<AddedToken> chosen;
  for (const auto& token : spec.added) {
    if (token.normalized != normalized) continue;
    chosen.push_back(token);
    if (normalized) chosen.back().content = normalize(normalizer, token.content);
    if (chosen.back().content.empty()) chosen.pop_back();
  }
  return chosen;
}

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerSpec read)  // with contents checked
      : normalizer(make_stage(read, read.normalizer, "normalizer", make_normalizer, NormalizerPart())),
        pre_tokenizer(
            make_stage(read, read.pre_tokenizer, "pre_tokenizer", make_pre_tokenizer, PreTokenizerPart())),
        around(make_stage(read, read.post_processor, "post_processor", read_post_processor, Surroundings())),
        decoder(make_stage(read, read.decoder, "decoder", make_decoder, default_decoder())),
        model(make_model(read, pre_tokenizer && pre_tokenizer->byte_level())),
        raw_matcher(select(read, false, normalizer)),
        normalized_matcher(select(read, true, normalizer)) {
    if (decoder.empty()) decoder = default_decoder();
    writing = writing_of(read.decoder);
    spec = std::move(read);
    spec.vocab = {};
    spec.merges = {};
    spec.scores = {};
    index_added();
    check_surroundings(around.before);
    check_surroundings(around.after);
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
      const auto* const existing = model->vocabulary().token(token.id);
      if (existing != nullptr && *existing != token.content)
        fail(fmt::format("the vocabulary has {} at this id", in_quotes(*existing)));
      const auto id = model->vocabulary().find(token.content);
      if (id >= 0 && id != token.id) fail(fmt::format("the vocabulary has it as {}", id));
    }
    size = std::max(model->vocabulary().size(), added.empty() ? 0 : added.rbegin()->first + 1);
  }

  void check_surroundings(const std::vector<std::int64_t>& ids) const {
    for (const auto id : ids) {
      if (find(id) == nullptr)
        throw Error(RH_MODEL_INVALID, fmt::format("{}: the post-processor adds the id {}, which no token has",
                                                  spec.added_shown, id));
    }
  }

  const std::string* find(std::int64_t id) const {
    const auto place = added.find(id);
    return place != added.end() ? &place->second->content : model->vocabulary().token(id);
  }

  bool is_special(std::int32_t id) const {
    const auto place = added.find(id);
    return place != added.end() && place->second->special;
  }

  // Text in which no raw added token is left; `first` says whether the whole text begins with it.
  void encode_between(std::string_view text, bool first, std::vector<std::int32_t>& ids) const {
    const std::string normal = normalize(normalizer, text);
    for (const auto& part : normalized_matcher.split(normal)) {
      if (part.id >= 0)
        ids.push_back(part.id);
      else
        encode_part(part.text, first && part.text.data() == normal.data(), ids);
    }
  }

  void encode_part(std::string_view text, bool first, std::vector<std::int32_t>& ids) const {
    Segments segments(std::string(text), first, longest_normal_text(text.size()));
    if (pre_tokenizer) pre_tokenizer->apply(segments);
    for (const auto& piece : segments.pieces)
      model->encode(segments.of(piece), ids);
  }

  TokenizerSpec spec;  // without vocabulary and merges
  NormalizerPart normalizer;
  PreTokenizerPart pre_tokenizer;
  Surroundings around;
  std::vector<DecodeStepMaker> decoder;
  TokenWriting writing;
  std::unique_ptr<Model> model;
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
  const auto& around = state_->around;
  std::vector<std::int32_t> ids;
  if (add_special) ids.assign(around.before.begin(), around.before.end());
  for (const auto& part : state_->raw_matcher.split(text)) {
    if (part.id >= 0)
      ids.push_back(part.id);
    else
      state_->encode_between(part.text, part.text.data() == text.data(), ids);
  }
  if (add_special) ids.insert(ids.end(), around.after.begin(), around.after.end());
  return ids;
}

std::string Tokenizer::decode(const std::vector<std::int32_t>& ids, bool skip_special) const {
  Decoding decoding(state_->decoder, false);
  std::string text;
  for (const auto id : ids) {
    const std::string written = token(id);
    if (!skip_special || !state_->is_special(id)) text += decoding.push(written);
  }
  return text + decoding.finish();
}

std::string Tokenizer::token(std::int32_t id) const {
  const auto* const found = state_->find(id);
  if (found == nullptr)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("id {} is not in the vocabulary of {} tokens", id, state_->size));
  return *found;
}

std::optional<TokenBytes> Tokenizer::bytes(std::int32_t id) const {
  const auto* const found = state_->find(id);
  if (found == nullptr) return std::nullopt;
  if (state_->added.contains(id)) return TokenBytes{*found, state_->is_special(id), true};
  return TokenBytes{state_->writing.bytes(*found), false, false};
}

std::int64_t Tokenizer::size() const {
  return state_->size;
}

struct TokenStream::State {
  const Tokenizer* tokenizer;
  bool skip_special;
  Decoding decoding;
};

TokenStream::TokenStream(const Tokenizer& tokenizer, bool skip_special)
    : state_(std::make_unique<State>(
          State{&tokenizer, skip_special, Decoding(tokenizer.state_->decoder, true)})) {
}
TokenStream::~TokenStream() = default;
TokenStream::TokenStream(TokenStream&&) noexcept = default;
TokenStream& TokenStream::operator=(TokenStream&&) noexcept = default;

std::string TokenStream::push(std::int32_t id) {
  const std::string written = state_->tokenizer->token(id);
  if (state_->skip_special && state_->tokenizer->state_->is_special(id)) return {};
  return state_->decoding.push(written);
}

std::string TokenStream::finish() {
  return state_->decoding.finish();
}

}  // namespace engines
