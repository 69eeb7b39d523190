// SPDX-License-Identifier: Apache-2.0
// The framing between a host and its worker: a fixed header, a JSON text and a binary payload, over a stream
// socket.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace roundhouse::host {

enum class FrameType : std::uint32_t {
  // host to worker
  request = 1,  // of an operation
  cancel = 2,
  credit = 3,  // so many more bytes of events may come in the call: a number as text
  // worker to host
  reply = 16,
  failure = 17,
  event = 18,  // of a call at work; only its operation knows what it says
  log = 19,
  alive = 20  // the engine asks whether to stop: it is at work
};

struct Frame {
  FrameType type = FrameType::log;
  std::uint32_t call = 0;  // the call that this belongs to; 0 for log lines
  std::string json;
  std::vector<std::uint8_t> payload;
  std::string operation = {};  // of a request; at most 15 bytes
};

// 40 bytes in the machine's own byte order: both ends are the same program on the same machine.
struct FrameHeader {
  static constexpr std::uint32_t kMagic = 0x32574852;  // "RHW2"
  std::uint32_t magic = kMagic;
  std::uint32_t type = 0;
  std::uint32_t call = 0;
  std::uint32_t json_bytes = 0;
  std::uint64_t payload_bytes = 0;
  std::array<char, 16> operation = {};  // ends with a NUL
};
static_assert(sizeof(FrameHeader) == 40);

// What a frame costs of the credit for events.
inline std::uint64_t size_of(const Frame& frame) {
  return sizeof(FrameHeader) + frame.json.size() + frame.payload.size();
}
// With which a call begins, in bytes. One event may go beyond it, so that any event can be sent.
inline constexpr std::int64_t kCredit = std::int64_t{1} << 20;

// The longest JSON text of a frame: two prompts of 64 KiB, escaped in the worst way, fit well.
inline constexpr std::size_t kMaximumJsonBytes = std::size_t{4} << 20;
// The longest payload of a request.
inline constexpr std::uint64_t kMaximumRequestPayload = std::uint64_t{256} << 20;

// The other end sent something that is not a frame, or is gone. Says what.
class FrameError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Takes bytes as they come and gives whole frames. Never holds more than was fed.
class FrameDecoder {
 public:
  void feed(std::span<const std::uint8_t> bytes);
  // The most bytes of payload that a frame with this header may have.
  using MaximumPayload = std::function<std::uint64_t(const FrameHeader&)>;
  // The next frame, or nothing as long as it is incomplete. Throws FrameError for a wrong magic number as
  // soon as that is there, and for an unknown type, more than kMaximumJsonBytes of JSON or too much payload
  // as soon as the header is; the decoder is of no use then.
  std::optional<Frame> next(const MaximumPayload& maximum_payload);
  std::optional<Frame> next(std::uint64_t maximum_payload) {
    return next([maximum_payload](const FrameHeader&) { return maximum_payload; });
  }
  // Whether bytes of an unfinished frame are waiting.
  bool pending() const { return begin_ < bytes_.size(); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t begin_ = 0;
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;  // none = wait for ever

// Writes a whole frame to a stream socket, whatever its blocking mode. Raises no SIGPIPE. Throws FrameError
// when the other end is gone or the deadline passes.
void write_frame(int socket, const Frame& frame, const Deadline& deadline = {});

// The same for several threads, one frame after the other. What could not be sent whole leaves the stream of
// no use: every later frame is refused, too.
class FrameWriter {
 public:
  void write(int socket, const Frame& frame, const Deadline& deadline = {});

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool writing_ = false, broken_ = false;
};

// The milliseconds until the deadline for poll(2), rounded up; -1 = for ever.
int poll_timeout(const Deadline& deadline);

}  // namespace roundhouse::host
