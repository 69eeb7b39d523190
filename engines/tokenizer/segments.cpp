// SPDX-License-Identifier: Apache-2.0
// Joining the parts of a split.
#include "engines/tokenizer/segments.h"

#include <algorithm>
#include <utility>

namespace engines {
namespace {

struct BehaviorName {
  std::string_view name;
  SplitBehavior behavior;
};
constexpr BehaviorName behavior_names[] = {{"Removed", SplitBehavior::removed},
                                           {"Isolated", SplitBehavior::isolated},
                                           {"MergedWithPrevious", SplitBehavior::merged_with_previous},
                                           {"MergedWithNext", SplitBehavior::merged_with_next},
                                           {"Contiguous", SplitBehavior::contiguous}};

// A part joins the one before it where `joins` says so of it and the part before.
template <class Joins>
std::vector<PatternPart> join_forward(const std::vector<PatternPart>& parts, const Joins& joins) {
  std::vector<PatternPart> joined;
  bool previous = false;
  for (const auto& part : parts) {
    if (!joined.empty() && joins(part.match, previous))
      joined.back().end = part.end;
    else
      joined.push_back(part);
    previous = part.match;
  }
  return joined;
}

std::vector<PatternPart> join_with_next(const std::vector<PatternPart>& parts) {
  std::vector<PatternPart> joined;
  bool next = false;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->match && !next && !joined.empty())
      joined.back().begin = part->begin;
    else
      joined.push_back(*part);
    next = part->match;
  }
  std::reverse(joined.begin(), joined.end());
  return joined;
}

}  // namespace

Segments::Segments(std::string all, bool first, std::size_t longest) : text(std::move(all)), most(longest) {
  if (!text.empty()) pieces.push_back({0, text.size(), first});
}

SplitBehavior read_split_behavior(const StageConfig& component, SplitBehavior usual) {
  if (!component.has("behavior")) return usual;
  const std::string written = component.text("behavior");
  for (const auto& [name, behavior] : behavior_names)
    if (name == written) return behavior;
  component.fail(
      "behavior",
      fmt::format("{} is not supported, expected one of 'Removed', 'Isolated', 'MergedWithPrevious', "
                  "'MergedWithNext', 'Contiguous'",
                  in_quotes(written)));
}

std::vector<PatternPart> join_parts(const std::vector<PatternPart>& parts, SplitBehavior behavior) {
  std::vector<PatternPart> joined;
  switch (behavior) {
    case SplitBehavior::isolated:
      return parts;
    case SplitBehavior::removed:
      std::copy_if(parts.begin(), parts.end(), std::back_inserter(joined),
                   [](const auto& part) { return !part.match; });
      return joined;
    case SplitBehavior::merged_with_previous:
      return join_forward(parts, [](bool match, bool previous) { return match && !previous; });
    case SplitBehavior::contiguous:
      return join_forward(parts, [](bool match, bool previous) { return match == previous; });
    case SplitBehavior::merged_with_next:
      return join_with_next(parts);
  }
  return joined;
}

}  // namespace engines
