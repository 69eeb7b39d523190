// SPDX-License-Identifier: Apache-2.0
// A trie over the contents of added tokens, and the rules for what surrounds them.
#include "engines/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const auto before = unicode::decode_last(text.substr(0, begin));
  const auto after = unicode::decode_first(text.substr(end));
  return (before.bytes == 0 || !unicode::is_word(before.value)) &&
         (after.bytes == 0 || !unicode::is_word(after.value));
}

// `begin` moved left over white space, but not beyond `limit`.
std::size_t over_space_before(std::string_view text, std::size_t begin, std::size_t limit) {
  while (begin > limit) {
    const auto c = unicode::decode_last(text.substr(0, begin));
    if (!unicode::is_space(c.value)) break;
    begin -= c.bytes;
  }
  return begin;
}

std::size_t over_space_after(std::string_view text, std::size_t end) {
  while (end < text.size()) {
    const auto c = unicode::decode_first(text.substr(end));
    if (!unicode::is_space(c.value)) break;
    end += c.bytes;
  }
  return end;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), nodes_(1), first_bytes_(256) {
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    insert(static_cast<std::int32_t>(i));
}

void AddedTokenMatcher::insert(std::int32_t token) {
  const auto& content = tokens_[static_cast<std::size_t>(token)].content;
  first_bytes_[static_cast<unsigned char>(content.front())] = true;
  std::size_t at = 0;
  for (const char byte : content) {
    const auto& children = nodes_[at].children;
    const auto child =
        std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.first == byte; });
    if (child != children.end()) {
      at = static_cast<std::size_t>(child->second);
      continue;
    }
    nodes_[at].children.emplace_back(byte, static_cast<std::int32_t>(nodes_.size()));
    at = nodes_.size();
    nodes_.emplace_back();
  }
  nodes_[at].token = token;
}

const AddedToken* AddedTokenMatcher::longest(std::string_view text) const {
  const AddedToken* found = nullptr;
  std::size_t at = 0;
  for (const char byte : text) {
    const auto& children = nodes_[at].children;
    const auto child =
        std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.first == byte; });
    if (child == children.end()) break;
    at = static_cast<std::size_t>(child->second);
    if (nodes_[at].token >= 0) found = &tokens_[static_cast<std::size_t>(nodes_[at].token)];
  }
  return found;
}

std::vector<AddedTokenMatcher::Part> AddedTokenMatcher::split(std::string_view text) const {
  std::vector<Part> parts;
  std::size_t done = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const AddedToken* token =
        first_bytes_[static_cast<unsigned char>(text[at])] ? longest(text.substr(at)) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    const std::size_t end = at + token->content.size();
    if (token->single_word && !stands_alone(text, at, end)) {
      at = end;
      continue;
    }
    const std::size_t from = token->lstrip ? over_space_before(text, at, done) : at;
    const std::size_t to = token->rstrip ? over_space_after(text, end) : end;
    if (from > done) parts.push_back({text.substr(done, from - done), -1});
    parts.push_back({text.substr(from, to - from), static_cast<std::int32_t>(token->id)});
    at = done = to;
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
  return parts;
}

}  // namespace engines
