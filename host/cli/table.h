// SPDX-License-Identifier: Apache-2.0
// Columns for people.
#pragma once

#include <string>
#include <vector>

namespace roundhouse::host {

// Every column is as wide as its widest cell, the last one as it comes. Cells are made one_line.
class Table {
 public:
  explicit Table(const std::vector<std::string>& head) { add(head); }
  // As many cells as the head has.
  void add(const std::vector<std::string>& cells);
  bool empty() const { return rows_.size() == 1; }  // but for the head
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace roundhouse::host
