// SPDX-License-Identifier: Apache-2.0
// Reading tokenizer.json: the vocabulary and merges straight into the spec, the stages around them as they
// are.
#include <fmt/format.h>

#include "engines/tensor/error.h"
#include "engines/tokenizer/stage_config.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/json_file.h"
#include "engines/weights/mapped_file.h"

namespace engines {
namespace {

constexpr std::size_t largest_tokenizer_json = std::size_t{256} << 20;

// Sends model.vocab and model.merges, which are nearly all of the file, straight into the spec; everything
// else becomes a tree.
class Reader : public JsonTreeBuilder<nlohmann::json> {
  using Base = JsonTreeBuilder<nlohmann::json>;

 public:
  Reader(TokenizerSpec& spec, const std::string& shown) : Base(shown), spec_(spec) {}

  bool key(string_t& name) {
    if (part_ == Part::vocab) {
      token_ = std::move(name);
      return true;
    }
    if (depth() == 1) {
      in_model_ = name == "model";
      member_.clear();
    }
    if (depth() == 2 && in_model_) member_ = name;
    return Base::key(name);
  }

  bool number_unsigned(number_unsigned_t value) {
    if (part_ == Part::pieces) return add_score(static_cast<double>(value));
    if (part_ != Part::vocab) return scalar() && Base::number_unsigned(value);
    if (value > static_cast<number_unsigned_t>(highest_token_id))
      fail(fmt::format("model.vocab: the id {} is out of range", value));
    spec_.vocab.emplace_back(std::move(token_), static_cast<std::int64_t>(value));
    return true;
  }

  bool string(string_t& value) {
    if (in_pair_) {
      pair_.push_back(std::move(value));
      return true;
    }
    if (part_ == Part::merges) {
      add_merge_line(value);
      return true;
    }
    return scalar() && Base::string(value);
  }

  bool start_object(std::size_t size) {
    scalar();
    if (depth() == 2 && in_model_ && member_ == "vocab") part_ = Part::vocab;
    return Base::start_object(size);
  }

  bool end_object() {
    part_ = Part::other;
    return Base::end_object();
  }

  bool start_array(std::size_t size) {
    if ((part_ == Part::merges || part_ == Part::pieces) && !in_pair_) {
      in_pair_ = true;
      pair_.clear();
      scores_ = 0;
      return true;
    }
    scalar();
    if (depth() == 2 && in_model_ && member_ == "merges") part_ = Part::merges;
    if (depth() == 2 && in_model_ && member_ == "vocab") part_ = Part::pieces;
    return Base::start_array(size);
  }

  bool end_array() {
    if (in_pair_) {
      in_pair_ = false;
      if (part_ == Part::pieces) return add_piece();
      if (pair_.size() != 2) fail_merge();
      spec_.merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
      return true;
    }
    part_ = Part::other;
    return Base::end_array();
  }

  bool null() { return scalar() && Base::null(); }
  bool boolean(bool value) { return scalar() && Base::boolean(value); }
  bool number_integer(number_integer_t value) {
    if (part_ == Part::pieces) return add_score(static_cast<double>(value));
    return scalar() && Base::number_integer(value);
  }
  bool number_float(number_float_t value, const string_t& text) {
    if (part_ == Part::pieces) return add_score(value);
    return scalar() && Base::number_float(value, text);
  }

 private:
  enum class Part { other, vocab, pieces, merges };

  // Refuses a value that has no place in the vocabulary or among the merges.
  bool scalar() const {
    if (part_ == Part::vocab) fail("model.vocab: " + in_quotes(token_) + " has no id, expected an integer");
    if (part_ == Part::merges) fail_merge();
    if (part_ == Part::pieces) fail_piece();
    return true;
  }

  [[noreturn]] void fail_piece() const {
    fail(fmt::format("model.vocab: element {} is not a token and its score, expected [\"a\", -1.5]",
                     spec_.vocab.size()));
  }

  bool add_score(double score) {
    if (!in_pair_ || pair_.size() != 1 || scores_++ > 0) fail_piece();
    spec_.scores.push_back(score);
    return true;
  }

  bool add_piece() {
    if (pair_.size() != 1 || scores_ != 1) fail_piece();
    const auto id = static_cast<std::int64_t>(spec_.vocab.size());
    if (id > highest_token_id) fail("model.vocab: has more tokens than there are ids");
    spec_.vocab.emplace_back(std::move(pair_[0]), id);
    return true;
  }

  [[noreturn]] void fail_merge() const {
    fail(fmt::format("model.merges: merge {} is not a pair of tokens, expected [\"a\", \"b\"] or \"a b\"",
                     spec_.merges.size()));
  }

