// SPDX-License-Identifier: Apache-2.0
// How far a transfer is, as lines of {"status", "digest", "total", "completed"}: clients draw a bar for each
// digest. Where no files travel, the figures are the whole work's and there is no digest.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "host/server/http/exchange.h"
#include "host/store/store.h"

namespace roundhouse::host::ollama {

// Without a stream nothing is told but the end. Used by one thread at a time.
class ProgressLines {
 public:
  // `verb` stands before the name of the file at work: "pulling".
  ProgressLines(http::Exchange& exchange, bool stream, std::string verb);

  // A line of its own. Throws CANCELLED when the client has gone.
  void status(const std::string& text);
  // Throws CANCELLED when the client has gone, or the server ends.
  void check() const;
  // For the options of what works; throws CANCELLED.
  ProgressCallback seen() { return seen(verb_); }
  ProgressCallback seen(const std::string& verb);  // another one
  // The last line, or the whole answer.
  void success();

 private:
  void on_progress(const std::string& verb, const StoreProgress& progress);
  void write(const std::string& line);

  http::Exchange& exchange_;
  const std::string verb_;
  const bool wants_stream_;
  http::Stream* stream_ = nullptr;
  std::map<std::string, std::chrono::steady_clock::time_point> told_;  // file -> when a line told of it
};

}  // namespace roundhouse::host::ollama
