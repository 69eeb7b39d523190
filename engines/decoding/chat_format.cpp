// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/chat_format.h"

namespace engines::decoding {
namespace {

void find_calls(const std::string& text, ChatFormat& format) {
  const auto has = [&](const char* mark) { return text.find(mark) != std::string::npos; };
  if (has("<tool_call>")) {
    format.calls = {{"<tool_call>", "</tool_call>", CallBody::json}};
  } else if (has("[TOOL_CALLS]")) {
    format.calls = {{"[TOOL_CALLS]", "", CallBody::either}};
  } else if (has("<|start_header_id|>") || has("<|python_tag|>")) {
    format.calls = {{"<|python_tag|>", "", CallBody::json}};
    format.bare_calls = true;
  } else if (has("<start_of_turn>")) {
    format.calls = {{"```tool_code", "```", CallBody::code},
                    {"```tool_call", "```", CallBody::code},
                    {"```json", "```", CallBody::code}};
    format.bare_calls = true;
  }
}

}  // namespace

ChatFormat chat_format_of(const std::string& chat_template) {
  const auto has = [&](const char* mark) { return chat_template.find(mark) != std::string::npos; };
  ChatFormat format;
  if (has("<think>") || has("</think>")) {
    format.think_open = "<think>";
    format.think_close = "</think>";
  } else if (has("[THINK]")) {
    format.think_open = "[THINK]";
    format.think_close = "[/THINK]";
  }
  find_calls(chat_template, format);
  return format;
}

}  // namespace engines::decoding
