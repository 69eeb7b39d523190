// SPDX-License-Identifier: Apache-2.0
// The pre-tokenizers of tokenizer.json, each a small class, and the table of their names.
#include "engines/tokenizer/pre_tokenizers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/metaspace.h"
#include "engines/tokenizer/normalizers.h"
#include "engines/tokenizer/published_splits.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

std::vector<PatternPart> published_parts(std::string_view text, SplitRules rules) {
  std::vector<PatternPart> parts;
  std::size_t at = 0;
  for (const auto piece : split_pieces(text, rules)) {
    parts.push_back({at, at + piece.size(), true});
    at += piece.size();
  }
  return parts;
}

// Cuts by a class of characters.
template <bool (*is)(char32_t), SplitBehavior behavior>
class CharacterSplit : public PreTokenizer {
 public:
  void apply(Segments& segments) const override {
    split_segments(segments, behavior, [](std::string_view text) { return parts_by_character(text, is); });
  }
};

class ByteLevel : public PreTokenizer {
 public:
  explicit ByteLevel(const StageConfig& component)
      : prefix_(component.boolean_or("add_prefix_space", true)),
        split_(component.boolean_or("use_regex", true)) {}
  void apply(Segments& segments) const override {
    if (prefix_)
      rewrite_segments(segments, [](std::string_view text, bool, std::string& out) {
        if (!text.starts_with(' ')) out += ' ';
        out += text;
      });
    if (split_)
      split_segments(segments, SplitBehavior::isolated,
                     [](std::string_view text) { return published_parts(text, SplitRules::gpt2); });
    rewrite_segments(segments,
                     [](std::string_view text, bool, std::string& out) { append_byte_alphabet(text, out); });
    require_no_longer(segments.text, segments.most);
  }
  bool byte_level() const override { return true; }

 private:
  bool prefix_;
  bool split_;
};

class Split : public PreTokenizer {
 public:
  explicit Split(const StageConfig& component)
      : pattern_(Pattern::read(component)),
        behavior_(read_split_behavior(component, SplitBehavior::isolated)),
        invert_(component.boolean_or("invert", false)) {
    // The known patterns match everything, so keeping the matches and keeping both sides are the same.
    if (behavior_ == (invert_ ? SplitBehavior::removed : SplitBehavior::isolated))
      published_ = rules_of_pattern(pattern_.expression());
  }
  void apply(Segments& segments) const override {
    if (published_)
      split_segments(segments, SplitBehavior::isolated,
                     [&](std::string_view text) { return published_parts(text, *published_); });
    else
      split_segments(segments, behavior_, [&](std::string_view text) { return parts(text); });
  }

 private:
  std::vector<PatternPart> parts(std::string_view text) const {
    auto all = pattern_.parts(text);
    for (auto& part : all)
      part.match = part.match != invert_;
    return all;
  }

  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
  std::optional<SplitRules> published_;
};

class MetaspaceSplit : public PreTokenizer {
 public:
  explicit MetaspaceSplit(const StageConfig& component)
      : space_(component), split_(component.boolean_or("split", true)) {}
  void apply(Segments& segments) const override {
    rewrite_segments(segments,
                     [&](std::string_view text, bool first, std::string& out) { append(text, first, out); });
    require_no_longer(segments.text, segments.most);
    if (!split_) return;
    const Pattern pattern = Pattern::literal(space_.replacement);
    split_segments(segments, SplitBehavior::merged_with_next,
                   [&](std::string_view text) { return pattern.parts(text); });
  }

 private:
  void append(std::string_view text, bool first, std::string& out) const {
    const bool prepends =
        space_.scheme == Metaspace::Scheme::always || (space_.scheme == Metaspace::Scheme::first && first);
    if (prepends && !text.starts_with(' ') && !text.starts_with(space_.replacement))
      out += space_.replacement;
    for (const char byte : text) {
      if (byte == ' ')
        out += space_.replacement;
      else
        out += byte;
    }
  }

  Metaspace space_;
  bool split_;
};

// \w+|[^\w\s]+
class WordSplit : public PreTokenizer {
 public:
  explicit WordSplit(const StageConfig&) {}
  void apply(Segments& segments) const override {
    using unicode::is_space, unicode::is_word;
    split_segments(segments, SplitBehavior::removed,
                   [](std::string_view text) { return parts_by_character(text, is_space); });
    split_segments(segments, SplitBehavior::contiguous,
                   [](std::string_view text) { return parts_by_character(text, is_word); });
  }
};

