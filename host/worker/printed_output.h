// SPDX-License-Identifier: Apache-2.0
// What a plugin prints although it may not: kept from the user's output, logged without prompts, counted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/worker/engine_client.h"
#include "host/worker/process.h"

namespace roundhouse::host {

class PrintedOutput {
 public:
  // Both are borrowed.
  PrintedOutput(const std::string& engine, const ClientOptions& options)
      : engine_(engine), options_(options) {}

  // Takes and logs what the process has printed meanwhile; the last line of its standard error. The
  // private texts stay out.
  std::string report(WorkerProcess& process, const std::string& phase,
                     const std::vector<std::string>& private_texts);
  void add_remarks(EngineReport& report) const;

 private:
  const std::string& engine_;
  const ClientOptions& options_;
  std::uint64_t output_ = 0, errors_ = 0;  // bytes
};

}  // namespace roundhouse::host
