// SPDX-License-Identifier: Apache-2.0
// How far a run is.
#include "host/cli/progress_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "host/cli/text.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

constexpr std::uint32_t kBarColumns = 24;

std::string bar(std::uint32_t done, std::uint32_t all) {
  const std::uint64_t filled = all == 0 ? 0 : std::uint64_t{kBarColumns} * std::min(done, all) / all;
  return "[" + std::string(filled, '#') + std::string(kBarColumns - filled, '.') + "]";
}

void write_error(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

ProgressView::Style ProgressView::style_for_standard_error(bool json) {
  if (isatty(STDERR_FILENO) != 0) return Style::bar;
  return json ? Style::none : Style::lines;
}

ProgressView::ProgressView(Style style, std::uint32_t images) : style_(style), images_(images) {
}

ProgressView::~ProgressView() {
  clear();
}

void ProgressView::clear() {
  const std::lock_guard lock(mutex_);
  if (drawn_) write_error("\r\x1b[K");
  drawn_ = false;
}

void ProgressView::draw(const std::string& text) {
  const std::string line = one_line(text);
  switch (style_) {
    case Style::none:
      return;
    case Style::lines:
      write_error(line + "\n");
      return;
    case Style::bar:
      // A line that wrapped could not be taken back.
      write_error("\r" + first_columns(line, terminal_width(STDERR_FILENO) - 1) + "\x1b[K");
      drawn_ = true;
  }
}

void ProgressView::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  draw(text);
}

void ProgressView::step(const StepEvent& event) {
  const std::lock_guard lock(mutex_);
  std::string text = images_ > 1 ? fmt::format("image {}/{}  ", event.image + 1, images_) : "";
  text += event.stage + "  ";
  if (style_ == Style::bar) text += bar(event.step, event.steps) + "  ";
  text += fmt::format("{}/{}  {}", event.step, event.steps, human_milliseconds(event.step_milliseconds));
  if (event.stage == "denoise") {
    denoise_total_ += event.step_milliseconds;
    ++denoise_steps_;
    const std::uint64_t left = (event.steps - std::min(event.step, event.steps)) +
                               std::uint64_t{images_ - std::min(images_, event.image + 1)} * event.steps;
    const double mean = denoise_total_ / static_cast<double>(denoise_steps_);
    text += " a step";
    if (left > 0) text += ", " + human_milliseconds(mean * static_cast<double>(left)) + " left";
  }
  draw(text);
}

}  // namespace roundhouse::host
