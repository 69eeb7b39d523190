// SPDX-License-Identifier: Apache-2.0
// GGUF files byte by byte, so that a test can write what no writer would.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace engines {

class GgufBytes {
 public:
  template <class T>
  GgufBytes& put(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof value);
    return *this;
  }
  GgufBytes& u32(std::uint32_t value) { return put(value); }
  GgufBytes& u64(std::uint64_t value) { return put(value); }
  GgufBytes& text(std::string_view value) {
    u64(value.size());
    bytes += value;
    return *this;
  }
  GgufBytes& raw(std::string_view value) {
    bytes += value;
    return *this;
  }
  GgufBytes& begin(std::uint64_t tensors, std::uint64_t pairs, std::uint32_t version = 3) {
    return raw("GGUF").u32(version).u64(tensors).u64(pairs);
  }
  // The dimensions as the file has them: the fastest first.
  GgufBytes& info(std::string_view name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                  std::uint64_t offset) {
    text(name).u32(static_cast<std::uint32_t>(dimensions.size()));
    for (const auto size : dimensions)
      u64(size);
    return u32(type).u64(offset);
  }
  GgufBytes& pad(std::size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
    return *this;
  }
  GgufBytes& data(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      bytes += static_cast<char>(i);
    return *this;
  }

  std::string bytes;
};

}  // namespace engines
