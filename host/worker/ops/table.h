// SPDX-License-Identifier: Apache-2.0
// What a worker can be asked: one line an operation, one pair of files each (CONTRIBUTING.md, "add an op").
#pragma once

#include <span>
#include <string_view>

#include "host/worker/call.h"
#include "host/worker/loaded_engine.h"

namespace roundhouse::host {

// What an operation works with: the engine, alone in its worker; or the open model, beside as many other
// calls as that takes at once. [engine-thread] and [model-thread] of the SDK.
enum class Access { engine, model };

struct Operation {
  // At most 15 bytes: Call::operation.
  std::string_view name;
  Access access = Access::engine;
  // The worker's end: reads the request, works, answers. Every failure is an exception.
  Message (*work)(LoadedEngine& engine, const Message& request, CallContext& call) = nullptr;
};

std::span<const Operation> operations();

// Null: there is none of that name.
const Operation* find_operation(std::span<const Operation> table, std::string_view name);

// Runs it. Every failure is an Error that names the engine; CANCELLED only when the call is cancelled.
Message run_operation(const Operation& operation, LoadedEngine& engine, const Message& request,
                      CallContext& call);

// As worker_main of engine_client.h, for a worker that has other operations, too.
int worker_main(int argc, char** argv, std::span<const Operation> others);

}  // namespace roundhouse::host
