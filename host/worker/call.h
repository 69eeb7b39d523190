// SPDX-License-Identifier: Apache-2.0
// One call of an engine, seen from both of its ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/worker/message.h"

namespace roundhouse::host {

// How long an engine may be silent before it is taken for hung and killed (0 = for ever). It is not silent
// when it reports or asks whether to stop, as it must at least once per transformer block.
struct Timeouts {
  std::chrono::milliseconds probe{10'000};
  std::chrono::milliseconds rates{5'000};
  std::chrono::milliseconds load{300'000};
  std::chrono::milliseconds step{300'000};  // of every other call
  std::chrono::milliseconds cancel{5'000};  // from the cancel to the answer
};

// The host's end: what is asked, and who reads what comes back. The functions are called on the thread that
// called. They throw FrameError for what no worker sends, which ends the worker; what else `event` throws
// ends the call with just that.
struct Call {
  std::string operation;  // of ops/table.cpp; also how messages name the work: "died of signal 9 in generate"
  Message request;
  std::chrono::milliseconds Timeouts::*silence = &Timeouts::step;
  std::uint64_t maximum_answer = 0, maximum_event = 0;  // bytes of payload
  std::vector<std::string> private_texts = {};          // a user's words, which stay out of the log
  std::function<void(Message& answer)> answer;
  // `stopping`: the call has been asked to stop, and its caller wants to hear no more. Null: it has no
  // events.
  std::function<void(Message& event, bool stopping)> event = {};
  // How far it came, for the words of CANCELLED: "denoise, after step 3 of 50". Null or "": not known.
  std::function<std::string()> position = {};
};

// The engine's end: how a running call is followed and stopped.
class CallContext {
 public:
  virtual ~CallContext() = default;
  // Any thread, often.
  virtual bool is_cancelled() const noexcept = 0;
  // The engine has asked whether to stop: it is at work. Any thread, often.
  virtual void tell_alive() noexcept = 0;
  // An event, on the call's thread. Waits as long as the host takes none.
  virtual void send(Message event) noexcept = 0;
};

}  // namespace roundhouse::host
