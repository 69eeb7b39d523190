// SPDX-License-Identifier: Apache-2.0
// How far work on the store's files is.
#include "host/cli/transfer_view.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "host/cli/interrupt.h"
#include "host/cli/progress_view.h"
#include "host/cli/text.h"
#include "host/text/elapsed.h"
#include "host/text/quantities.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBarColumns = 24;
constexpr double kBarSeconds = 0.1, kLineSeconds = 10;  // between two of them
constexpr std::uint64_t kSmallFile = 1 << 20;           // bytes
constexpr double kQuietSeconds = 0.5;                   // what is done sooner needs no line

// The line on the terminal.
class TransferView {
 public:
  TransferView(std::string verb, ProgressView::Style style) : verb_(std::move(verb)), style_(style) {}
  ~TransferView() { clear(); }
  TransferView(const TransferView&) = delete;
  TransferView& operator=(const TransferView&) = delete;

  void seen(const StoreProgress& progress) {
    if (interrupt_noted()) {
      clear();
      throw Error(RH_CANCELLED, "cancelled while " + verb_ + " " + progress.what);
    }
    if (style_ == ProgressView::Style::lines && progress.file) tell_file(progress.what, *progress.file);
    if (progress.done >= progress.total) {
      clear();
      return;
    }
    const bool bar = style_ == ProgressView::Style::bar;
    const double wait = last_ == Clock::time_point{} ? (bar ? kQuietSeconds : kLineSeconds)
                                                     : (bar ? kBarSeconds : kLineSeconds);
    if (style_ == ProgressView::Style::none || seconds_since(std::max(last_, start_)) < wait) return;
    last_ = Clock::now();
    const std::string line = one_line(transfer_text(verb_, progress, seconds_since(start_)));
    write(bar ? "\r" + first_columns(line, terminal_width(STDERR_FILENO) - 1) + "\x1b[K" : line + "\n");
    drawn_ = bar;
  }

 private:
  // A line where a file begins and where it ends; of a small one only the second.
  void tell_file(const std::string& path, const FileProgress& file) {
    if (ended_.contains(path)) return;
    if (file.done >= file.total) {
      ended_.insert(path);
      write(one_line(verb_ + "  " + path + "  done  " + human_bytes(file.total)) + "\n");
    } else if (begun_.insert(path).second && file.total >= kSmallFile) {
      write(one_line(verb_ + "  " + path + "  " + human_bytes(file.total)) + "\n");
    }
  }
  static void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }
  void clear() {
    if (drawn_) write("\r\x1b[K");
    drawn_ = false;
  }

  const std::string verb_;
  const ProgressView::Style style_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_;
  bool drawn_ = false;
  std::set<std::string> begun_, ended_;  // files
};

}  // namespace

std::string transfer_text(const std::string& verb, const StoreProgress& progress, double seconds) {
  const double share =
      progress.total == 0 ? 1 : static_cast<double>(progress.done) / static_cast<double>(progress.total);
  const auto filled = static_cast<std::uint64_t>(std::min(1.0, share) * kBarColumns);
  std::string text = verb + "  [" + std::string(filled, '#') + std::string(kBarColumns - filled, '.') +
                     "]  " + human_bytes(progress.done) + " of " + human_bytes(progress.total);
  if (seconds > 0 && progress.done > progress.before) {
    const double rate = static_cast<double>(progress.done - progress.before) / seconds;
    const double left = static_cast<double>(progress.total - std::min(progress.done, progress.total)) / rate;
    text += "  " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s  " + human_milliseconds(left * 1000) +
            " left";
  }
  return text + "  " + progress.what;
}

ProgressCallback transfer_progress(const std::string& verb, bool json) {
  // Made at the first piece, so that time spent before does not count.
  auto view = std::make_shared<std::unique_ptr<TransferView>>();
  return [=](const StoreProgress& progress) {
    if (!*view) *view = std::make_unique<TransferView>(verb, ProgressView::style_for_standard_error(json));
    (*view)->seen(progress);
  };
}

ProgressCallback logged_transfer(ProgressCallback seen, std::shared_ptr<Log> log, const std::string& verb) {
  auto told = std::make_shared<std::set<std::string>>();  // several are under way at once
  return [=](const StoreProgress& progress) {
    if (told->insert(progress.what).second) {
      log->write(RH_LOG_DEBUG, "source", verb,
                 {{"file", progress.what}, {"bytes_done", progress.done}, {"bytes", progress.total}});
    }
    if (seen) seen(progress);
  };
}

}  // namespace roundhouse::host
