// SPDX-License-Identifier: Apache-2.0
// Text for people.
#include "host/cli/text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "host/log/terminal_text.h"

namespace roundhouse::host {

std::string one_line(const std::string& text) {
  return terminal_text(text);
}

std::string first_columns(const std::string& text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && count++ == columns) break;
  }
  return text.substr(0, end);
}

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string labelled(const std::string& label, const std::string& text, std::size_t width) {
  constexpr std::size_t kIndent = 14;
  std::string line = "  " + label;
  line.resize(std::max(line.size() + 1, kIndent), ' ');
  std::string all;
  bool empty = true;
  std::istringstream words(one_line(text));
  for (std::string word; words >> word;) {
    if (!empty && columns(line) + 1 + columns(word) > width) {
      all += line + "\n";
      line.assign(kIndent, ' ');
      empty = true;
    }
    line += (empty ? "" : " ") + word;
    empty = false;
  }
  return all + line + "\n";
}

std::string wrapped_help(const std::string& text, std::size_t indent, std::size_t width) {
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool described = line.size() > indent && line.starts_with("  ");
    const std::size_t begin = described ? indent : 0;
    while (columns(line) > width) {
      // The last space that fits; without one the word keeps a line of its own.
      std::size_t at = line.rfind(' ', width);
      if (at == std::string::npos || at <= begin) at = line.find(' ', width);
      if (at == std::string::npos || at <= begin) break;
      all += line.substr(0, at) + "\n";
      line = std::string(begin, ' ') + line.substr(at + 1);
    }
    all += line + "\n";
  }
  return all;
}

std::size_t terminal_width(int descriptor) {
  constexpr std::size_t kWidest = 120;
  if (const char* told = std::getenv("COLUMNS"); told != nullptr) {
    const unsigned long number = std::strtoul(told, nullptr, 10);
    if (number > 0) return std::clamp<std::size_t>(number, 40, 400);
  }
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
  return std::clamp<std::size_t>(size.ws_col, 40, kWidest);
}

}  // namespace roundhouse::host
