// SPDX-License-Identifier: Apache-2.0
// Several answers one after the other.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "host/app/text.h"

namespace roundhouse::host {

// The messages of a conversation, as an engine's template reads them. A value.
class Conversation {
 public:
  using Json = nlohmann::ordered_json;

  // Empty: none.
  void set_system(const std::string& text) { system_ = text; }
  const std::string& system() const { return system_; }
  void add_user(const std::string& text);
  // With its reasoning, which templates may show again, and its calls of tools.
  void add_answer(const TextAnswer& answer);
  // The last message of the user, and what follows: it was not answered.
  void drop_last_turn();
  void clear() { messages_ = Json::array(); }
  std::size_t size() const { return messages_.size(); }
  // For a request: the system prompt and all messages.
  std::string messages() const;

  // {"version": 1, "model": ..., "messages": [...]}; the file is replaced as a whole. Throws IO_ERROR.
  void save(const std::filesystem::path& file, const std::string& model) const;
  // Throws IO_ERROR, INVALID_ARGUMENT for a file that is none of these.
  static Conversation load(const std::filesystem::path& file);

 private:
  std::string system_;
  Json messages_ = Json::array();
};

}  // namespace roundhouse::host
