// SPDX-License-Identifier: Apache-2.0
// The tokens of a model and their ids.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engines {

struct TokenizerSpec;

class Vocabulary {
 public:
  // MODEL_INVALID with file and token: an id beyond the number of tokens, an id or a token that comes twice.
  explicit Vocabulary(const TokenizerSpec& spec);
  Vocabulary(const Vocabulary&) = delete;  // the index refers to the tokens
  Vocabulary& operator=(const Vocabulary&) = delete;

  // The token as it is written, or null when no token has this id.
  const std::string* token(std::int64_t id) const;
  // The id of a token, or -1.
  std::int32_t find(std::string_view token) const;
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }  // highest id + 1
  std::size_t longest() const { return longest_; }                                 // token, in bytes

  // Appends the tokens <0x00> to <0xFF> of the bytes; false, and nothing appended, where one is missing.
  bool append_bytes(std::string_view bytes, std::vector<std::int32_t>& ids) const;

 private:
  std::vector<std::string> tokens_;
  std::vector<bool> taken_;
  std::unordered_map<std::string_view, std::int32_t> ids_;
  std::size_t longest_ = 0;
  std::array<std::int32_t, 256> byte_ids_{};
};

}  // namespace engines
