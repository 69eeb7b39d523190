// SPDX-License-Identifier: Apache-2.0
// Starts a worker, sorts what it sends, and knows how it ended.
#include "host/worker/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/worker/engine_error.h"
#include "host/worker/protocol.h"
#include "host/worker/redaction.h"
#include "host/worker/system_state.h"
#include "host/worker/worker_end.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

constexpr std::chrono::milliseconds kDeathPatience{1000};  // from the end of the connection to the process's
constexpr std::chrono::milliseconds kStacksTime{1000};     // for a worker that hangs to say where
constexpr std::ptrdiff_t kRememberedCalls = 8;             // whose private texts stay out of the log
// So many bytes are read before they are credited: one message for many small events.
constexpr std::uint64_t kCreditBatch = static_cast<std::uint64_t>(kCredit) / 4;

void wake(const OngoingCall& call) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(call.wake, &one, sizeof one);
}

}  // namespace

WorkerConnection::WorkerConnection(const EngineManifest& manifest, const ClientOptions& options)
    : manifest_(manifest), options_(options) {
}

WorkerConnection::~WorkerConnection() {
  if (!reader_.joinable()) return;
  shutdown(process_->socket(), SHUT_RDWR);
  reader_.join();
}

void WorkerConnection::start() {
  const std::lock_guard lock(start_mutex_);
  if (process_) return;
  memory_kills_ = memory_kills();
  process_ = std::make_unique<WorkerProcess>(
      WorkerProcess::Setup{options_.executable, manifest_.id, engine_environment(manifest_)});
  started_.store(process_.get());
  reader_ = std::thread([this] { read(); });
}

// ---- calls ----

void WorkerConnection::begin(OngoingCall& call, const Deadline& deadline) {
  const Message& request = call.call.request;
  if (request.json.size() > kMaximumJsonBytes || request.payload.size() > kMaximumRequestPayload) {
    throw Error(
        RH_INVALID_ARGUMENT,
        fmt::format("a request of {} bytes of text and {} bytes of data, expected at most {} and {}",
                    request.json.size(), request.payload.size(), kMaximumJsonBytes, kMaximumRequestPayload));
  }
  if (lost_.load()) {
    std::unique_lock lock(mutex_);
    if (told_) {
      throw Error(RH_ENGINE_CRASHED, engine_called(manifest_.id) + ": its worker has ended after a failure");
    }
    lock.unlock();
    throw reason(call.call.operation);
  }
  start();
  {
    const std::lock_guard lock(mutex_);
    call.id = ++last_call_;
    calls_[call.id] = &call;
    private_texts_.push_back(
        {call.id, std::make_shared<const std::vector<std::string>>(call.call.private_texts)});
  }
  writer_.write(process_->socket(),
                {FrameType::request, call.id, request.json, request.payload, call.call.operation}, deadline);
}

void WorkerConnection::cancel(const OngoingCall& call, const Deadline& deadline) {
  writer_.write(process_->socket(), {FrameType::cancel, call.id, "", {}}, deadline);
}

std::optional<Frame> WorkerConnection::next(OngoingCall& call) {
  const std::lock_guard lock(mutex_);
  if (call.frames.empty()) return std::nullopt;
  Frame frame = std::move(call.frames.front());
  call.frames.pop_front();
  if (frame.type == FrameType::event) call.read_bytes += size_of(frame);
  return frame;
}

void WorkerConnection::give_credit(OngoingCall& call, const Deadline& deadline) {
  std::uint64_t bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    if (call.read_bytes < kCreditBatch || !calls_.contains(call.id)) return;
    bytes = std::exchange(call.read_bytes, 0);
    call.credit += static_cast<std::int64_t>(bytes);
  }
  writer_.write(process_->socket(), {FrameType::credit, call.id, std::to_string(bytes), {}}, deadline);
}

OngoingCall::Time WorkerConnection::heard(const OngoingCall& call) const {
  const std::lock_guard lock(mutex_);
  return call.heard;
}

bool WorkerConnection::end(OngoingCall& call) noexcept {
  const std::lock_guard lock(mutex_);
  calls_.erase(call.id);
  for (PrivateTexts& texts : private_texts_)
    texts.ended = texts.ended || texts.call == call.id;
  if (std::ranges::count(private_texts_, true, &PrivateTexts::ended) > kRememberedCalls) {
    private_texts_.erase(std::ranges::find(private_texts_, true, &PrivateTexts::ended));
  }
  return call.was_heard;
}

// ---- what comes ----

void WorkerConnection::read() {
  try {
    FrameDecoder decoder;
    std::array<std::uint8_t, 65536> buffer;
    const auto most = [this](const FrameHeader& header) { return most_payload(header); };
    for (;;) {
      const ssize_t count = recv(process_->socket(), buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
      while (std::optional<Frame> frame = decoder.next(most))
        sort(std::move(*frame));
    }
    lose("");
  } catch (const std::exception& error) {
    lose(error.what());
  }
}

std::uint64_t WorkerConnection::most_payload(const FrameHeader& header) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(header.call);
  if (found == calls_.end()) return 0;
  if (header.type == static_cast<std::uint32_t>(FrameType::reply)) return found->second->call.maximum_answer;
  if (header.type == static_cast<std::uint32_t>(FrameType::event)) return found->second->call.maximum_event;
  return 0;
}

