// SPDX-License-Identifier: Apache-2.0
// What a chat model writes, in each of the forms of calls; the first byte chooses which.
#include <algorithm>
#include <string>
#include <vector>

#include "engines/decoding/chat_parser.h"
#include "tests/fuzz/target.h"

namespace {

using namespace engines::decoding;

// Everything that was sent, without regard to how it was cut.
std::string sent(const ChatFormat& format, bool reasons, std::string_view text, std::size_t cut) {
  ChatParser parser(format, reasons, {"f", "get"});
  std::string all;
  Channel last = Channel::answer;
  const auto add = [&](const std::vector<OutputPart>& parts) {
    for (const OutputPart& part : parts) {
      if (part.tool_name) {
        roundhouse::fuzz::require(nlohmann::json::accept(part.text), "arguments are JSON");
        all += "call " + *part.tool_name;
      }
      if (part.channel != last) all += "|" + std::to_string(static_cast<int>(part.channel));
      last = part.channel;
      all += part.text;
    }
  };
  add(parser.push(text.substr(0, cut)));
  add(parser.push(text.substr(cut)));
  add(parser.finish());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const char* templates[] = {"<tool_call><think>", "<|start_header_id|>", "[TOOL_CALLS][THINK]",
                             "<start_of_turn>"};
  const ChatFormat format = chat_format_of(templates[data[0] % 4]);
  const bool reasons = format.thinks() && data[0] >= 128;
  const std::string whole = sent(format, reasons, text, text.size());
  for (const std::size_t cut : {text.size() / 2, text.size() / 3, std::min<std::size_t>(text.size(), 5)})
    roundhouse::fuzz::require(sent(format, reasons, text, cut) == whole, "cuts change nothing");
  return 0;
}
