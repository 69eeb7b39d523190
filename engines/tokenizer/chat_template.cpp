// SPDX-License-Identifier: Apache-2.0
// Finding a chat template in the files of a tokenizer, and rendering it with what transformers would give it.
#include "engines/tokenizer/chat_template.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "engines/tensor/error.h"
#include "engines/tokenizer/jinja/evaluator.h"
#include "engines/tokenizer/jinja/parser.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/config.h"
#include "engines/weights/gguf.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t largest_template = std::size_t{1} << 20;
constexpr std::size_t largest_config = std::size_t{16} << 20;

constexpr std::array<std::string_view, 7> special_names{"bos_token", "eos_token", "unk_token", "sep_token",
                                                        "pad_token", "cls_token", "mask_token"};

using Variables = std::vector<std::pair<std::string, jinja::Value>>;

// The template of the configuration: a string, or of several named ones the default; empty when there is
// none.
std::string template_of(const Config& config, const nlohmann::json& tree) {
  const auto place = tree.find("chat_template");
  if (place == tree.end() || place->is_null()) return "";
  if (!place->is_array()) return config.text("chat_template");
  for (const auto& named : *place) {
    const Config entry(named, config.shown() + ": chat_template");
    if (entry.text("name") == "default") return entry.text("template");
  }
  config.fail("chat_template", "has no template named 'default'");
}

// A special token is a string, or an object with its content.
Variables special_tokens(const Config& config, const nlohmann::json& tree) {
  Variables tokens;
  for (const auto name : special_names) {
    const auto place = tree.find(name);
    if (place == tree.end() || place->is_null()) continue;
    const std::string content = place->is_object() ? config.object(name)->text("content") : config.text(name);
    tokens.emplace_back(name, jinja::Value(content));
  }
  return tokens;
}

// Those whose ids a GGUF file tells.
Variables special_tokens(const GgufMetadata& keys) {
  constexpr std::pair<std::string_view, std::string_view> ids[] = {
      {"bos_token", "tokenizer.ggml.bos_token_id"},
      {"eos_token", "tokenizer.ggml.eos_token_id"},
      {"unk_token", "tokenizer.ggml.unknown_token_id"},
      {"pad_token", "tokenizer.ggml.padding_token_id"}};
  const std::vector<std::string> tokens = keys.texts("tokenizer.ggml.tokens");
  Variables found;
  for (const auto& [name, key] : ids) {
    if (!keys.has(key)) continue;
    const std::int64_t id = keys.integer(key, 0, static_cast<std::int64_t>(tokens.size()) - 1);
    found.emplace_back(name, jinja::Value(tokens[static_cast<std::size_t>(id)]));
  }
  return found;
}

}  // namespace

struct ChatTemplate::State {
  std::string source;
  jinja::Body body;
  Variables defaults{{"tools", jinja::Value(jinja::None{})}, {"documents", jinja::Value(jinja::None{})}};
};

ChatTemplate::ChatTemplate(const std::string& source) : state_(std::make_unique<State>()) {
  if (source.size() > largest_template)
    throw Error(RH_MODEL_INVALID, fmt::format("chat template: is {} bytes long, expected at most {}",
                                              source.size(), largest_template));
  if (const auto bad = unicode::first_invalid(source); bad != std::string::npos)
    throw Error(RH_MODEL_INVALID, fmt::format("chat template: is not valid UTF-8 at byte {}", bad));
  state_->body = jinja::parse_template(source);
  state_->source = source;
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

ChatTemplate ChatTemplate::load(const std::filesystem::path& folder) {
  const auto file = folder / "tokenizer_config.json";
  const std::string shown = shown_path(file);
  const nlohmann::json tree = parse_json(read_file(file, shown, largest_config), shown);
  const Config config(tree, shown);
  const auto beside = folder / "chat_template.jinja";
  std::error_code ignored;
  // As transformers has it, the file of its own goes before the field.
  const bool own_file = std::filesystem::exists(beside, ignored);
  const std::string source =
      own_file ? read_file(beside, shown_path(beside), largest_template) : template_of(config, tree);
  if (source.empty() && !own_file) config.fail("chat_template", "is missing");
  try {
    ChatTemplate result(source);
    for (auto& token : special_tokens(config, tree))
      result.state_->defaults.push_back(std::move(token));
    return result;
  } catch (const Error& error) {
    throw Error(error.code(), (own_file ? shown_path(beside) : shown) + ": " + error.what());
  }
}

bool ChatTemplate::is_there(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / "chat_template.jinja", ignored)) return true;
  const auto file = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(file, ignored)) return false;
  const std::string shown = shown_path(file);
  const nlohmann::json tree = parse_json(read_file(file, shown, largest_config), shown);
  return tree.is_object() && tree.contains("chat_template") && !tree["chat_template"].is_null();
}

ChatTemplate ChatTemplate::from_gguf(const GgufFile& file) {
  const GgufMetadata& keys = file.metadata();
  try {
    ChatTemplate result(keys.text("tokenizer.chat_template"));
    for (auto& token : special_tokens(keys))
      result.state_->defaults.push_back(std::move(token));
    return result;
  } catch (const Error& error) {
    const std::string what = error.what();
    throw Error(error.code(), what.starts_with(file.shown()) ? what : file.shown() + ": " + what);
  }
}

const std::string& ChatTemplate::source() const {
  return state_->source;
}

std::string ChatTemplate::render(const nlohmann::ordered_json& variables) const {
  Variables all = state_->defaults;
  for (const auto& [name, value] : variables.items())
    all.emplace_back(name, jinja::from_json(value));
  return jinja::Evaluator().render(state_->body, std::move(all));
}

std::string ChatTemplate::render_prompt(const std::string& prompt, bool enable_thinking) const {
  if (const auto bad = unicode::first_invalid(prompt); bad != std::string::npos)
    throw Error(RH_INVALID_ARGUMENT, fmt::format("prompt: is not valid UTF-8 at byte {}", bad));
  const nlohmann::ordered_json message{{"role", "user"}, {"content", prompt}};
  return render({{"messages", nlohmann::ordered_json::array({message})},
                 {"add_generation_prompt", true},
                 {"enable_thinking", enable_thinking}});
}

}  // namespace engines
