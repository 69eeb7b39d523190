// SPDX-License-Identifier: Apache-2.0
// Several texts in the payload of a message: they may be long, and need not be UTF-8. For the .cpp files of
// operations.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/worker/frame.h"

namespace roundhouse::host {

class TextPacker {
 public:
  // What stands for the text in the message's JSON: its length, or null.
  nlohmann::json add(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return text.size();
  }
  nlohmann::json add(const std::optional<std::string>& text) {
    return text ? add(std::string_view(*text)) : nlohmann::json(nullptr);
  }
  template <class Texts>
  nlohmann::json add_all(const Texts& texts) {
    nlohmann::json lengths = nlohmann::json::array();
    for (const std::string& text : texts)
      lengths.push_back(add(std::string_view(text)));
    return lengths;
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

// In the order in which they were added. Throws FrameError for what no TextPacker writes.
class TextUnpacker {
 public:
  // Borrows the payload.
  explicit TextUnpacker(const std::vector<std::uint8_t>& payload) : left_(as_text(payload)) {}

  std::string next(const nlohmann::json& length) {
    const auto size = length.get<std::uint64_t>();
    if (size > left_.size()) throw FrameError("a text that is longer than its message");
    const std::string text(left_.substr(0, size));
    left_.remove_prefix(size);
    return text;
  }
  std::optional<std::string> next_optional(const nlohmann::json& length) {
    if (length.is_null()) return std::nullopt;
    return next(length);
  }
  std::vector<std::string> next_all(const nlohmann::json& lengths) {
    std::vector<std::string> texts;
    for (const nlohmann::json& length : lengths)
      texts.push_back(next(length));
    return texts;
  }
  void expect_end() const {
    if (!left_.empty()) throw FrameError("a message with more text than it says");
  }

 private:
  static std::string_view as_text(const std::vector<std::uint8_t>& payload) {
    if (payload.empty()) return {};
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
  }

  std::string_view left_;
};

}  // namespace roundhouse::host
