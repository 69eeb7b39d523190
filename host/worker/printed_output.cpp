// SPDX-License-Identifier: Apache-2.0
// Reports of rule P28.
#include "host/worker/printed_output.h"

#include <fmt/format.h>

#include <utility>

#include "host/worker/engine_error.h"
#include "host/worker/redaction.h"
#include "host/worker/worker_end.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {

std::string PrintedOutput::report(WorkerProcess& process, const std::string& phase,
                                  const std::vector<std::string>& private_texts) {
  const Printed output = process.take_output();
  const Printed errors = process.take_errors();
  output_ += output.bytes;
  errors_ += errors.bytes;
  for (const auto& [printed, where] : {std::pair(&output, "output"), std::pair(&errors, "error")}) {
    if (printed->bytes == 0 || !options_.log) continue;
    options_.log(
        RH_LOG_WARNING, "engine",
        fmt::format("{} printed {} bytes to standard {} in {} (rule P28): {}", engine_called(engine_),
                    printed->bytes, where, phase, without_texts(printed->text, private_texts)));
  }
  return last_line(without_texts(errors.text, private_texts));
}

void PrintedOutput::add_remarks(EngineReport& report) const {
  const auto add = [&](std::uint64_t bytes, const char* where) {
    if (bytes == 0) return;
    report.remarks.push_back(fmt::format("printed {} bytes to standard {} (rule P28)", bytes, where));
  };
  add(output_, "output");
  add(errors_, "error");
}

}  // namespace roundhouse::host
