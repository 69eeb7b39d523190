// SPDX-License-Identifier: Apache-2.0
// Columns for people.
#include "host/cli/table.h"

#include <algorithm>

#include "host/cli/text.h"

namespace roundhouse::host {

void Table::add(const std::vector<std::string>& cells) {
  std::vector<std::string>& row = rows_.emplace_back();
  for (const std::string& cell : cells)
    row.push_back(one_line(cell));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      text += row[i] + std::string(widths[i] + 2 - columns(row[i]), ' ');
    text += row.back() + "\n";
  }
  return text;
}

}  // namespace roundhouse::host