bool is_sign(char32_t c) {
  const bool ascii = c < 0x80 && c > 0x20 && c != 0x7F && !unicode::is_number(c) &&
                     unicode::class_of(c) == unicode::CharClass::other;
  return ascii || unicode::is_punctuation(c);
}

class PunctuationSplit : public PreTokenizer {
 public:
  explicit PunctuationSplit(const StageConfig& component)
      : behavior_(read_split_behavior(component, SplitBehavior::isolated)) {}
  void apply(Segments& segments) const override {
    split_segments(segments, behavior_,
                   [](std::string_view text) { return parts_by_character(text, is_sign); });
  }

 private:
  SplitBehavior behavior_;
};

class DigitSplit : public PreTokenizer {
 public:
  explicit DigitSplit(const StageConfig& component)
      : behavior_(component.boolean_or("individual_digits", false) ? SplitBehavior::isolated
                                                                   : SplitBehavior::contiguous) {}
  void apply(Segments& segments) const override {
    split_segments(segments, behavior_,
                   [](std::string_view text) { return parts_by_character(text, unicode::is_number); });
  }

 private:
  SplitBehavior behavior_;
};

class DelimiterSplit : public PreTokenizer {
 public:
  explicit DelimiterSplit(const StageConfig& component)
      : delimiter_(Pattern::literal(component.character("delimiter"))) {}
  void apply(Segments& segments) const override {
    split_segments(segments, SplitBehavior::removed,
                   [&](std::string_view text) { return delimiter_.parts(text); });
  }

 private:
  Pattern delimiter_;
};

class FixedLength : public PreTokenizer {
 public:
  explicit FixedLength(const StageConfig& component)
      : length_(component.integer_or("length", 5, 1, std::numeric_limits<std::int64_t>::max())) {}
  void apply(Segments& segments) const override {
    split_segments(segments, SplitBehavior::isolated, [&](std::string_view text) {
      std::vector<PatternPart> parts;
      std::int64_t count = 0;
      for (std::size_t at = 0; at < text.size(); ++count) {
        const std::size_t bytes = std::max<std::size_t>(unicode::decode_first(text.substr(at)).bytes, 1);
        if (count % length_ == 0) parts.push_back({at, at, true});
        parts.back().end = at += bytes;
      }
      return parts;
    });
  }

 private:
  std::int64_t length_;
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  // The list of its parts is named otherwise than in normalizers and decoders.
  explicit PreTokenizerSequence(const StageConfig& component) {
    for (const auto& part : component.parts("pretokenizers"))
      parts_.push_back(make_pre_tokenizer(part));
  }
  explicit PreTokenizerSequence(std::vector<PreTokenizerPart> parts) : parts_(std::move(parts)) {}
  void apply(Segments& segments) const override {
    for (const auto& part : parts_)
      part->apply(segments);
  }
  bool byte_level() const override {
    return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->byte_level(); });
  }

 private:
  std::vector<PreTokenizerPart> parts_;
};

using WhitespaceSplit = CharacterSplit<unicode::is_space, SplitBehavior::removed>;
using SignSplit = CharacterSplit<is_sign, SplitBehavior::isolated>;

PreTokenizerPart make_whitespace_split(const StageConfig&) {
  return std::make_unique<WhitespaceSplit>();
}

PreTokenizerPart make_bert_split(const StageConfig&) {
  std::vector<PreTokenizerPart> parts;
  parts.push_back(std::make_unique<WhitespaceSplit>());
  parts.push_back(std::make_unique<SignSplit>());
  return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

template <class Kind>
PreTokenizerPart pre_tokenizer_from(const StageConfig& component) {
  return std::make_unique<Kind>(component);
}

constexpr StageKind<PreTokenizerPart> pre_tokenizer_kinds[] = {
    {"BertPreTokenizer", make_bert_split},
    {"ByteLevel", pre_tokenizer_from<ByteLevel>},
    {"CharDelimiterSplit", pre_tokenizer_from<DelimiterSplit>},
    {"Digits", pre_tokenizer_from<DigitSplit>},
    {"FixedLength", pre_tokenizer_from<FixedLength>},
    {"Metaspace", pre_tokenizer_from<MetaspaceSplit>},
    {"Punctuation", pre_tokenizer_from<PunctuationSplit>},
    {"Sequence", pre_tokenizer_from<PreTokenizerSequence>},
    {"Split", pre_tokenizer_from<Split>},
    {"Whitespace", pre_tokenizer_from<WordSplit>},
    {"WhitespaceSplit", make_whitespace_split},
};

}  // namespace

PreTokenizerPart make_pre_tokenizer(const StageConfig& component) {
  return make_of_kind(component, pre_tokenizer_kinds);
}

}  // namespace engines
