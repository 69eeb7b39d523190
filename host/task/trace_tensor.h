// SPDX-License-Identifier: Apache-2.0
// What a stage of an engine's work has computed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace roundhouse::host {

struct TraceTensor {
  std::string name;  // "encode.layer0"; see ext/draft/trace.h
  enum class Type { f32, i32 } type = Type::f32;
  std::vector<std::uint64_t> shape;  // the slowest axis first
  std::vector<std::uint8_t> data;    // 4 bytes a value, dense
};

}  // namespace roundhouse::host
