// SPDX-License-Identifier: Apache-2.0
// Continuous batching: the texts of many threads in the passes of one model.
//
// What a text gets does not depend on its company: its prompt is cut into pieces counted from its beginning,
// tokens behind it are rows of their own, and of neither the model computes other bits beside other texts.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "engines/decoding/batch_text.h"
#include "engines/decoding/prefix_store.h"
#include "engines/text/language_model.h"

namespace engines::decoding {

struct BatchSettings {
  std::int64_t piece = 64;   // ids of a prompt that are read in one pass
  std::uint64_t memory = 0;  // for the states of all texts and those that are kept; 0 = no limit is known
  std::uint64_t kept = std::uint64_t{1} << 30;  // of it, for those that are kept
  bool lookup = true;  // guesses tokens that stood in the text before, and reads them together
};

// One thread of its own computes; `run` may be called from any number of threads.
class Batcher {
 public:
  // The model must outlive the batcher and is used by nobody else.
  Batcher(LanguageModel& model, const BatchSettings& settings);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Reads the prompt and asks the reader for token after token until one is the last, or the window is full.
  // Throws INVALID_ARGUMENT for a prompt that is empty or too long, OUT_OF_MEMORY where the text alone needs
  // more than there is, CANCELLED, and what the model or the reader throws; other texts go on.
  BatchReport run(BatchInput input, TextReader& reader);

  // Does other work of the same kernels between two passes, on the thread that computes them, and returns
  // when it is done; throws what it throws.
  void between_passes(const std::function<void()>& work);

 private:
  using Texts = std::list<BatchText>;
  using Lock = std::unique_lock<std::mutex>;

  Texts::iterator enter(BatchInput& input, TextReader& reader);
  void follow(Lock& lock, BatchText& text);
  void choose(Lock& lock, BatchText& text);
  bool choose_tokens(BatchText& text);
  void leave(Lock& lock, BatchText& text);

  void compute_forever();
  void do_other_work(Lock& lock);
  bool something_to_do() const;
  bool texts_are_ready() const;
  void drop_cancelled();
  std::vector<BatchText*> form_pass();
  bool make_room(BatchText& text, std::uint64_t& more);
  void compute(Lock& lock, const std::vector<BatchText*>& pass);
  void compute_together(const std::vector<BatchText*>& pass);
  void forward(const std::vector<BatchText*>& pass);
  void publish(const std::vector<BatchText*>& pass);
  void keep_prompt(BatchText& text);

  LanguageModel& model_;
  const BatchSettings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;  // something to compute, or the end
  Texts texts_;                      // in the order of their arrival
  PrefixStore kept_;
  std::list<std::packaged_task<void()>> other_work_;
  std::uint64_t turn_ = 0;     // counts pieces of prompts
  std::uint64_t entered_ = 0;  // counts texts
  bool ending_ = false;
  std::vector<float> logits_;  // of the present pass
  std::thread thread_;
};

}  // namespace engines::decoding
