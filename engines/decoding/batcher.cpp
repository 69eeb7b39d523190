// SPDX-License-Identifier: Apache-2.0
// The threads of the readers: they wait for logits, choose, and hand on. batch_passes.cpp is the other side.
#include "engines/decoding/batcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engines/decoding/lookup.h"
#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

// How often a text that waits for others asks whether it is still wanted.
constexpr std::chrono::milliseconds kAsked{50};
constexpr std::size_t kGuessed = 4;
constexpr std::int64_t kLongestPause = 64;

}  // namespace

Batcher::Batcher(LanguageModel& model, const BatchSettings& settings)
    : model_(model),
      settings_(settings),
      kept_(model, settings.piece),
      thread_([this] { compute_forever(); }) {
}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

BatchReport Batcher::run(BatchInput input, TextReader& reader) {
  Lock lock(mutex_, std::defer_lock);
  const auto place = enter(input, reader);
  BatchText& text = *place;
  lock.lock();
  std::exception_ptr failure;
  try {
    follow(lock, text);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    failure = std::current_exception();
  }
  leave(lock, text);
  const BatchReport report = text.report;
  texts_.erase(place);
  lock.unlock();
  changed_.notify_one();
  if (failure) std::rethrow_exception(failure);
  return report;
}

void Batcher::between_passes(const std::function<void()>& work) {
  std::packaged_task<void()> task(work);
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    other_work_.push_back(std::move(task));
  }
  changed_.notify_one();
  done.get();
}

Batcher::Texts::iterator Batcher::enter(BatchInput& input, TextReader& reader) {
  if (input.prompt.empty()) throw Error(RH_INVALID_ARGUMENT, "prompt: has no tokens");
  while (std::ssize(input.prompt) >= input.window) {
    if (!input.shift || input.window < 2)
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("prompt: has {} tokens, expected fewer than the {} of the window",
                              input.prompt.size(), input.window));
    input.prompt = shifted(input.prompt, input.keep);
  }
  for (const std::int32_t id : input.prompt) {
    if (id < 0 || id >= model_.vocab_size())
      throw Error(RH_MODEL_INVALID, fmt::format("the tokenizer's id {} is not among the {} of the model", id,
                                                model_.vocab_size()));
  }
  Texts one;
  one.emplace_back(std::move(input), reader);
  const std::lock_guard lock(mutex_);
  one.front().number = entered_++;
  texts_.splice(texts_.end(), one);
  changed_.notify_one();
  return std::prev(texts_.end());
}

void Batcher::follow(Lock& lock, BatchText& text) {
  while (!text.ended) {
    if (text.phase == BatchText::Phase::gone) std::rethrow_exception(text.failure);
    if (text.progress > text.told) {
      text.told = text.progress;
      lock.unlock();
      text.reader.read(text.told, std::ssize(text.input.prompt));
      lock.lock();
    } else if (text.phase == BatchText::Phase::chosen_of) {
      choose(lock, text);
    } else if (text.changed.wait_for(lock, kAsked) == std::cv_status::timeout) {
      lock.unlock();
      const bool cancelled = text.reader.cancelled();
      lock.lock();
      text.cancelled = text.cancelled || cancelled;
      if (cancelled) changed_.notify_one();
    }
  }
  text.report.answer = BatchText::Clock::now() - text.prompt_read;
}

void Batcher::choose(Lock& lock, BatchText& text) {
  lock.unlock();
  const bool ended = choose_tokens(text);
  lock.lock();
  text.ended = ended;
  if (!ended) text.phase = BatchText::Phase::ready;
  text.busy = true;
  lock.unlock();
  changed_.notify_one();
  text.reader.deliver();
  lock.lock();
  text.busy = false;
}

// Tokens by the logits, as long as the guess was right. Whether the text has ended.
bool Batcher::choose_tokens(BatchText& text) {
  const std::int64_t vocab = model_.vocab_size();
  bool ended = false;
  std::int64_t right = 0;  // ids of the guess
  for (std::int64_t i = 0; !ended && i < text.rows && i == right; ++i) {
    const TextReader::Token token =
        text.reader.next({text.logits.data() + i * vocab, static_cast<std::size_t>(vocab)});
    text.ids.push_back(token.id);
    ended = token.last;
    if (i < std::ssize(text.guess) && text.guess[static_cast<std::size_t>(i)] == token.id) ++right;
  }
  // The last id is never held: the next pass begins with it.
  text.state->truncate(std::min(text.held(), std::ssize(text.ids) - 1));
  // Wrong guesses cost time: each makes the pause before the next one longer.
  if (!text.guess.empty()) text.pause = right > 0 ? 0 : std::min(2 * text.pause + 1, kLongestPause);
  text.tokens_to_guess = text.guess.empty() ? text.tokens_to_guess - 1 : text.pause;
  text.guess.clear();
  if (!ended) ended = !text.meet_window(settings_.piece);
  if (!ended && settings_.lookup && text.tokens_to_guess <= 0 && !text.reads_prompt())
    text.guess = look_up(text.ids, std::min(kGuessed, static_cast<std::size_t>(text.guess_room())));
  return ended;
}

// Waits until no pass has the text.
void Batcher::leave(Lock& lock, BatchText& text) {
  text.ended = true;
  text.changed.wait(lock, [&] { return text.phase != BatchText::Phase::computing; });
  text.phase = BatchText::Phase::gone;
  text.state.reset();
}

}  // namespace engines::decoding
