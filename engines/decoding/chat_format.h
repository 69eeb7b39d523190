// SPDX-License-Identifier: Apache-2.0
// In which forms a model writes reasoning and calls of tools: its chat template tells.
#pragma once

#include <string>
#include <vector>

namespace engines::decoding {

enum class CallBody {
  json,    // one object or several, or an array of them
  either,  // that, or name[ARGS]{...}
  code     // that, or calls written as Python
};

// What a call stands between. Without a closing mark it ends with its JSON.
struct CallMark {
  std::string open, close;
  CallBody body = CallBody::json;
};

struct ChatFormat {
  std::string think_open, think_close;  // empty: the model does not reason in marks
  std::vector<CallMark> calls;
  // The answer may be a call without any mark: then it begins with '{', and names a tool that was offered.
  bool bare_calls = false;

  bool thinks() const { return !think_open.empty(); }
};

// The form that the template's text speaks of: Qwen's and Hermes's <tool_call>, Mistral's [TOOL_CALLS],
// Llama 3's bare JSON behind <|python_tag|> or nothing, Gemma's fences. <think> and [THINK].
ChatFormat chat_format_of(const std::string& chat_template);

}  // namespace engines::decoding
