// SPDX-License-Identifier: Apache-2.0
// The thread of the batcher: it forms passes of what is ready, and computes them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engines/decoding/batcher.h"
#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

using Phase = BatchText::Phase;

// Stops a pass that nobody wants any more.
class PassRun : public QuietRun {
 public:
  explicit PassRun(std::span<BatchText* const> texts) : texts_(texts) {}
  bool cancelled() override {
    return std::ranges::all_of(texts_, [](BatchText* text) { return text->reader.cancelled(); });
  }

 private:
  std::span<BatchText* const> texts_;
};

void fail(BatchText& text, std::exception_ptr why) {
  text.failure = std::move(why);
  text.phase = Phase::gone;
  text.changed.notify_one();
}

bool out_of_memory(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.code() == RH_OUT_OF_MEMORY;
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

void Batcher::compute_forever() {
  Lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || something_to_do(); });
    if (ending_) return;
    do_other_work(lock);
    if (!texts_are_ready()) continue;
    drop_cancelled();
    const std::vector<BatchText*> pass = form_pass();
    if (pass.empty())
      changed_.wait_for(lock, std::chrono::milliseconds(10));  // memory that others hold
    else
      compute(lock, pass);
  }
}

bool Batcher::something_to_do() const {
  return !other_work_.empty() || texts_are_ready();
}

void Batcher::do_other_work(Lock& lock) {
  if (other_work_.empty()) return;
  std::packaged_task<void()> work = std::move(other_work_.front());
  other_work_.pop_front();
  lock.unlock();
  work();
  lock.lock();
}

// Those who choose at the moment are soon done, and a pass with them costs little more than one without.
bool Batcher::texts_are_ready() const {
  bool ready = false;
  for (const BatchText& text : texts_) {
    if (text.phase == Phase::chosen_of && !text.busy && !text.ended) return false;
    ready = ready || text.phase == Phase::ready;
  }
  return ready;
}

void Batcher::drop_cancelled() {
  for (BatchText& text : texts_) {
    if (text.phase == Phase::ready && (text.cancelled || text.reader.cancelled()))
      fail(text, std::make_exception_ptr(Error(RH_CANCELLED, "cancelled")));
  }
}

// The rows of all who are behind their prompts, and one piece of the prompt that has waited longest.
std::vector<BatchText*> Batcher::form_pass() {
  std::vector<BatchText*> pass;
  BatchText* prompt = nullptr;
  for (BatchText& text : texts_) {
    if (text.phase != Phase::ready) continue;
    if (!text.reads_prompt())
      pass.push_back(&text);
    else if (prompt == nullptr || text.last_turn < prompt->last_turn)
      prompt = &text;
  }
  if (prompt != nullptr) pass.push_back(prompt);
  std::ranges::sort(pass, {}, &BatchText::number);  // who came first gets the memory
  std::uint64_t more = 0;
  std::erase_if(pass,
                [&](BatchText* text) { return text->phase != Phase::ready || !make_room(*text, more); });
  std::erase_if(pass, [](BatchText* text) { return text->gave_up; });
  for (BatchText& text : texts_)
    text.gave_up = false;
  if (prompt != nullptr) prompt->last_turn = ++turn_;
  return pass;
}

// What is kept goes first, then what the latest texts have read: they read it again when there is room, in
// the same cuts, so that nothing else becomes of it.
bool Batcher::make_room(BatchText& text, std::uint64_t& more) {
  if (settings_.memory == 0) return true;
  if (text.gave_up) return false;
  const std::int64_t rows = text.reads_prompt() ? settings_.piece : LanguageModel::kFewRows;
  const std::uint64_t all = model_.state_bytes(text.held() + rows);
  const std::uint64_t needed = all - (text.state ? model_.state_bytes(text.held()) : 0);
  const auto fits = [&] { return model_.held_bytes() + more + needed <= settings_.memory; };
  while (!fits() && !kept_.empty())
    kept_.drop_oldest();
  for (auto latest = texts_.rbegin(); !fits() && latest != texts_.rend() && &*latest != &text; ++latest) {
    if (latest->phase != Phase::ready) continue;
    latest->state.reset();
    latest->gave_up = true;
  }
  if (fits()) {
    more += needed;
    return true;
  }
  if (all > settings_.memory)
    fail(text,
         std::make_exception_ptr(Error(
             RH_OUT_OF_MEMORY, fmt::format("keys and values of {} tokens take {} bytes, {} are left for them",
                                           text.held() + rows, all, settings_.memory))));
  return false;
}

