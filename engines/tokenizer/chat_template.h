// SPDX-License-Identifier: Apache-2.0
// The tokenizer's own chat template: a subset of Jinja2, large enough for the published templates of Qwen and
// Llama.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace engines {

class GgufFile;

class ChatTemplate {
 public:
  // Parses once; a syntax error or an unsupported construct is MODEL_INVALID with line and what was found.
  explicit ChatTemplate(const std::string& source);
  // Reads chat_template of <folder>/tokenizer_config.json (a string, or a list of {name, template} with
  // "default"), or chat_template.jinja beside it, which goes first. None at all is MODEL_INVALID, no
  // tokenizer_config.json WEIGHTS_MISSING. The configuration's special tokens (bos_token, ...) become
  // top-level names.
  static ChatTemplate load(const std::filesystem::path& folder);
  // Whether there is one; what is wrong with it, or with the files, only `load` says.
  static bool is_there(const std::filesystem::path& folder);
  // tokenizer.chat_template of a GGUF file, and its special tokens. None is MODEL_INVALID.
  static ChatTemplate from_gguf(const GgufFile& file);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  // Renders with the members of `variables` as top-level names (messages, tools, add_generation_prompt,
  // enable_thinking, bos_token, ...). A template that raises, runs away (more than 1e6 steps, 16 MiB of
  // output) or uses an undefined value where Jinja would fail is MODEL_INVALID. The key order of objects is
  // kept (ordered_json). `tools` and `documents` are none when they are not given.
  std::string render(const nlohmann::ordered_json& variables) const;

  // The template's text, for who has to know in which forms a model writes.
  const std::string& source() const;

  // One user message (INVALID_ARGUMENT when it is not UTF-8), add_generation_prompt true: the form that an
  // image model's prompt takes.
  std::string render_prompt(const std::string& prompt, bool enable_thinking) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace engines
