// SPDX-License-Identifier: Apache-2.0
// The older form of a tokenizer: vocab.json, merges.txt and tokenizer_config.json.
#include <fmt/format.h>

#include <charconv>
#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/weights/config.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t largest_file = std::size_t{64} << 20;

void read_vocab(const std::filesystem::path& file, TokenizerSpec& spec) {
  const nlohmann::json json = parse_json(read_file(file, spec.vocab_shown, largest_file), spec.vocab_shown);
  if (!json.is_object())
    throw Error(RH_MODEL_INVALID, spec.vocab_shown + ": is " + brief(json) + ", expected an object");
  spec.vocab.reserve(json.size());
  for (const auto& [token, id] : json.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > static_cast<std::uint64_t>(highest_token_id))
      throw Error(RH_MODEL_INVALID,
                  spec.vocab_shown + ": " + in_quotes(token) + ": " + brief(id) + " is not an id");
    spec.vocab.emplace_back(token, id.get<std::int64_t>());
  }
}

void read_merges(const std::filesystem::path& file, TokenizerSpec& spec) {
  const std::string text = read_file(file, spec.merges_shown, largest_file);
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
      throw Error(RH_MODEL_INVALID, fmt::format("{}: line {}: {} is not a pair of tokens", spec.merges_shown,
                                                number, in_quotes(line)));
    spec.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
}

std::int64_t parse_id(const Config& config, const std::string& text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 0 || id > highest_token_id)
    config.fail("added_tokens_decoder", in_quotes(text) + " is not an id");
  return id;
}

void read_config(const std::filesystem::path& file, TokenizerSpec& spec) {
  const std::string& shown = spec.added_shown;
  const nlohmann::json tree = parse_json(read_file(file, shown, largest_file), shown);
  const Config config(tree, shown);
  const std::string kind = config.text("tokenizer_class");
  if (kind == "Qwen2Tokenizer" || kind == "Qwen2TokenizerFast") {
    spec.pre_tokenizer = byte_level_pre_tokenizer(qwen2_expression);
    spec.normalizer = {{"type", "NFC"}};
  } else if (kind == "GPT2Tokenizer" || kind == "GPT2TokenizerFast") {
    spec.pre_tokenizer = byte_level_pre_tokenizer("");
  } else {
    config.fail("tokenizer_class", in_quotes(kind) +
                                       " is not supported without a tokenizer.json, expected "
                                       "'Qwen2Tokenizer' or 'GPT2Tokenizer'");
  }
  if (config.boolean_or("add_prefix_space", false)) config.fail("add_prefix_space", "true is not supported");
  if (config.boolean_or("add_bos_token", false)) config.fail("add_bos_token", "true is not supported");
  const auto added = config.object("added_tokens_decoder");
  if (!added) return;
  for (const auto& [id, token] : tree["added_tokens_decoder"].items()) {
    spec.added.push_back(read_added_token(Config(token, added->shown() + ": " + id)));
    spec.added.back().id = parse_id(config, id);
  }
}

}  // namespace

TokenizerSpec read_vocab_and_merges(const std::filesystem::path& folder, const std::string& shown) {
  TokenizerSpec spec;
  spec.shown = shown;
  spec.decoder = byte_level_decoder();
  spec.vocab_shown = shown + "/vocab.json";
  spec.merges_shown = shown + "/merges.txt";
  spec.added_shown = shown + "/tokenizer_config.json";
  read_vocab(folder / "vocab.json", spec);
  read_merges(folder / "merges.txt", spec);
  read_config(folder / "tokenizer_config.json", spec);
  return spec;
}

}  // namespace engines
