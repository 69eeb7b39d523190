// SPDX-License-Identifier: Apache-2.0
// Standard output, standard error, and the shape of errors on both.
#include "host/cli/report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/cli/documents.h"
#include "host/cli/interrupt.h"
#include "host/cli/text.h"
#include "host/log/terminal_text.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

std::string dump(const OrderedJson& json) {
  return terminal_text(json_lines(json), TerminalLines::several) + "\n";
}

}  // namespace

std::string error_text(const Error& error, int exit_status, const OrderedJson& more) {
  OrderedJson object;
  object["error"] = error_json(error);
  object["error"]["hint"] = with_document_paths(std::string(error.hint()));
  object["error"]["exit_status"] = exit_status;
  for (const auto& [key, value] : more.items())
    object[key] = value;
  return dump(object);
}

int report_error(const Error& error, bool json) {
  return report_error(error, json, OrderedJson::object());
}

int report_error(const Error& error, bool json, const OrderedJson& more) {
  const int status = error.code() == RH_CANCELLED ? interrupted_status() : exit_status(error.code());
  if (json) {
    const std::string text = error_text(error, status, more);
    claim_standard_output();
    // An error of this very output has nowhere to go but standard error, which follows.
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  std::string lines =
      "error: " + std::string(status_name(error.code())) + ": " + one_line(error.what()) + "\n";
  if (!error.hint().empty())
    lines += "hint: " + one_line(with_document_paths(std::string(error.hint()))) + "\n";
  std::fwrite(lines.data(), 1, lines.size(), stderr);
  return status;
}

void print(const std::string& given) {
  const std::string text = terminal_text(given, TerminalLines::several);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw Error(RH_IO_ERROR, "standard output cannot be written");
  }
}

void print_json(const OrderedJson& json) {
  const std::string text = dump(json);
  claim_standard_output();
  print(text);
}

}  // namespace roundhouse::host
