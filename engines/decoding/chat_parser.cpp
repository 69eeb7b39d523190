// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/chat_parser.h"

#include <algorithm>
#include <utility>

namespace engines::decoding {
namespace {

constexpr std::string_view kLineEnds = "\r\n";
constexpr std::string_view kWhite = " \t\r\n";

// Bytes at the end of text that are the beginning of the mark.
std::size_t beginning_of(std::string_view mark, std::string_view text) {
  for (std::size_t n = std::min(mark.size() - 1, text.size()); n > 0; --n)
    if (text.ends_with(mark.substr(0, n))) return n;
  return 0;
}

// Bytes at the end of text that consist of these.
std::size_t tail_of(std::string_view bytes, std::string_view text) {
  const std::size_t last = text.find_last_not_of(bytes);
  return last == std::string_view::npos ? text.size() : text.size() - last - 1;
}

}  // namespace

ChatParser::ChatParser(ChatFormat format, bool reasons, KnownTools tools)
    : format_(std::move(format)),
      tools_(std::move(tools)),
      phase_(reasons ? Phase::reasoning : Phase::beginning) {
}

std::vector<OutputPart> ChatParser::push(std::string_view text) {
  held_ += text;
  Parts parts;
  while (!held_.empty() && step(parts)) {
  }
  return parts;
}

std::string ChatParser::mark(const std::string& special) const {
  bool known = special == format_.think_open || special == format_.think_close || special == "[ARGS]" ||
               special == "[CALL_ID]";
  for (const CallMark& one : format_.calls)
    known = known || special == one.open || special == one.close;
  return known ? special : std::string();
}

std::vector<OutputPart> ChatParser::finish() {
  Parts parts;
  if (phase_ == Phase::call) end_call(held_.size(), parts);
  // What was held back as the beginning of a mark is text.
  const bool reasoning = phase_ == Phase::reasoning;
  const bool dropped = phase_ == Phase::behind && held_.find_first_not_of(kWhite) == std::string::npos;
  if (reasoning) held_.resize(held_.size() - tail_of(kLineEnds, held_));
  if (!dropped) say(reasoning ? Channel::reasoning : Channel::answer, held_, parts);
  held_.clear();
  return parts;
}

void ChatParser::say(Channel channel, std::string text, Parts& parts) {
  if (text.empty()) return;
  answered_ = answered_ || channel == Channel::answer;
  parts.push_back({channel, std::move(text), {}, 0});
}

bool ChatParser::step(Parts& parts) {
  switch (phase_) {
    case Phase::beginning:
      return begin();
    case Phase::reasoning:
      return reason(parts);
    case Phase::behind:
      return go_on();
    case Phase::answer:
      return answer(parts);
    case Phase::call:
      return call(parts);
  }
  return false;
}

bool ChatParser::begin() {
  if (format_.thinks()) {
    const std::size_t first = std::min(held_.find_first_not_of(kWhite), held_.size());
    const std::string_view rest = std::string_view(held_).substr(first);
    if (rest.starts_with(format_.think_open)) {
      held_.erase(0, first + format_.think_open.size());
      phase_ = Phase::reasoning;
      return true;
    }
    if (format_.think_open.starts_with(rest)) return false;
  }
  phase_ = Phase::answer;
  return true;
}

bool ChatParser::reason(Parts& parts) {
  if (!reasoned_) held_.erase(0, std::min(held_.find_first_not_of(kLineEnds), held_.size()));
  const std::size_t end = held_.find(format_.think_close);
  std::string_view text = std::string_view(held_).substr(0, end);
  if (end == std::string::npos) text.remove_suffix(beginning_of(format_.think_close, text));
  text.remove_suffix(tail_of(kLineEnds, text));
  reasoned_ = reasoned_ || !text.empty();
  const std::size_t said = text.size();
  say(Channel::reasoning, std::string(text), parts);
  if (end == std::string::npos) {
    held_.erase(0, said);
    return false;
  }
  held_.erase(0, end + format_.think_close.size());
  phase_ = Phase::behind;
  return true;
}

// ';' stands between calls of Llama 3.
bool ChatParser::go_on() {
  const std::string_view left_out = !behind_call_ ? kLineEnds : format_.bare_calls ? " \t\r\n;" : kWhite;
  const std::size_t first = held_.find_first_not_of(left_out);
  held_.erase(0, std::min(first, held_.size()));
  if (first == std::string::npos) return false;
  phase_ = Phase::answer;
  return true;
}

bool ChatParser::answer(Parts& parts) {
  if (tools_.empty()) {
    say(Channel::answer, std::exchange(held_, {}), parts);
    return false;
  }
  std::size_t at = std::string::npos, mark = 0, kept = tail_of(kWhite, held_);
  for (std::size_t i = 0; i < format_.calls.size(); ++i) {
    const std::string& open = format_.calls[i].open;
    if (const std::size_t found = held_.find(open); found < at) {
      at = found;
      mark = i;
    }
    // White space before what may be a mark may have to go with it.
    const std::size_t begun = beginning_of(open, held_);
    const std::string_view before = std::string_view(held_).substr(0, held_.size() - begun);
    kept = std::max(kept, begun + (begun == 0 ? 0 : tail_of(kWhite, before)));
  }
  const std::size_t first = held_.find_first_not_of(kWhite);
  if (format_.bare_calls && !answered_ && first < at && held_[first] == '{')
    return open_call(format_.calls.size(), first, parts);
  if (at != std::string::npos) return open_call(mark, at, parts);
  std::string free = held_.substr(0, held_.size() - kept);
  held_.erase(0, free.size());
  say(Channel::answer, std::move(free), parts);
  return false;
}

bool ChatParser::open_call(std::size_t mark, std::size_t at, Parts& parts) {
  const std::string_view before = std::string_view(held_).substr(0, at);
  say(Channel::answer, std::string(before.substr(0, at - tail_of(kWhite, before))), parts);
  held_.erase(0, at);
  mark_ = mark;
  looked_ = 0;
  phase_ = Phase::call;
  return true;
}

std::string_view ChatParser::open_mark() const {
  return mark_ < format_.calls.size() ? std::string_view(format_.calls[mark_].open) : std::string_view();
}

bool ChatParser::call(Parts& parts) {
  const std::size_t begin = open_mark().size();
  const std::string close = mark_ < format_.calls.size() ? format_.calls[mark_].close : std::string();
  if (!close.empty()) {
    for (;;) {
      const std::size_t end = held_.find(close, std::max(begin, looked_));
      if (end == std::string::npos) {
        looked_ = held_.size() - std::min(held_.size(), close.size() - 1);
        return false;
      }
      // It may stand within a string of the call; then the call goes on.
      const std::string_view body = std::string_view(held_).substr(begin, end - begin);
      const std::size_t bracket = body.find_first_of("{[");
      const bool open = bracket != std::string_view::npos && !json_end(body.substr(bracket));
      looked_ = end + close.size();
      if (open) continue;
      end_call(looked_, parts);
      return true;
    }
  }
  const std::size_t bracket = held_.find_first_of("{[", begin);
  if (bracket == std::string::npos) return false;
  // name[ARGS]{...}: the first bracket is the mark's.
  const bool marked = std::string_view(held_).substr(bracket).starts_with("[ARGS]") ||
                      std::string_view(held_).substr(bracket).starts_with("[CALL_ID]");
  const std::size_t from = marked ? held_.find('{', bracket) : bracket;
  if (from == std::string::npos) return false;
  const auto length = json_end(std::string_view(held_).substr(from));
  if (!length) return false;
  end_call(from + *length, parts);
  return true;
}

std::optional<std::vector<ToolCall>> ChatParser::read_call(std::string_view body) const {
  const bool bare = mark_ >= format_.calls.size();
  const CallBody form = bare ? CallBody::json : format_.calls[mark_].body;
  const bool guessed = bare || form == CallBody::code;
  auto calls = json_calls(body, guessed ? tools_ : KnownTools());
  if (!calls && form == CallBody::either) calls = named_call(body);
  if (!calls && form == CallBody::code) calls = code_calls(body, tools_);
  return calls;
}

// The first `region` bytes of held_ are a call, or look like one.
void ChatParser::end_call(std::size_t region, Parts& parts) {
  std::string text = held_.substr(0, region);
  held_.erase(0, region);
  const std::string close = mark_ < format_.calls.size() ? format_.calls[mark_].close : std::string();
  std::string_view body = std::string_view(text).substr(std::min(open_mark().size(), text.size()));
  if (!close.empty() && body.ends_with(close)) body.remove_suffix(close.size());
  const auto calls = read_call(body);
  phase_ = calls ? Phase::behind : Phase::answer;
  behind_call_ = calls.has_value();
  if (!calls) return say(Channel::answer, std::move(text), parts);
  for (const ToolCall& call : *calls)
    parts.push_back({Channel::tool_call, call.arguments, call.name, calls_++});
}

}  // namespace engines::decoding
