// SPDX-License-Identifier: Apache-2.0
// Frames to bytes and back.
#include "host/worker/frame.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

namespace roundhouse::host {
namespace {

bool is_type(std::uint32_t type) {
  return (type >= static_cast<std::uint32_t>(FrameType::request) &&
          type <= static_cast<std::uint32_t>(FrameType::credit)) ||
         (type >= static_cast<std::uint32_t>(FrameType::reply) &&
          type <= static_cast<std::uint32_t>(FrameType::alive));
}

void check_magic(std::uint32_t magic) {
  if (magic == FrameHeader::kMagic) return;
  throw FrameError(fmt::format("bytes that are not a message (they begin with {})", magic));
}

void check_header(const FrameHeader& header, std::uint64_t maximum_payload) {
  if (!is_type(header.type)) throw FrameError(fmt::format("a message of unknown type {}", header.type));
  if (header.operation.back() != '\0') throw FrameError("a message of an operation without end");
  if (header.json_bytes > kMaximumJsonBytes) {
    throw FrameError(
        fmt::format("a message of {} bytes, expected at most {}", header.json_bytes, kMaximumJsonBytes));
  }
  if (header.payload_bytes > maximum_payload) {
    throw FrameError(
        fmt::format("a payload of {} bytes, expected at most {}", header.payload_bytes, maximum_payload));
  }
}

void wait_writable(int socket, const Deadline& deadline) {
  pollfd waiting{socket, POLLOUT, 0};
  const int ready = poll(&waiting, 1, poll_timeout(deadline));
  if (ready < 0 && errno != EINTR) throw FrameError(std::string("poll: ") + std::strerror(errno));
  if (ready == 0) throw FrameError("the other end takes no data");
}

}  // namespace

void FrameDecoder::feed(std::span<const std::uint8_t> bytes) {
  if (begin_ > 0) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::optional<Frame> FrameDecoder::next(const MaximumPayload& maximum_payload) {
  const std::size_t available = bytes_.size() - begin_;
  FrameHeader header;
  if (available < sizeof header.magic) return std::nullopt;
  std::memcpy(&header, bytes_.data() + begin_, std::min(available, sizeof header));
  check_magic(header.magic);
  if (available < sizeof header) return std::nullopt;
  check_header(header, maximum_payload(header));
  if (available - sizeof header < header.json_bytes) return std::nullopt;
  if (available - sizeof header - header.json_bytes < header.payload_bytes) return std::nullopt;

  const auto json = bytes_.begin() + static_cast<std::ptrdiff_t>(begin_ + sizeof header);
  const auto payload = json + header.json_bytes;
  const auto end = payload + static_cast<std::ptrdiff_t>(header.payload_bytes);
  Frame frame{static_cast<FrameType>(header.type),
              header.call,
              std::string(json, payload),
              {payload, end},
              header.operation.data()};
  begin_ = static_cast<std::size_t>(end - bytes_.begin());
  return frame;
}

int poll_timeout(const Deadline& deadline) {
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

void write_frame(int socket, const Frame& frame, const Deadline& deadline) {
  if (frame.json.size() > kMaximumJsonBytes) {
    throw FrameError(fmt::format("a message of {} bytes is too long to send", frame.json.size()));
  }
  FrameHeader header;
  if (frame.operation.size() >= header.operation.size()) {
    throw FrameError("an operation called '" + frame.operation + "'");
  }
  std::ranges::copy(frame.operation, header.operation.begin());
  header.type = static_cast<std::uint32_t>(frame.type);
  header.call = frame.call;
  header.json_bytes = static_cast<std::uint32_t>(frame.json.size());
  header.payload_bytes = frame.payload.size();

  // sendmsg only reads, but iovec is not const.
  std::array<iovec, 3> parts{{{&header, sizeof header},
                              {const_cast<char*>(frame.json.data()), frame.json.size()},
                              {const_cast<std::uint8_t*>(frame.payload.data()), frame.payload.size()}}};
  std::size_t first = 0;
  while (first < parts.size()) {
    if (parts[first].iov_len == 0) {
      ++first;
      continue;
    }
    msghdr message{};
    message.msg_iov = &parts[first];
    message.msg_iovlen = parts.size() - first;
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) throw FrameError(std::strerror(errno));
      wait_writable(socket, deadline);
      continue;
    }
    auto left = static_cast<std::size_t>(sent);
    for (std::size_t i = first; i < parts.size() && left > 0; ++i) {
      const std::size_t taken = std::min(left, parts[i].iov_len);
      parts[i].iov_base = static_cast<std::uint8_t*>(parts[i].iov_base) + taken;
      parts[i].iov_len -= taken;
      left -= taken;
    }
  }
}

void FrameWriter::write(int socket, const Frame& frame, const Deadline& deadline) {
  {
    std::unique_lock lock(mutex_);
    const auto free = [this] { return !writing_; };
    if (!deadline) {
      changed_.wait(lock, free);
    } else if (!changed_.wait_until(lock, *deadline, free)) {
      throw FrameError("the other end takes no data");
    }
    if (broken_) throw FrameError("the other end has got half a message");
    writing_ = true;
  }
  const auto finish = [this](bool broken) {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    broken_ = broken;
    changed_.notify_one();
  };
  try {
    write_frame(socket, frame, deadline);
  } catch (...) {
    finish(true);
    throw;
  }
  finish(false);
}

}  // namespace roundhouse::host
