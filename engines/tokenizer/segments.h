// SPDX-License-Identifier: Apache-2.0
// A text that is being cut into the pieces that the model works on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/tokenizer/pattern.h"
#include "engines/tokenizer/stage_config.h"
#include "engines/tokenizer/unicode.h"

namespace engines {

struct Segments {
  struct Piece {
    std::size_t begin;
    std::size_t end;
    bool first;  // whether it begins where the whole text began
  };
  // All of `text` as one piece; `first` as in Piece.
  Segments(std::string all, bool first, std::size_t longest);

  std::string_view of(const Piece& piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }

  std::string text;
  std::vector<Piece> pieces;  // in order, none empty
  std::size_t most;           // bytes that the text may have
};

// What happens to the matches of a split.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// The field `behavior`.
SplitBehavior read_split_behavior(const StageConfig& component, SplitBehavior usual);

// The pieces that parts without gaps are joined to.
std::vector<PatternPart> join_parts(const std::vector<PatternPart>& parts, SplitBehavior behavior);

// Cuts each piece where `find` says: from a text to all of its parts.
template <class Find>
void split_segments(Segments& segments, SplitBehavior behavior, const Find& find) {
  std::vector<Segments::Piece> pieces;
  pieces.reserve(segments.pieces.size());
  for (const auto& piece : segments.pieces) {
    for (const auto& part : join_parts(find(segments.of(piece)), behavior))
      if (part.begin < part.end)
        pieces.push_back({piece.begin + part.begin, piece.begin + part.end, piece.first && part.begin == 0});
  }
  segments.pieces = std::move(pieces);
}

// Writes each piece anew: `write(text, first, out)` appends what becomes of one.
template <class Write>
void rewrite_segments(Segments& segments, const Write& write) {
  std::string text;
  text.reserve(segments.text.size() * 2);
  for (auto& piece : segments.pieces) {
    const std::size_t begin = text.size();
    write(segments.of(piece), piece.first, text);
    piece.begin = begin;
    piece.end = text.size();
  }
  segments.text = std::move(text);
}

// Parts that are single characters of a class, and what lies between them.
template <class Is>
std::vector<PatternPart> parts_by_character(std::string_view text, const Is& is) {
  std::vector<PatternPart> parts;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = unicode::decode_first(text.substr(at));
    const std::size_t end = at + (c.bytes > 0 ? c.bytes : 1);
    if (is(c.value)) {
      if (done < at) parts.push_back({done, at, false});
      parts.push_back({at, end, true});
      done = end;
    }
    at = end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), false});
  return parts;
}

}  // namespace engines
