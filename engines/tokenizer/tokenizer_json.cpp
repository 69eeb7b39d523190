// SPDX-License-Identifier: Apache-2.0
// Reading tokenizer.json: the kinds of normalizer, splitter and model that are supported, and a refusal by
// name of all others.
#include <fmt/format.h>

#include <limits>

#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/config.h"
#include "engines/weights/json_file.h"
#include "engines/weights/mapped_file.h"

namespace engines {
namespace {

constexpr std::size_t largest_file = std::size_t{64} << 20;
constexpr std::int64_t highest_id = std::numeric_limits<std::int32_t>::max();

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
    if (part_ != Part::vocab) return scalar() && Base::number_unsigned(value);
    if (value > static_cast<number_unsigned_t>(highest_id))
      fail(fmt::format("model.vocab: the id {} is out of range", value));
    spec_.vocab.emplace_back(std::move(token_), static_cast<std::int64_t>(value));
    return true;
  }

  bool string(string_t& value) {
    if (part_ == Part::merges) {
      if (!in_pair_) {
        add_merge_line(value);
      } else {
        pair_.push_back(std::move(value));
      }
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
    if (part_ == Part::merges && !in_pair_) {
      in_pair_ = true;
      pair_.clear();
      return true;
    }
    scalar();
    if (depth() == 2 && in_model_ && member_ == "merges") part_ = Part::merges;
    return Base::start_array(size);
  }

  bool end_array() {
    if (in_pair_) {
      in_pair_ = false;
      if (pair_.size() != 2) fail_merge();
      spec_.merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
      return true;
    }
    part_ = Part::other;
    return Base::end_array();
  }

  bool null() { return scalar() && Base::null(); }
  bool boolean(bool value) { return scalar() && Base::boolean(value); }
  bool number_integer(number_integer_t value) { return scalar() && Base::number_integer(value); }
  bool number_float(number_float_t value, const string_t& text) {
    return scalar() && Base::number_float(value, text);
  }

 private:
  enum class Part { other, vocab, merges };

  // Refuses a value that has no place in the vocabulary or among the merges.
  bool scalar() const {
    if (part_ == Part::vocab) fail("model.vocab: " + in_quotes(token_) + " has no id, expected an integer");
    if (part_ == Part::merges) fail_merge();
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
};

// The elements of an array of objects, empty when the field is absent.
std::vector<Config> objects(const Config& parent, const nlohmann::json& tree, const std::string& field) {
  std::vector<Config> elements;
  const auto place = tree.find(field);
  if (place == tree.end() || place->is_null()) return elements;
  if (!place->is_array()) parent.fail(field, brief(*place) + " is not an array");
  for (const auto& element : *place)
    elements.emplace_back(element, fmt::format("{}: {}: element {}", parent.shown(), field, elements.size()));
  return elements;
}

void read_normalizer(const nlohmann::json& tree, const Config& config, TokenizerSpec& spec) {
  const std::string type = config.text("type");
  if (type == "NFC") {
    spec.nfc = true;
  } else if (type == "Sequence") {
    for (const auto& part : objects(config, tree, "normalizers"))
      if (part.text("type") != "NFC") part.fail("type", in_quotes(part.text("type")) + " is not supported");
    spec.nfc = spec.nfc || !tree.value("normalizers", nlohmann::json::array()).empty();
  } else {
    config.fail("type", in_quotes(type) + " is not supported, expected 'NFC'");
  }
}

SplitRules read_split(const Config& split) {
  const auto pattern = split.object("pattern");
  if (!pattern) split.fail("pattern", "is missing");
  const auto rules = rules_of_pattern(pattern->text("Regex"));
  if (!rules) pattern->fail("Regex", in_quotes(pattern->text("Regex")) + " is not a known pattern");
  // The known patterns match everything, so keeping the matches and keeping both sides are the same.
  const bool invert = split.boolean_or("invert", false);
  split.only("behavior", invert ? "Removed" : "Isolated");
  return *rules;
}

void read_byte_level(const Config& part, bool use_regex) {
  part.only("type", "ByteLevel");
  if (part.boolean_or("add_prefix_space", true)) part.fail("add_prefix_space", "true is not supported");
  if (part.boolean_or("use_regex", true) != use_regex)
    part.fail("use_regex", use_regex ? "false is not supported without a Split before it"
                                     : "true is not supported after a Split");
}

void read_pre_tokenizer(const nlohmann::json& tree, const Config& config, TokenizerSpec& spec) {
  const std::string type = config.text("type");
  if (type == "ByteLevel") {
    read_byte_level(config, true);
    spec.rules = SplitRules::gpt2;
    return;
  }
  if (type != "Sequence") config.fail("type", in_quotes(type) + " is not supported, expected 'Sequence'");
  const auto parts = objects(config, tree, "pretokenizers");
  if (parts.size() != 2 || parts[0].text("type") != "Split")
    config.fail("pretokenizers", "is not supported, expected a Split and a ByteLevel");
  spec.rules = read_split(parts[0]);
  read_byte_level(parts[1], false);
}

std::vector<std::int64_t> read_special_ids(const Config& processor, const std::string& name) {
  const auto tokens = processor.object("special_tokens");
  const auto token = tokens ? tokens->object(name) : std::nullopt;
  if (!token) processor.fail("special_tokens", in_quotes(name) + " is missing");
  return token->integers("ids", 1, 16, 0, highest_id);
}

// What a TemplateProcessing puts around a single text.
void read_template(const nlohmann::json& tree, const Config& config, TokenizerSpec& spec) {
  bool passed_text = false;
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  for (const auto& piece : objects(config, tree, "single")) {
    if (const auto special = piece.object("SpecialToken")) {
      const auto ids = read_special_ids(config, special->text("id"));
      auto& side = passed_text ? after : before;
      side.insert(side.end(), ids.begin(), ids.end());
    } else if (piece.has("Sequence") && !passed_text) {
      passed_text = true;
    } else {
      piece.fail("single", "is not supported, expected special tokens around one sequence");
    }
  }
  if (!passed_text) config.fail("single", "has no sequence");
  spec.before.insert(spec.before.begin(), before.begin(), before.end());
  spec.after.insert(spec.after.end(), after.begin(), after.end());
}

void read_post_processor(const nlohmann::json& tree, const Config& config, TokenizerSpec& spec) {
  const std::string type = config.text("type");
  if (type == "ByteLevel") return;  // only trims offsets, which are not kept here
  if (type == "TemplateProcessing") {
    read_template(tree, config, spec);
  } else if (type == "Sequence") {
    const auto parts = objects(config, tree, "processors");
    for (std::size_t i = 0; i < parts.size(); ++i)
      read_post_processor(tree.at("processors").at(i), parts[i], spec);
  } else {
    config.fail("type", in_quotes(type) + " is not supported, expected 'TemplateProcessing' or 'ByteLevel'");
  }
}

void read_model(const Config& model, TokenizerSpec& spec) {
  model.only("type", "BPE");
  if (model.number_or("dropout", 0, 0, 1) != 0) model.fail("dropout", "is not supported");
  model.only("continuing_subword_prefix", "");
  model.only("end_of_word_suffix", "");
  model.only("byte_fallback", false);
  spec.ignore_merges = model.boolean_or("ignore_merges", false);
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
  spec.vocab_shown = shown + ": model.vocab";
  spec.merges_shown = shown + ": model.merges";
  spec.added_shown = shown + ": added_tokens";
  const MappedFile mapped(file, shown);
  if (mapped.size() > largest_file)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: is {} bytes, expected at most {}", shown, mapped.size(), largest_file));
  Reader reader(spec, shown);
  const auto text = mapped.text();
  nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &reader);
  const nlohmann::json tree = reader.take();
  const Config config(tree, shown);

  const auto model = config.object("model");
  if (!model) config.fail("model", "is missing");
  read_model(*model, spec);
  for (const auto& element : objects(config, tree, "added_tokens")) {
    spec.added.push_back(read_added_token(element));
    spec.added.back().id = element.integer("id", 0, highest_id);
  }
  if (const auto part = config.object("normalizer")) read_normalizer(tree["normalizer"], *part, spec);
  const auto pre_tokenizer = config.object("pre_tokenizer");
  if (!pre_tokenizer) config.fail("pre_tokenizer", "is missing");
  read_pre_tokenizer(tree["pre_tokenizer"], *pre_tokenizer, spec);
  if (const auto part = config.object("post_processor"))
    read_post_processor(tree["post_processor"], *part, spec);
  const auto decoder = config.object("decoder");
  if (!decoder) config.fail("decoder", "is missing");
  decoder->only("type", "ByteLevel");
  return spec;
}

}  // namespace engines
