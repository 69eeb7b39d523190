// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/progress_lines.h"

#include <utility>

#include "host/text/json_text.h"

namespace roundhouse::host::ollama {
namespace {

// Often enough for a bar that moves, seldom enough for a slow reader.
constexpr std::chrono::milliseconds kBetweenLines{100};

constexpr const char* kSuccess = "{\"status\":\"success\"}\n";

}  // namespace

ProgressLines::ProgressLines(http::Exchange& exchange, bool stream, std::string verb)
    : exchange_(exchange), verb_(std::move(verb)), wants_stream_(stream) {
}

void ProgressLines::check() const {
  if (exchange_.cancelled()) throw Error(RH_CANCELLED, "cancelled while " + verb_);
}

// The stream begins with the first line: what is refused before it is refused with its own status.
void ProgressLines::write(const std::string& line) {
  check();
  if (!wants_stream_) return;
  if (stream_ == nullptr) stream_ = &exchange_.begin(200, http::kNdjson);
  if (!stream_->write(line)) throw Error(RH_CANCELLED, "cancelled: the client has gone");
}

void ProgressLines::status(const std::string& text) {
  write(json_text(nlohmann::json{{"status", text}}) + "\n");
}

ProgressCallback ProgressLines::seen(const std::string& verb) {
  return [this, verb](const StoreProgress& progress) { on_progress(verb, progress); };
}

void ProgressLines::on_progress(const std::string& verb, const StoreProgress& progress) {
  check();
  const FileProgress figures = progress.file.value_or(FileProgress{{}, progress.done, progress.total});
  const auto now = std::chrono::steady_clock::now();
  // Files travel side by side: each has its own first line, its own pace, and its own end.
  const auto [told, fresh] = told_.try_emplace(progress.what, now);
  if (!fresh && figures.done < figures.total && now - told->second < kBetweenLines) return;
  told->second = now;
  nlohmann::ordered_json line;
  line["status"] = verb + " " + progress.what;
  if (!figures.digest.empty()) line["digest"] = figures.digest;
  line["total"] = figures.total;
  line["completed"] = figures.done;
  write(json_text(line) + "\n");
}

void ProgressLines::success() {
  if (wants_stream_) return write(kSuccess);
  exchange_.send(200, http::kJson, kSuccess);
}

}  // namespace roundhouse::host::ollama