void Batcher::compute(Lock& lock, const std::vector<BatchText*>& pass) {
  const auto now = BatchText::Clock::now();
  for (BatchText* text : pass) {
    text->phase = Phase::computing;
    text->failure = nullptr;
    if (!text->state)
      text->state = kept_.take(std::span(text->ids).first(static_cast<std::size_t>(text->read_in_pieces)));
    if (text->begun != BatchText::Clock::time_point()) continue;
    text->begun = now;
    text->report.waited = now - text->arrived;
    text->report.cached = text->held();
  }
  lock.unlock();
  compute_together(pass);
  lock.lock();
  const bool kept = !kept_.empty();
  for (BatchText* text : pass) {
    // Without what is kept there may be room.
    text->once_more = kept && text->failure && out_of_memory(text->failure);
    while (text->once_more && !kept_.empty())
      kept_.drop_oldest();
  }
  publish(pass);
}

// Where that fails, each alone: an error is of one text.
void Batcher::compute_together(const std::vector<BatchText*>& pass) {
  try {
    forward(pass);
  } catch (...) {
    if (pass.size() == 1) {
      pass.front()->failure = std::current_exception();
      return;
    }
    for (BatchText* text : pass)
      compute_together({text});
  }
}

void Batcher::forward(const std::vector<BatchText*>& pass) {
  std::vector<TextRows> rows;
  std::vector<std::int64_t> before;
  std::int64_t wanted = 0;
  for (BatchText* text : pass) {
    if (!text->state) text->state = model_.make_state();
    before.push_back(text->held());
    rows.push_back(text->next_rows(settings_.piece));
    wanted += rows.back().wanted;
  }
  const std::int64_t vocab = model_.vocab_size();
  logits_.resize(static_cast<std::size_t>(wanted * vocab));
  PassRun run(pass);
  try {
    model_.forward(rows, {logits_.data(), wanted, vocab}, run);
  } catch (...) {
    for (std::size_t i = 0; i < pass.size(); ++i)
      pass[i]->state->truncate(std::min(before[i], pass[i]->held()));
    throw;
  }
  const float* from = logits_.data();
  for (std::size_t i = 0; i < pass.size(); ++i) {
    pass[i]->rows = rows[i].wanted;
    pass[i]->logits.assign(from, from + rows[i].wanted * vocab);
    from += rows[i].wanted * vocab;
  }
}

void Batcher::publish(const std::vector<BatchText*>& pass) {
  const auto now = BatchText::Clock::now();
  for (BatchText* text : pass) {
    if (text->failure && !text->once_more) {
      fail(*text, text->failure);
      continue;
    }
    text->phase = text->failure || text->rows == 0 ? Phase::ready : Phase::chosen_of;
    if (!text->failure) keep_prompt(*text);
    text->progress = std::max(text->progress, std::min(text->held(), std::ssize(text->input.prompt)));
    if (text->phase == Phase::chosen_of && text->prompt_read == BatchText::Clock::time_point()) {
      text->prompt_read = now;
      text->report.prompt = now - text->begun;
    }
    text->changed.notify_one();
  }
}

// As soon as it is read, so that those who wait have it, too.
void Batcher::keep_prompt(BatchText& text) {
  if (text.kept || text.reads_prompt()) return;
  text.kept = true;
  kept_.keep(std::span(text.ids).first(static_cast<std::size_t>(text.read_in_pieces)), *text.state);
  while (kept_.bytes() > settings_.kept)
    kept_.drop_oldest();
}

}  // namespace engines::decoding
