// SPDX-License-Identifier: Apache-2.0
// A model whose logits are hashes of the whole text and of how it was cut, so that any difference shows.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engines/decoding/token_random.h"
#include "engines/tensor/error.h"
#include "engines/text/language_model.h"

namespace engines::test {

class FakeState : public TextState {
 public:
  explicit FakeState(std::shared_ptr<std::atomic<std::int64_t>> all) : held_(std::move(all)) {}
  ~FakeState() override { *held_ -= size(); }
  std::int64_t size() const override { return std::ssize(chain_); }
  void truncate(std::int64_t tokens) override {
    *held_ -= size() - tokens;
    chain_.resize(static_cast<std::size_t>(tokens));
  }
  std::unique_ptr<TextState> fork(std::int64_t tokens) const override {
    auto other = std::make_unique<FakeState>(held_);
    for (std::int64_t i = 0; i < tokens; ++i)
      other->push(chain_[static_cast<std::size_t>(i)]);
    return other;
  }

  std::uint64_t last() const { return chain_.empty() ? 0 : chain_.back(); }
  void push(std::uint64_t hash) {
    chain_.push_back(hash);
    ++*held_;
  }

 private:
  std::vector<std::uint64_t> chain_;  // of each token: a hash of all up to it
  std::shared_ptr<std::atomic<std::int64_t>> held_;
};

class FakeModel : public LanguageModel {
 public:
  explicit FakeModel(std::int64_t vocab = 32, std::int64_t window = 4096) : vocab_(vocab), window_(window) {}

  std::int64_t vocab_size() const override { return vocab_; }
  std::int64_t window() const override { return window_; }
  std::unique_ptr<TextState> make_state() override { return std::make_unique<FakeState>(held_); }
  std::uint64_t held_bytes() const override { return static_cast<std::uint64_t>(held_->load()); }
  std::uint64_t weight_bytes() const override { return 0; }
  std::uint64_t state_bytes(std::int64_t held) const override { return static_cast<std::uint64_t>(held); }

  void forward(std::span<const TextRows> texts, Rows logits, Run& run) override {
    if (before) before(texts);
    run.check_cancelled();
    ++passes;
    std::int64_t row = 0;
    for (const TextRows& text : texts)
      read(text, logits, row);
  }

  std::function<void(std::span<const TextRows>)> before;  // may throw
  std::int64_t passes = 0;
  bool forgetful = false;  // logits depend on the last id alone, so that texts repeat themselves

 private:
  void read(const TextRows& text, Rows logits, std::int64_t& row) {
    auto& state = dynamic_cast<FakeState&>(*text.state);
    const auto count = std::ssize(text.ids);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint64_t>(text.ids[static_cast<std::size_t>(i)]);
      const auto cut = count > kFewRows ? static_cast<std::uint64_t>(count * 1024 + i) : 0;
      state.push(decoding::random_bits(state.last(), id * 977 + cut));
      if (i >= count - text.wanted) fill(logits.row_span(row++), forgetful ? id : state.last());
    }
  }
  static void fill(std::span<float> logits, std::uint64_t seed) {
    for (std::size_t i = 0; i < logits.size(); ++i)
      logits[i] = static_cast<float>(decoding::random_unit(seed, i) * 8);
  }

  std::int64_t vocab_, window_;
  std::shared_ptr<std::atomic<std::int64_t>> held_ = std::make_shared<std::atomic<std::int64_t>>(0);
};

}  // namespace engines::test
