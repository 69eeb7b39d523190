// SPDX-License-Identifier: Apache-2.0
// Words that others chose (hubs, files, plugins, clients) on their way to a terminal or a log.
#pragma once

#include <string>
#include <string_view>

namespace roundhouse::host {

bool is_utf8(std::string_view text);

enum class TerminalLines { one, several };

// UTF-8 without what drives a terminal or turns the order of what is read: a control character below a space
// becomes \xNN (a line's end stays where there may be several lines), DEL, C1, marks of direction and line
// separators become \uNNNN, and what is not UTF-8 becomes U+FFFD. JSON that was dumped stays the same JSON.
std::string terminal_text(std::string_view text, TerminalLines lines = TerminalLines::one);

}  // namespace roundhouse::host
