// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/name_table.h"

namespace engines {
namespace {

// Where `pattern` (with '^': at the beginning only) is in `name`, or npos, and its text.
struct Match {
  std::size_t place;
  std::size_t length;
};

Match match(std::string_view name, std::string_view pattern, bool at_beginning) {
  if (const auto star = pattern.find('*'); at_beginning && star != std::string_view::npos) {
    const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
    const std::size_t end = name.starts_with(before) ? name.find('.', star) : std::string_view::npos;
    const bool fits = end != std::string_view::npos && end > star && name.substr(end).starts_with(after);
    return {fits ? 0 : std::string_view::npos, fits ? end + after.size() : 0};
  }
  if (at_beginning) return {name.starts_with(pattern) ? 0 : std::string_view::npos, pattern.size()};
  return {name.find(pattern), pattern.size()};
}

std::string replaced(std::string_view name, const Match& at, std::string_view by) {
  std::string result(name);
  return result.replace(at.place, at.length, by);
}

}  // namespace

NameTable::Meaning NameTable::meaning(std::string_view stored) const {
  Meaning meaning{{std::string(stored)}, false};
  for (const NameRule& rule : rules_) {
    const bool at_beginning = rule.from.starts_with('^');
    const std::string_view from = std::string_view(rule.from).substr(at_beginning ? 1 : 0);
    std::vector<std::string> names;
    for (const std::string& name : meaning.names) {
      const Match at = match(name, from, at_beginning);
      if (at.place == std::string_view::npos) {
        names.push_back(name);
        continue;
      }
      meaning.squeeze = meaning.squeeze || rule.squeeze;
      for (const std::string& to : rule.to)
        names.push_back(replaced(name, at, to));
    }
    meaning.names = std::move(names);
  }
  return meaning;
}

StoredName NameTable::stored(std::string_view name) const {
  StoredName found{std::string(name), 0, 1};
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    const bool at_beginning = rule->from.starts_with('^');
    for (std::size_t part = 0; part < rule->to.size(); ++part) {
      if (rule->to[part].empty()) continue;
      const Match at = match(found.name, rule->to[part], at_beginning);
      if (at.place == std::string_view::npos) continue;
      found.name = replaced(found.name, at, std::string_view(rule->from).substr(at_beginning ? 1 : 0));
      if (rule->to.size() > 1) found.part = part, found.parts = rule->to.size();
      break;
    }
  }
  return found;
}

std::int64_t row_for_neighbouring_pairs(std::int64_t row, std::int64_t head_size) {
  const std::int64_t in_head = row % head_size;
  const std::int64_t half = head_size / 2;
  return row - in_head + 2 * (in_head % half) + in_head / half;
}

}  // namespace engines
