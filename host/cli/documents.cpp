// SPDX-License-Identifier: Apache-2.0
#include "host/cli/documents.h"

#include <cctype>
#include <filesystem>
#include <optional>
#include <string_view>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

bool may_be_of_a_path(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' || c == '_' || c == '-';
}

// Beside the program: <prefix>/bin and <prefix>/share/doc/roundhouse.
std::optional<std::string> place_of(std::string_view document) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return std::nullopt;
  const fs::path directory = (program.parent_path().parent_path() / ROUNDHOUSE_DOCDIR).lexically_normal();
  const fs::path file = directory / (document == "CONTRACT.md" ? "sdk/CONTRACT.md" : document);
  if (!fs::is_regular_file(file, error)) return std::nullopt;
  return file.string();
}

}  // namespace

std::string with_document_paths(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && may_be_of_a_path(text[end]))
      ++end;
    std::string_view word(text.data() + i, end - i);
    while (word.ends_with('.'))
      word.remove_suffix(1);
    const bool document = word.starts_with("docs/") || word == "CONTRACT.md";
    const auto place = document ? place_of(word) : std::nullopt;
    result += place ? *place : std::string(word);
    i += word.size();
    while (i < text.size() && (i < end || !may_be_of_a_path(text[i])))
      result += text[i++];
  }
  return result;
}

}  // namespace roundhouse::host
