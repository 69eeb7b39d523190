// SPDX-License-Identifier: Apache-2.0
// Operations that only the tests' workers have: they show what calls can carry, without an engine's help.
// Also how little an operation is.
#pragma once

#include <span>

#include "host/worker/ops/table.h"

namespace roundhouse::host {

// "echo": an event and an answer with the payload of the request.
// "flood": events of 64 KiB until it has sent as many as the request says (a number as text).
// "flooded": how many events all floods have sent so far; answers while they flood.
// "stray": writes a frame that belongs to no call into the socket, as long after the answer as the request
// says (milliseconds as text).
std::span<const Operation> test_operations();

}  // namespace roundhouse::host
