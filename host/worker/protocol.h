// SPDX-License-Identifier: Apache-2.0
// What host and worker say to each other beside the messages of the operations (ops/).
#pragma once

#include <cstdint>
#include <string>

#include "host/task/events.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

struct LogMessage {
  std::uint32_t level = 0;
  std::string category, message;
};

// The JSON text of a message. Broken UTF-8 from an engine is replaced, never refused. Each type of a message
// has an overload, and a `decode` beside it.
std::string encode(const LogMessage& message);
std::string encode(const ProgressEvent& event);
std::string encode(const Error& error);

// The reverse. Throws FrameError for anything that `encode` does not write.
template <typename Value>
Value decode(const std::string& json);
template <>
LogMessage decode(const std::string& json);
template <>
ProgressEvent decode(const std::string& json);
template <>
Error decode(const std::string& json);

}  // namespace roundhouse::host