  void add_merge_line(const std::string& line) {
    const auto space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos) fail_merge();
    spec_.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }

  TokenizerSpec& spec_;
  Part part_ = Part::other;
  bool in_model_ = false;
  std::string member_;  // of the model
  std::string token_;
  bool in_pair_ = false;
  std::vector<std::string> pair_;
  int scores_ = 0;  // in the pair
};

struct ModelName {
  std::string_view name;
  ModelKind kind;
};
constexpr ModelName model_names[] = {{"BPE", ModelKind::bpe},
                                     {"Unigram", ModelKind::unigram},
                                     {"WordPiece", ModelKind::word_piece},
                                     {"WordLevel", ModelKind::word_level}};

// Older files do not say the type: it shows in the fields.
ModelKind read_kind(const Config& model, const TokenizerSpec& spec) {
  if (!model.has("type")) {
    if (model.has("merges")) return ModelKind::bpe;
    if (!spec.scores.empty()) return ModelKind::unigram;
    return model.has("max_input_chars_per_word") ? ModelKind::word_piece : ModelKind::word_level;
  }
  const std::string type = model.text("type");
  for (const auto& [name, kind] : model_names)
    if (name == type) return kind;
  model.fail("type",
             fmt::format("{} is not supported, expected one of 'BPE', 'Unigram', 'WordPiece', 'WordLevel'",
                         in_quotes(type)));
}

void read_model(const Config& model, TokenizerSpec& spec) {
  spec.kind = read_kind(model, spec);
  // An id for each token, or a score: which of them depends on the kind.
  if ((spec.kind == ModelKind::unigram) == spec.scores.empty() && !spec.vocab.empty())
    model.fail("vocab", spec.scores.empty() ? "has no scores" : "has scores instead of ids");
  if (model.number_or("dropout", 0, 0, 1) != 0) model.fail("dropout", "is not supported");
  const bool words = spec.kind == ModelKind::word_piece;
  spec.prefix = model.text_or("continuing_subword_prefix", words ? "##" : "");
  spec.suffix = model.text_or("end_of_word_suffix", "");
  spec.byte_fallback = model.boolean_or("byte_fallback", false);
  spec.ignore_merges = model.boolean_or("ignore_merges", false);
  spec.fuse_unk = model.boolean_or("fuse_unk", false);
  if (model.has("unk_token")) spec.unk_token = model.text("unk_token");
  if (model.has("unk_id")) spec.unk_id = model.integer("unk_id", 0, highest_token_id);
  spec.most_characters = model.integer_or("max_input_chars_per_word", 100, 0, highest_token_id);
}

nlohmann::json stage(const nlohmann::json& tree, const char* name) {
  const auto place = tree.find(name);
  return place == tree.end() ? nlohmann::json() : *place;
}

}  // namespace

AddedToken read_added_token(const Config& object) {
  AddedToken token;
  token.content = object.text("content");
  token.special = object.boolean_or("special", false);
  token.single_word = object.boolean_or("single_word", false);
  token.lstrip = object.boolean_or("lstrip", false);
  token.rstrip = object.boolean_or("rstrip", false);
  token.normalized = object.boolean_or("normalized", !token.special);
  return token;
}

TokenizerSpec read_tokenizer_json(const std::filesystem::path& file, const std::string& shown) {
  TokenizerSpec spec;
  spec.shown = shown;
  spec.vocab_shown = shown + ": model.vocab";
  spec.merges_shown = shown + ": model.merges";
  spec.added_shown = shown + ": added_tokens";
  const MappedFile mapped(file, shown);
  if (mapped.size() > largest_tokenizer_json)
    throw Error(RH_MODEL_INVALID, fmt::format("{}: is {} bytes, expected at most {}", shown, mapped.size(),
                                              largest_tokenizer_json));
  Reader reader(spec, shown);
  const auto text = mapped.text();
  nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &reader);
  const nlohmann::json tree = reader.take();
  const StageConfig file_tree(tree, shown);

  const auto model = file_tree.object("model");
  if (!model) file_tree.fail("model", "is missing");
  read_model(*model, spec);
  for (const auto& element : file_tree.parts("added_tokens")) {
    spec.added.push_back(read_added_token(element));
    spec.added.back().id = element.integer("id", 0, highest_token_id);
  }
  spec.normalizer = stage(tree, "normalizer");
  spec.pre_tokenizer = stage(tree, "pre_tokenizer");
  spec.post_processor = stage(tree, "post_processor");
  spec.decoder = stage(tree, "decoder");
  return spec;
}

}  // namespace engines
