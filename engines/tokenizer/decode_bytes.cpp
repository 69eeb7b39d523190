// SPDX-License-Identifier: Apache-2.0
// Tokens of bytes to characters. Bytes are held while they may still become a character.
#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/decode_steps.h"
#include "engines/tokenizer/token_writing.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

const std::string kReplacement = "\uFFFD";

// Makes one token of all: bytes of one may complete a character of the one before.
class ByteLevelStep : public DecodeStep {
 public:
  void push(TokenPart part) override {
    // Tokens that are not in the alphabet are added ones.
    bytes_ += from_byte_alphabet(part.text).value_or(part.text);
    pass_all_but(unicode::unfinished_tail(bytes_), false);
  }
  void finish() override { pass_all_but(0, true); }

 private:
  void pass_all_but(std::size_t tail, bool last) {
    const std::size_t complete = bytes_.size() - tail;
    if (complete == 0 && !last) return;
    pass({unicode::replace_invalid(std::string_view(bytes_).substr(0, complete)), first_, last});
    bytes_.erase(0, complete);
    first_ = false;
  }

  std::string bytes_;
  bool first_ = true;
};

// Bytes in a row that are not valid together become U+FFFD each, as Hugging Face's library has it; eagerly
// the characters among them have left before that is known.
class ByteFallbackStep : public WholeTokenStep {
 public:
  explicit ByteFallbackStep(bool eager) : eager_(eager) {}
  void finish() override { pass_bytes(); }

 protected:
  void take(std::string token) override {
    if (const auto byte = byte_of_token(token)) {
      bytes_ += *byte;
      if (eager_) pass_characters();
      return;
    }
    pass_bytes();
    pass({std::move(token)});
  }

 private:
  void pass_characters() {
    while (const std::size_t length = unicode::decode_first(bytes_).bytes) {
      pass({bytes_.substr(0, length)});
      bytes_.erase(0, length);
    }
    // What cannot become a character any more does not hold up the rest.
    while (bytes_.size() > unicode::unfinished_tail(bytes_)) {
      pass({kReplacement});
      bytes_.erase(0, 1);
    }
  }
  void pass_bytes() {
    if (bytes_.empty()) return;
    if (unicode::first_invalid(bytes_) == std::string::npos) {
      pass({bytes_});
    } else {
      for (std::size_t i = 0; i < bytes_.size(); ++i)
        pass({kReplacement});
    }
    bytes_.clear();
  }

  bool eager_;
  std::string bytes_;
};

}  // namespace

std::vector<DecodeStepMaker> make_byte_level_decoder(const StageConfig&) {
  return {[](bool) { return std::make_unique<ByteLevelStep>(); }};
}

std::vector<DecodeStepMaker> make_byte_fallback_decoder(const StageConfig&) {
  return {[](bool eager) { return std::make_unique<ByteFallbackStep>(eager); }};
}

}  // namespace engines
