// SPDX-License-Identifier: Apache-2.0
// What the tests' workers can do besides.
#include "test_operations.h"

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "host/worker/frame.h"

namespace roundhouse::host {
namespace {

std::atomic<int> g_flooded{0};

Message echo(LoadedEngine& /*engine*/, const Message& request, CallContext& call) {
  call.send({"an event of its own", request.payload});
  return {request.json, request.payload};
}

Message flood(LoadedEngine& /*engine*/, const Message& request, CallContext& call) {
  const int wanted = std::stoi(request.json);
  for (int i = 0; i < wanted && !call.is_cancelled(); ++i) {
    call.send({std::to_string(i), std::vector<std::uint8_t>(std::size_t{64} << 10)});
    ++g_flooded;
  }
  if (call.is_cancelled()) throw Error(RH_CANCELLED, "cancelled in flood");
  return {"done"};
}

Message flooded(LoadedEngine& /*engine*/, const Message& /*request*/, CallContext& /*call*/) {
  return {std::to_string(g_flooded.load())};
}

Message stray(LoadedEngine& /*engine*/, const Message& request, CallContext& /*call*/) {
  std::thread([delay = std::chrono::milliseconds(std::stoi(request.json))] {
    std::this_thread::sleep_for(delay);
    write_frame(3, {FrameType::event, 12345, "{}", {}});
  }).detach();
  return {""};
}

}  // namespace

std::span<const Operation> test_operations() {
  static constexpr std::array kTable{
      Operation{"echo", Access::model, echo},
      Operation{"flood", Access::model, flood},
      Operation{"flooded", Access::model, flooded},
      Operation{"stray", Access::model, stray},
  };
  return kTable;
}

}  // namespace roundhouse::host
