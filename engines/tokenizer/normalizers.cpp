// SPDX-License-Identifier: Apache-2.0
// The normalizers of tokenizer.json, each a small class, and the table of their names.
#include "engines/tokenizer/normalizers.h"

#include <utility>
#include <vector>

#include "engines/tensor/error.h"
#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/pattern.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

// A normalizer that is a function of the text alone.
template <std::string (*function)(std::string_view)>
class TextFunction : public Normalizer {
 public:
  std::string apply(std::string text, std::size_t most) const override {
    text = function(text);
    require_no_longer(text, most);
    return text;
  }
};

template <std::string (*function)(std::string_view)>
NormalizerPart text_function(const StageConfig&) {
  return std::make_unique<TextFunction<function>>();
}

// The characters that nmt-nfkc of SentencePiece drops, and those that it makes a space of.
std::string nmt(std::string_view text) {
  const auto dropped = [](char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
           c == 0x9F;
  };
  const auto blank = [](char32_t c) {
    return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
           c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
  };
  return unicode::map(text, [&](char32_t c, std::string& out) {
    if (!dropped(c)) unicode::append_utf8(out, blank(c) ? U' ' : c);
  });
}

std::string without_marks(std::string_view text) {
  return unicode::map(text, [](char32_t c, std::string& out) {
    if (!unicode::is_mark(c)) unicode::append_utf8(out, c);
  });
}

class Strip : public Normalizer {
 public:
  explicit Strip(const StageConfig& component)
      : left_(component.boolean_or("strip_left", true)), right_(component.boolean_or("strip_right", true)) {}
  std::string apply(std::string text, std::size_t) const override {
    std::string_view rest = text;
    for (auto c = unicode::decode_first(rest); left_ && c.bytes > 0 && unicode::is_space(c.value);
         c = unicode::decode_first(rest))
      rest.remove_prefix(c.bytes);
    for (auto c = unicode::decode_last(rest); right_ && c.bytes > 0 && unicode::is_space(c.value);
         c = unicode::decode_last(rest))
      rest.remove_suffix(c.bytes);
    return std::string(rest);
  }

 private:
  bool left_;
  bool right_;
};

class Replace : public Normalizer {
 public:
  explicit Replace(const StageConfig& component)
      : pattern_(Pattern::read(component)), content_(component.text("content")) {}
  std::string apply(std::string text, std::size_t most) const override {
    return pattern_.replace(text, content_, most);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(const StageConfig& component) : prefix_(component.text("prepend")) {}
  std::string apply(std::string text, std::size_t most) const override {
    if (!text.empty()) text.insert(0, prefix_);
    require_no_longer(text, most);
    return text;
  }

 private:
  std::string prefix_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(const StageConfig& component) {
    for (const auto& part : component.parts("normalizers"))
      parts_.push_back(make_normalizer(part));
  }
  std::string apply(std::string text, std::size_t most) const override {
    for (const auto& part : parts_)
      text = part->apply(std::move(text), most);
    return text;
  }

 private:
  std::vector<NormalizerPart> parts_;
};

template <class Kind>
NormalizerPart normalizer_from(const StageConfig& component) {
  return std::make_unique<Kind>(component);
}

constexpr StageKind<NormalizerPart> normalizer_kinds[] = {
    {"BertNormalizer", make_bert_normalizer},
    {"ByteLevel", text_function<to_byte_alphabet>},
    {"Lowercase", text_function<unicode::lower_text>},
    {"NFC", text_function<unicode::nfc>},
    {"NFD", text_function<unicode::nfd>},
    {"NFKC", text_function<unicode::nfkc>},
    {"NFKD", text_function<unicode::nfkd>},
    {"Nmt", text_function<nmt>},
    {"Precompiled", make_precompiled_charsmap},
    {"Prepend", normalizer_from<Prepend>},
    {"Replace", normalizer_from<Replace>},
    {"Sequence", normalizer_from<NormalizerSequence>},
    {"Strip", normalizer_from<Strip>},
    {"StripAccents", text_function<without_marks>},
};

}  // namespace

NormalizerPart make_normalizer(const StageConfig& component) {
  return make_of_kind(component, normalizer_kinds);
}

// NFKD makes at most 18 characters of one, and no published normalizer more.
std::size_t longest_normal_text(std::size_t bytes) {
  constexpr std::size_t growth = 64, least = std::size_t{1} << 20;
  return least + growth * bytes;
}

void require_no_longer(const std::string& text, std::size_t most) {
  if (text.size() > most)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("text: the tokenizer's stages make more than {} bytes of it", most));
}

}  // namespace engines
