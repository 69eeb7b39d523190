// SPDX-License-Identifier: Apache-2.0
// BERT's own normalizer: control characters out, ideographs apart, accents and capitals as asked.
#include "engines/tokenizer/normalizers.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

bool is_bert_control(char32_t c) {
  return c != U'\t' && c != U'\n' && c != U'\r' && unicode::is_other(c);
}

std::string cleaned(std::string_view text) {
  return unicode::map(text, [](char32_t c, std::string& out) {
    if (c == 0 || c == 0xFFFD || is_bert_control(c)) return;
    unicode::append_utf8(out, unicode::is_space(c) ? U' ' : c);
  });
}

bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

std::string with_ideographs_apart(std::string_view text) {
  return unicode::map(text, [](char32_t c, std::string& out) {
    if (is_ideograph(c)) out += ' ';
    unicode::append_utf8(out, c);
    if (is_ideograph(c)) out += ' ';
  });
}

std::string without_accents(std::string_view text) {
  return unicode::map(unicode::nfd(text), [](char32_t c, std::string& out) {
    if (!unicode::is_nonspacing_mark(c)) unicode::append_utf8(out, c);
  });
}

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const StageConfig& component)
      : clean_(component.boolean_or("clean_text", true)),
        chinese_(component.boolean_or("handle_chinese_chars", true)),
        lowercase_(component.boolean_or("lowercase", true)),
        strip_accents_(component.boolean_or("strip_accents", lowercase_)) {}

  std::string apply(std::string text, std::size_t most) const override {
    if (clean_) text = cleaned(text);
    if (chinese_) text = with_ideographs_apart(text);
    if (strip_accents_) text = without_accents(text);
    if (lowercase_) text = unicode::lower_text(text);
    require_no_longer(text, most);
    return text;
  }

 private:
  bool clean_;
  bool chinese_;
  bool lowercase_;
  bool strip_accents_;
};

}  // namespace

NormalizerPart make_bert_normalizer(const StageConfig& component) {
  return std::make_unique<BertNormalizer>(component);
}

}  // namespace engines
