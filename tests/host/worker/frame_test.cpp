// SPDX-License-Identifier: Apache-2.0
// Tests of the framing: refusals first, then frames in pieces, and sockets that are slow, full or closed.
#include "host/worker/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <thread>

#include "host/worker/file_descriptor.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::uint8_t> bytes_of(const FrameHeader& header) {
  std::vector<std::uint8_t> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

FrameHeader header_of(FrameType type) {
  FrameHeader header;
  header.type = static_cast<std::uint32_t>(type);
  return header;
}

struct SocketPair {
  FileDescriptor near, far;
  SocketPair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near = FileDescriptor(ends[0]);
    far = FileDescriptor(ends[1]);
  }
};

// Takes from the socket until there is a frame.
Frame read_frame(int socket, std::uint64_t maximum_payload) {
  FrameDecoder decoder;
  std::array<std::uint8_t, 1000> buffer;
  for (;;) {
    if (auto frame = decoder.next(maximum_payload)) return *frame;
    const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
    if (count <= 0) throw FrameError("end of stream");
    decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
  }
}

void expect_refused(const FrameHeader& header, const std::string& part) {
  FrameDecoder decoder;
  decoder.feed(bytes_of(header));
  EXPECT_THAT([&] { decoder.next(100); }, ThrowsMessage<FrameError>(HasSubstr(part)));
}

TEST(FrameDecoder, RefusesAWrongMagicNumber) {
  FrameHeader header = header_of(FrameType::reply);
  header.magic = 0x64636261;
  expect_refused(header, "not a message");
}

TEST(FrameDecoder, RefusesAWrongMagicNumberBeforeTheRestOfAHeader) {
  FrameDecoder decoder;
  const std::array<std::uint8_t, 5> hello{'h', 'e', 'l', 'l', 'o'};
  decoder.feed(hello);
  EXPECT_THAT([&] { decoder.next(0); }, ThrowsMessage<FrameError>(HasSubstr("not a message")));
}

TEST(FrameDecoder, AsksForEachHeaderHowLargeItsPayloadMayBe) {
  FrameHeader header = header_of(FrameType::event);
  header.call = 7;
  header.payload_bytes = 7;
  FrameDecoder decoder;
  decoder.feed(bytes_of(header));
  EXPECT_FALSE(decoder.next([](const FrameHeader& asked) { return asked.call; }).has_value());
  EXPECT_THROW(decoder.next([](const FrameHeader& asked) { return asked.call - 1; }), FrameError);
}

TEST(FrameDecoder, RefusesAnUnknownType) {
  FrameHeader header = header_of(FrameType::reply);
  for (const std::uint32_t type : {0U, 4U, 15U, 21U, 0xffffffffU}) {
    header.type = type;
    expect_refused(header, "unknown type " + std::to_string(type));
  }
}

TEST(FrameDecoder, RefusesAnOperationThatDoesNotEnd) {
  FrameHeader header = header_of(FrameType::request);
  header.operation.fill('x');
  expect_refused(header, "an operation without end");
}

TEST(FrameDecoder, RefusesHugeTextAndPayloadBeforeTheyArrive) {
  FrameHeader header = header_of(FrameType::reply);
  header.json_bytes = 0xffffffff;
  expect_refused(header, "4294967295 bytes, expected at most");
  header.json_bytes = 0;
  header.payload_bytes = 101;
  expect_refused(header, "a payload of 101 bytes, expected at most 100");
  header.payload_bytes = ~std::uint64_t{0};
  expect_refused(header, "expected at most 100");
}

TEST(FrameDecoder, WaitsForTheRestOfATruncatedFrame) {
  FrameHeader header = header_of(FrameType::reply);
  header.json_bytes = 2;
  header.payload_bytes = 3;
  std::vector<std::uint8_t> bytes = bytes_of(header);
  for (const char c : {'{', '}', 'a', 'b', 'c'})
    bytes.push_back(static_cast<std::uint8_t>(c));
  FrameDecoder decoder;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    decoder.feed({&bytes[i], 1});
    EXPECT_FALSE(decoder.next(3).has_value()) << "after " << i + 1 << " bytes";
  }
  decoder.feed({&bytes.back(), 1});
  const auto frame = decoder.next(3);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->json, "{}");
  EXPECT_EQ(frame->payload, (std::vector<std::uint8_t>{'a', 'b', 'c'}));
  EXPECT_FALSE(decoder.pending());
}

