// SPDX-License-Identifier: Apache-2.0
// The decoders of tokenizer.json, each a small class, and the table of their names.
#include "engines/tokenizer/decoders.h"

#include <limits>
#include <memory>
#include <utility>

#include "engines/tokenizer/decode_steps.h"
#include "engines/tokenizer/metaspace.h"
#include "engines/tokenizer/pattern.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

using StepMakers = std::vector<DecodeStepMaker>;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// English as it is written, as WordPiece's and CTC's `cleanup` have it.
void clean_up(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> spellings[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : spellings)
    replace_all(text, from, to);
}

class FuseStep : public DecodeStep {
 public:
  void push(TokenPart part) override {
    pass({std::move(part.text), first_, false});
    first_ = false;
  }
  void finish() override { pass({"", first_, true}); }

 private:
  bool first_ = true;
};

// Drops up to so many of a character from the beginning and the end of each token.
class StripStep : public DecodeStep {
 public:
  explicit StripStep(const StageConfig& component)
      : content_(component.character("content")),
        start_(count(component, "start")),
        stop_(count(component, "stop")) {}

  void push(TokenPart part) override {
    if (part.first) {
      left_ = start_;
      held_.clear();
    }
    std::string text = std::exchange(held_, {}) + part.text;
    std::size_t begin = 0;
    for (; left_ > 0 && std::string_view(text).substr(begin).starts_with(content_); --left_)
      begin += content_.size();
    if (begin < text.size()) left_ = 0;
    const std::size_t end = text.size() - trailing(std::string_view(text).substr(begin));
    if (!part.last) held_ = text.substr(end);
    pass({text.substr(begin, end - begin), part.first, part.last});
  }

 private:
  static std::size_t count(const StageConfig& component, const char* field) {
    return static_cast<std::size_t>(
        component.integer_or(field, 0, 0, std::numeric_limits<std::int32_t>::max()));
  }
  // The bytes at the end that would be dropped if the token ended here.
  std::size_t trailing(std::string_view text) const {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < stop_ && text.ends_with(content_); ++i) {
      text.remove_suffix(content_.size());
      bytes += content_.size();
    }
    return bytes;
  }

  std::string content_;
  std::size_t start_;
  std::size_t stop_;
  std::size_t left_ = 0;
  std::string held_;
};

class ReplaceStep : public WholeTokenStep {
 public:
  explicit ReplaceStep(const StageConfig& component)
      : pattern_(std::make_shared<Pattern>(Pattern::read(component))), content_(component.text("content")) {}

 protected:
  void take(std::string token) override {
    constexpr std::size_t most = std::size_t{1} << 30;
    pass({pattern_->replace(token, content_, most)});
  }

 private:
  std::shared_ptr<const Pattern> pattern_;
  std::string content_;
};

class MetaspaceStep : public WholeTokenStep {
 public:
  explicit MetaspaceStep(const StageConfig& component) : space_(component) {}

 protected:
  void take(std::string token) override {
    const bool drops = first_ && space_.scheme != Metaspace::Scheme::never;
    first_ = false;
    replace_all(token, space_.replacement, drops ? "" : " ");
    pass({std::move(token)});
  }

 private:
  Metaspace space_;
  bool first_ = true;
};

class WordPieceStep : public WholeTokenStep {
 public:
  explicit WordPieceStep(const StageConfig& component)
      : prefix_(component.text_or("prefix", "##")), cleanup_(component.boolean_or("cleanup", true)) {}

 protected:
  void take(std::string token) override {
    if (!first_) {
      if (token.starts_with(prefix_))
        token.erase(0, prefix_.size());
      else
        token.insert(0, " ");
    }
    first_ = false;
    if (cleanup_) clean_up(token);
    pass({std::move(token)});
  }

 private:
  std::string prefix_;
  bool cleanup_;
  bool first_ = true;
};

// The suffix of a token that ends a word is a space, except at the end of the text.
class WordSuffixStep : public WholeTokenStep {
 public:
  explicit WordSuffixStep(const StageConfig& component) : suffix_(component.text_or("suffix", "</w>")) {}
  void finish() override { pass_held(""); }

 protected:
  void take(std::string token) override {
    pass_held(" ");
    held_ = std::move(token);
    holds_ = true;
  }

 private:
  void pass_held(std::string_view space) {
    if (!std::exchange(holds_, false)) return;
    replace_all(held_, suffix_, space);
    pass({std::move(held_)});
  }

  std::string suffix_;
  std::string held_;
  bool holds_ = false;
};

class CtcStep : public WholeTokenStep {
 public:
  explicit CtcStep(const StageConfig& component)
      : pad_(component.text_or("pad_token", "<pad>")),
        delimiter_(component.text_or("word_delimiter_token", "|")),
        cleanup_(component.boolean_or("cleanup", true)) {}

 protected:
  void take(std::string token) override {
    if (!std::exchange(begun_, true) || token != previous_) pass_once(token);
    previous_ = std::move(token);
  }

 private:
  void pass_once(std::string token) {
    replace_all(token, pad_, "");
    if (cleanup_) {
      clean_up(token);
      replace_all(token, delimiter_, " ");
    }
    if (!token.empty()) pass({std::move(token)});
  }

  std::string pad_;
  std::string delimiter_;
  bool cleanup_;
  bool begun_ = false;
  std::string previous_;
};

class JoinStep : public WholeTokenStep {
 protected:
  void take(std::string token) override {
    if (std::exchange(begun_, true)) token.insert(0, " ");
    pass({std::move(token)});
  }

 private:
  bool begun_ = false;
};

template <class Step>
StepMakers decoder_from(const StageConfig& component) {
  return copies_of(Step(component));
}

StepMakers make_fuse(const StageConfig&) {
  return copies_of(FuseStep());
}

StepMakers make_decoder_sequence(const StageConfig& component) {
  StepMakers all;
  for (const auto& part : component.parts("decoders")) {
    for (auto& maker : make_decoder(part))
      all.push_back(std::move(maker));
  }
  return all;
}

constexpr StageKind<StepMakers> decoder_kinds[] = {
    {"BPEDecoder", decoder_from<WordSuffixStep>},
    {"ByteFallback", make_byte_fallback_decoder},
    {"ByteLevel", make_byte_level_decoder},
    {"CTC", decoder_from<CtcStep>},
    {"Fuse", make_fuse},
    {"Metaspace", decoder_from<MetaspaceStep>},
    {"Replace", decoder_from<ReplaceStep>},
    {"Sequence", make_decoder_sequence},
    {"Strip", decoder_from<StripStep>},
    {"WordPiece", decoder_from<WordPieceStep>},
};

}  // namespace

StepMakers make_decoder(const StageConfig& component) {
  return make_of_kind(component, decoder_kinds);
}

StepMakers default_decoder() {
  return copies_of(JoinStep());
}

class Decoding::Sink : public DecodeStep {
 public:
  void push(TokenPart part) override { text += part.text; }
  std::string text;
};

Decoding::Decoding(const std::vector<DecodeStepMaker>& makers, bool eager) {
  for (const auto& make : makers)
    steps_.push_back(make(eager));
  steps_.push_back(std::make_unique<Sink>());
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i)
    steps_[i]->set_next(steps_[i + 1].get());
}

std::string Decoding::push(const std::string& token) {
  steps_.front()->push({token});
  return std::exchange(static_cast<Sink&>(*steps_.back()).text, {});
}

std::string Decoding::finish() {
  for (const auto& step : steps_)
    step->finish();
  return std::exchange(static_cast<Sink&>(*steps_.back()).text, {});
}

}  // namespace engines
