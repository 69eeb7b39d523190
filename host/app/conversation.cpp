// SPDX-License-Identifier: Apache-2.0
#include "host/app/conversation.h"

#include <fmt/format.h>

#include "host/store/file.h"
#include "host/store/small_file.h"
#include "host/text/json_depth.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using Json = Conversation::Json;

constexpr std::size_t kLargestFile = std::size_t{64} << 20;
constexpr int kDeepest = 64;  // as requests of the daemon may nest

[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& what) {
  throw Error(RH_INVALID_ARGUMENT, fmt::format("conversation '{}': {}", file.string(), what));
}

bool is_message(const nlohmann::json& message) {
  const auto role = message.is_object() ? message.find("role") : message.end();
  return message.is_object() && role != message.end() && role->is_string();
}

}  // namespace

void Conversation::add_user(const std::string& text) {
  messages_.push_back({{"role", "user"}, {"content", text}});
}

void Conversation::add_answer(const TextAnswer& answer) {
  Json message = {{"role", "assistant"}, {"content", answer.answer}};
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  for (std::size_t i = 0; i < answer.tool_calls.size(); ++i) {
    const ToolCall& call = answer.tool_calls[i];
    message["tool_calls"].push_back({{"id", fmt::format("call_{}", i)},
                                     {"type", "function"},
                                     {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  messages_.push_back(std::move(message));
}

void Conversation::drop_last_turn() {
  while (!messages_.empty()) {
    const bool was_user = messages_.back().at("role") == "user";
    messages_.erase(messages_.size() - 1);
    if (was_user) return;
  }
}

std::string Conversation::messages() const {
  Json all = messages_;
  if (!system_.empty()) all.insert(all.begin(), Json{{"role", "system"}, {"content", system_}});
  return json_text(all);
}

void Conversation::save(const std::filesystem::path& file, const std::string& model) const {
  Json root;
  root["version"] = 1;
  root["model"] = model;
  root["messages"] = Json::parse(messages());
  const std::string shown = "conversation '" + file.string() + "'";
  std::filesystem::path part = file;
  part += fmt::format(".{}.part", static_cast<const void*>(this));
  try {
    const File written = create_file(part);
    write_all(written, json_lines(root) + "\n", shown);
    sync_file(written, shown);
    rename_file(part, file);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    throw;
  }
}

Conversation Conversation::load(const std::filesystem::path& file) {
  const auto text = read_small_file(file, file.string(), kLargestFile);
  if (!text) throw Error(RH_IO_ERROR, fmt::format("conversation '{}': there is no such file", file.string()));
  if (nests_deeper(*text, kDeepest)) refuse_file(file, fmt::format("is nested more than {} deep", kDeepest));
  const auto checked = nlohmann::json::parse(*text, nullptr, false);
  if (!checked.is_object() || checked.value("version", nlohmann::json()) != 1)
    refuse_file(file, "is none that 'roundhouse chat' has saved");
  const auto list = checked.find("messages");
  if (list == checked.end() || !list->is_array()) refuse_file(file, "has no messages");
  Conversation conversation;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& message = (*list)[i];
    if (!is_message(message)) refuse_file(file, fmt::format("message {} has no role", i));
    if (i == 0 && message.at("role") == "system" && message.contains("content") &&
        message.at("content").is_string()) {
      conversation.system_ = message.at("content");
    } else {
      conversation.messages_.push_back(Json::parse(json_text(message)));
    }
  }
  return conversation;
}

}  // namespace roundhouse::host