// To its call. Throws FrameError for what belongs to none.
void WorkerConnection::sort(Frame frame) {
  if (frame.type == FrameType::log) return log(frame);
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(frame.call);
  if (found == calls_.end()) throw FrameError("a message that answers no question");
  OngoingCall& call = *found->second;
  call.heard = OngoingCall::Time::clock::now();
  call.was_heard = true;
  if (frame.type == FrameType::alive) return;
  if (frame.type == FrameType::event) {
    if (!call.call.event) throw FrameError("a message that does not belong to its call");
    if (call.credit <= 0) throw FrameError("more events than it may");
    call.credit -= static_cast<std::int64_t>(size_of(frame));
  } else if (frame.type == FrameType::reply || frame.type == FrameType::failure) {
    calls_.erase(found);
  } else {
    throw FrameError("a message that does not belong to its call");
  }
  call.frames.push_back(std::move(frame));
  wake(call);
}

void WorkerConnection::log(const Frame& frame) {
  const auto message = decode<LogMessage>(frame.json);
  {
    const std::lock_guard lock(mutex_);
    // A line of the log is no progress: a plugin that waits for ever may say so for ever.
    for (const auto& [id, call] : calls_)
      call->was_heard = true;
  }
  if (options_.log) {
    const std::vector<std::string> texts = private_texts();
    options_.log(message.level, without_texts(message.category, texts),
                 without_texts(message.message, texts));
  }
}

std::vector<std::string> WorkerConnection::private_texts() const {
  std::vector<std::string> all;
  const std::lock_guard lock(mutex_);
  for (const PrivateTexts& texts : private_texts_)
    all.insert(all.end(), texts.texts->begin(), texts.texts->end());
  return all;
}

// ---- the end ----

void WorkerConnection::lose(const std::string& garbage) {
  if (!garbage.empty()) process_->send_kill();
  const std::lock_guard lock(mutex_);
  if (garbage_.empty()) garbage_ = garbage;
  lost_.store(true);
  for (const auto& [id, call] : calls_)
    wake(*call);
}

void WorkerConnection::log_stacks(const std::string& phase) {
  if (!options_.log) return;
  const std::vector<std::string> texts = private_texts();
  for (const std::string& line : process_->stacks(kStacksTime)) {
    options_.log(
        RH_LOG_WARNING, "engine",
        fmt::format("{} hangs in {}: {}", engine_called(manifest_.id), phase, without_texts(line, texts)));
  }
}

void WorkerConnection::kill(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (killed_because_.empty()) killed_because_ = why;
    told_ = true;
  }
  lost_.store(true);
  process_->kill();
}

void WorkerConnection::kill_for_garbage(const std::string& what) {
  lose(what);
}

Error WorkerConnection::reason(const std::string& phase) {
  {
    const std::lock_guard lock(mutex_);
    told_ = true;
    if (!garbage_.empty()) {
      return Error(RH_ENGINE_BROKEN, engine_called(manifest_.id) + ": its worker sent " + garbage_ +
                                         ": the plugin writes to a descriptor that is not its own");
    }
    if (!killed_because_.empty()) {
      return Error(RH_ENGINE_CRASHED,
                   engine_called(manifest_.id) + " was killed in " + phase + ": " + killed_because_);
    }
  }
  bool ended = false;
  {
    const std::lock_guard lock(end_mutex_);
    if (!ended_itself_) {
      ended_itself_ = process_->wait(kDeathPatience);
      if (!*ended_itself_) process_->kill();
    }
    ended = *ended_itself_;
  }
  const std::string last_words = report_output(phase);
  if (!ended) {
    return Error(RH_ENGINE_BROKEN,
                 engine_called(manifest_.id) + " closed the connection between worker and host in " + phase);
  }
  return error_of({manifest_.id, phase, process_->exit_status(), memory_kills() > memory_kills_, last_words});
}

std::string WorkerConnection::report_output(const std::string& phase) {
  const std::vector<std::string> texts = private_texts();
  const std::lock_guard lock(print_mutex_);
  const std::string words = printed_.report(*process_, phase, texts);
  if (lost_.load() && !words.empty()) last_words_ = words;
  return last_words_;
}

void WorkerConnection::add_remarks(EngineReport& report) const {
  const std::lock_guard lock(print_mutex_);
  printed_.add_remarks(report);
}

std::vector<std::string> WorkerConnection::end_strays() {
  WorkerProcess* process = started_.load();
  return process != nullptr ? process->end_strays() : std::vector<std::string>();
}

bool WorkerConnection::alive() const {
  const WorkerProcess* process = started_.load();
  return !lost_.load() && (process == nullptr || process->is_connected());
}

pid_t WorkerConnection::process() const noexcept {
  WorkerProcess* process = started_.load();
  return process != nullptr ? process->living() : 0;
}

void WorkerConnection::send_kill() noexcept {
  if (WorkerProcess* process = started_.load()) process->send_kill();
}

}  // namespace roundhouse::host
