// SPDX-License-Identifier: Apache-2.0
// Reading text files whole, and short forms of values for messages.
#include "engines/weights/json_file.h"

#include <fmt/format.h>

#include "engines/weights/mapped_file.h"

namespace engines {

std::string shown_path(const std::filesystem::path& file) {
  return (file.parent_path().filename() / file.filename()).string();
}

std::string read_file(const std::filesystem::path& file, const std::string& shown, std::size_t most) {
  const MappedFile mapped(file, shown);
  const std::string_view text = mapped.text();
  if (text.size() > most)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: is {} bytes, expected at most {}", shown, text.size(), most));
  return std::string(text);
}

namespace {

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 80;
  const bool cut = text.size() > longest;
  if (cut) text = text.substr(0, longest);
  // Dumping as JSON escapes control characters; what the cut left of a character is dropped, not replaced.
  const std::string dumped =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
  return dumped.substr(1, dumped.size() - 2) + (cut ? "..." : "");
}

}  // namespace

std::string brief(const nlohmann::json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  if (value.is_object()) return "an object";
  if (value.is_array() && value.size() > 8) return fmt::format("an array of {}", value.size());
  return shortened(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string in_quotes(std::string_view text) {
  std::string quoted(1, '\'');
  return quoted.append(shortened(text)).append(1, '\'');
}

}  // namespace engines