TEST(FrameDecoder, GivesSeveralFramesOfOnePieceInOrder) {
  std::vector<std::uint8_t> bytes;
  for (std::uint32_t call = 1; call <= 3; ++call) {
    FrameHeader header = header_of(FrameType::event);
    header.call = call;
    const auto one = bytes_of(header);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  FrameDecoder decoder;
  decoder.feed(bytes);
  for (std::uint32_t call = 1; call <= 3; ++call)
    EXPECT_EQ(decoder.next(0)->call, call);
  EXPECT_FALSE(decoder.next(0).has_value());
}

TEST(WriteFrame, SaysThatNobodyListensAndRaisesNoSignal) {
  SocketPair pair;
  pair.far.reset();
  EXPECT_THROW(write_frame(pair.near.get(), {FrameType::cancel, 1, "", {}}), FrameError);
}

TEST(WriteFrame, GivesUpAtItsDeadlineWhenNobodyReads) {
  SocketPair pair;
  const Frame frame{FrameType::reply, 1, "{}", std::vector<std::uint8_t>(8 << 20)};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(write_frame(pair.near.get(), frame, begin + std::chrono::milliseconds(50)), FrameError);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(WriteFrame, RefusesATextThatNoReaderWouldTake) {
  SocketPair pair;
  EXPECT_THROW(write_frame(pair.near.get(), {FrameType::log, 0, std::string(kMaximumJsonBytes + 1, 'x'), {}}),
               FrameError);
}

TEST(WriteFrame, NamesTheOperationOfARequestInFifteenBytes) {
  SocketPair pair;
  write_frame(pair.near.get(), {FrameType::request, 1, "", {}, "fifteen bytes.."});
  EXPECT_EQ(read_frame(pair.far.get(), 0).operation, "fifteen bytes..");
  EXPECT_THROW(write_frame(pair.near.get(), {FrameType::request, 1, "", {}, "sixteen bytes..."}), FrameError);
}

TEST(WriteFrame, PassesAFrameLargerThanTheSocketsBuffers) {
  SocketPair pair;
  Frame sent{FrameType::reply, 7, std::string(300000, 'j'), std::vector<std::uint8_t>(3 << 20)};
  for (std::size_t i = 0; i < sent.payload.size(); ++i)
    sent.payload[i] = static_cast<std::uint8_t>(i * 31);
  Frame received;
  std::jthread reader([&] { received = read_frame(pair.far.get(), sent.payload.size()); });
  write_frame(pair.near.get(), sent);
  reader.join();
  EXPECT_EQ(received.type, FrameType::reply);
  EXPECT_EQ(received.call, 7U);
  EXPECT_EQ(received.json, sent.json);
  EXPECT_EQ(received.payload, sent.payload);
}

TEST(FrameWriter, SendsFramesOfSeveralThreadsWhole) {
  SocketPair pair;
  FrameWriter writer;
  const auto send = [&](std::uint32_t call) {
    for (int i = 0; i < 50; ++i)
      writer.write(pair.near.get(), {FrameType::event, call, std::string(30000, 'x'), {1, 2}});
  };
  std::jthread first(send, 1), second(send, 2);
  FrameDecoder decoder;
  std::array<std::uint8_t, 65536> buffer;
  std::array<int, 3> counts{};
  while (counts[1] + counts[2] < 100) {
    const ssize_t count = recv(pair.far.get(), buffer.data(), buffer.size(), 0);
    ASSERT_GT(count, 0);
    decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
    while (const auto frame = decoder.next(2)) {
      EXPECT_EQ(frame->json.size(), 30000U);
      ++counts.at(frame->call);
    }
  }
  EXPECT_EQ(counts[1], 50);
}

TEST(FrameWriter, SendsNothingAfterHalfAFrame) {
  SocketPair pair;
  FrameWriter writer;
  const Frame large{FrameType::reply, 1, "", std::vector<std::uint8_t>(8 << 20)};
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  EXPECT_THROW(writer.write(pair.near.get(), large, soon), FrameError);
  EXPECT_THROW(writer.write(pair.near.get(), {FrameType::cancel, 1, "", {}}), FrameError);
}

TEST(PollTimeout, RoundsUpAndNeverGoesBelowZero) {
  EXPECT_EQ(poll_timeout({}), -1);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_EQ(poll_timeout(now - std::chrono::hours(1)), 0);
  EXPECT_GE(poll_timeout(now + std::chrono::seconds(10)), 9000);
  EXPECT_GT(poll_timeout(now + std::chrono::hours(10000)), 0);
}

}  // namespace
}  // namespace roundhouse::host
