// SPDX-License-Identifier: Apache-2.0
#include "host/cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string_view>

#include "host/cli/interrupt.h"

namespace roundhouse::host {
namespace {

constexpr int kHistoryLines = 1000;

// A byte of standard input; none at its end, or when a signal was noted while it was waited for.
std::optional<unsigned char> read_byte() {
  for (;;) {
    if (interrupt_noted()) return std::nullopt;
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    if (poll(&waiting, 1, 200) <= 0) continue;  // a signal that came before poll is seen then
    unsigned char byte = 0;
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count == 1) return byte;
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return std::nullopt;
  }
}

// A character of UTF-8, whatever the locale is.
int read_character(EditLine* /*editor*/, wchar_t* character) {
  const auto first = read_byte();
  if (!first) return interrupt_noted() ? -1 : 0;
  const int more = *first >= 0xF0 ? 3 : *first >= 0xE0 ? 2 : *first >= 0xC0 ? 1 : 0;
  constexpr std::array<unsigned, 4> kBits{0x7F, 0x1F, 0x0F, 0x07};
  unsigned value = *first & kBits[static_cast<std::size_t>(more)];
  for (int i = 0; i < more; ++i) {
    const auto next = read_byte();
    if (!next) return interrupt_noted() ? -1 : 0;
    value = value << 6U | (*next & 0x3FU);
  }
  *character = static_cast<wchar_t>(value);
  return 1;
}

void append_utf8(std::string& text, unsigned value) {
  if (value < 0x80) {
    text += static_cast<char>(value);
    return;
  }
  const int more = value >= 0x10000 ? 3 : value >= 0x800 ? 2 : 1;
  constexpr std::array<unsigned, 4> kLead{0, 0xC0, 0xE0, 0xF0};
  text +=
      static_cast<char>(kLead[static_cast<std::size_t>(more)] | value >> (6U * static_cast<unsigned>(more)));
  for (int i = more - 1; i >= 0; --i)
    text += static_cast<char>(0x80U | (value >> (6U * static_cast<unsigned>(i)) & 0x3FU));
}

// Control characters that a terminal could have sent are no part of a text; surrogates are none at all.
bool belongs(unsigned value) {
  return (value >= 0x20 || value == '\t') && value != 0x7F && !(value >= 0xD800 && value < 0xE000) &&
         value < 0x110000;
}

}  // namespace

class LineEditor::Terminal {
 public:
  explicit Terminal(const std::filesystem::path& history)
      : file_(history), editor_(el_init("roundhouse", stdin, stdout, stderr)), history_(history_init()) {
    HistEvent event{};
    ::history(history_, &event, H_SETSIZE, kHistoryLines);
    ::history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &Terminal::prompt_of);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 0);  // the program has handlers of its own
    el_set(editor_, EL_HIST, ::history, history_);
    el_set(editor_, EL_GETCFN, &read_character);
    el_source(editor_, nullptr);  // ~/.editrc
    if (!file_.empty()) ::history(history_, &event, H_LOAD, file_.c_str());
  }
  ~Terminal() {
    history_end(history_);
    el_end(editor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::optional<Line> read(const std::string& prompt) {
    prompt_ = prompt;
    int count = 0;
    const wchar_t* typed = el_wgets(editor_, &count);
    if (typed == nullptr || count <= 0) {
      if (!interrupt_noted()) return std::nullopt;
      el_reset(editor_);
      std::fputs("\n", stdout);
      return Line{"", true};
    }
    Line line;
    for (int i = 0; i < count; ++i) {
      if (belongs(static_cast<unsigned>(typed[i]))) append_utf8(line.text, static_cast<unsigned>(typed[i]));
    }
    return line;
  }

  void remember(const std::string& text) {
    HistEvent event{};
    ::history(history_, &event, H_ENTER, text.c_str());
    if (file_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(file_.parent_path(), ignored);
    ::history(history_, &event, H_SAVE, file_.c_str());  // of mode 600
  }

 private:
  static char* prompt_of(EditLine* editor) {
    Terminal* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self->prompt_.data();
  }

  const std::filesystem::path file_;
  std::string prompt_;
  EditLine* editor_;
  History* history_;
};

LineEditor::LineEditor(std::filesystem::path history)
    : on_terminal_(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1), history_(std::move(history)) {
  if (!on_terminal_) return;
  // For the widths of characters alone; numbers are read and written as before.
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  terminal_ = std::make_unique<Terminal>(history_);
}

LineEditor::~LineEditor() = default;

std::optional<LineEditor::Line> LineEditor::read(const std::string& prompt) {
  if (terminal_) return terminal_->read(prompt);
  Line line;
  for (;;) {
    const auto byte = read_byte();
    if (!byte && interrupt_noted()) return Line{"", true};
    if (!byte) return line.text.empty() ? std::nullopt : std::optional(line);
    if (*byte == '\n') return line;
    line.text += static_cast<char>(*byte);
  }
}

void LineEditor::remember(const std::string& text) {
  if (terminal_ && !text.empty()) terminal_->remember(text);
}

}  // namespace roundhouse::host
