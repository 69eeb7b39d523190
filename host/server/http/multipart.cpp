// SPDX-License-Identifier: Apache-2.0
// Parts between delimiters. Beast reads the parameters of the fields, with their quotes.
#include "host/server/http/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/rfc7230.hpp>

#include "host/server/http/http_error.h"
#include "host/server/http/message.h"

namespace roundhouse::host::http {
namespace {

constexpr std::size_t kLongestBoundary = 70;  // RFC 2046
constexpr std::string_view kLineEnd = "\r\n";

[[noreturn]] void refuse(const std::string& why) {
  throw HttpError(400, RH_INVALID_ARGUMENT, "multipart body: " + why);
}

// "form-data; name=x" as "form-data" and its parameters.
struct Value {
  std::string_view kind;
  std::string_view parameters;  // from the first ';' on
};

Value value_of(std::string_view field) {
  const std::size_t end = std::min(field.find(';'), field.size());
  return {trimmed(field.substr(0, end)), field.substr(end)};
}

// Of the parameters with that name; none where there is none, a refusal where there are two.
std::optional<std::string> parameter(const Value& value, std::string_view name) {
  std::optional<std::string> found;
  const boost::beast::http::param_list list({value.parameters.data(), value.parameters.size()});
  for (const auto& [key, text] : list) {
    if (!equal_without_case({key.data(), key.size()}, name)) continue;
    if (found) refuse("parameter '" + std::string(name) + "' is there twice");
    found = std::string(text);
  }
  return found;
}

std::string boundary_of(std::string_view content_type) {
  const Value value = value_of(content_type);
  if (!equal_without_case(value.kind, "multipart/form-data")) {
    throw HttpError(415, RH_INVALID_ARGUMENT,
                    "content type '" + std::string(content_type) + "': expected multipart/form-data");
  }
  const std::optional<std::string> boundary = parameter(value, "boundary");
  const auto is_lawful = [](char c) { return c > ' ' && c < 0x7f; };
  if (!boundary || boundary->empty() || boundary->size() > kLongestBoundary ||
      !std::all_of(boundary->begin(), boundary->end(), is_lawful)) {
    refuse("no boundary of 1 to 70 visible characters is named");
  }
  return *boundary;
}

void take_field(Part& part, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) refuse("a part has a line that is not a header field");
  const std::string_view name = trimmed(line.substr(0, colon));
  const std::string_view text = trimmed(line.substr(colon + 1));
  if (equal_without_case(name, "Content-Type")) part.content_type = std::string(text);
  if (equal_without_case(name, "Content-Transfer-Encoding") && !equal_without_case(text, "binary") &&
      !equal_without_case(text, "8bit") && !equal_without_case(text, "7bit")) {
    refuse("transfer encoding '" + std::string(text) + "' is not known, expected binary");
  }
  if (!equal_without_case(name, "Content-Disposition")) return;
  const Value value = value_of(text);
  if (!equal_without_case(value.kind, "form-data")) refuse("a part is not form-data");
  if (!part.name.empty()) refuse("a part has two names");
  part.name = parameter(value, "name").value_or("");
  part.file_name = parameter(value, "filename");
}

class Reader {
 public:
  Reader(std::string_view boundary, std::string_view body, const MultipartLimits& limits)
      : delimiter_("\r\n--" + std::string(boundary)), rest_(body), limits_(limits) {}

  std::vector<Part> read() {
    // The first delimiter needs no line end before it.
    const std::string_view first = std::string_view(delimiter_).substr(kLineEnd.size());
    if (rest_.starts_with(delimiter_)) rest_.remove_prefix(kLineEnd.size());
    if (!rest_.starts_with(first)) refuse("does not begin with its boundary");
    rest_.remove_prefix(first.size());
    std::vector<Part> parts;
    while (!at_end()) {
      if (parts.size() == limits_.parts)
        refuse(fmt::format("has more parts than the {} that are taken", limits_.parts));
      parts.push_back(part());
    }
    return parts;
  }

 private:
  // Passes over the line of the delimiter; true after the last one.
  bool at_end() {
    if (rest_.starts_with("--")) return true;
    const std::size_t end = rest_.find(kLineEnd);
    if (end == std::string_view::npos || !trimmed(rest_.substr(0, end)).empty())
      refuse("has a boundary that nothing may follow on its line");
    rest_.remove_prefix(end + kLineEnd.size());
    return false;
  }

  Part part() {
    Part part;
    part.content_type = "text/plain";
    for (std::size_t left = limits_.head_bytes;;) {
      const std::size_t end = rest_.substr(0, left).find(kLineEnd);
      if (end == std::string_view::npos) {
        refuse(fmt::format("a part has no end of its head within {} bytes", limits_.head_bytes));
      }
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end + kLineEnd.size());
      left -= end + kLineEnd.size();
      if (line.empty()) break;
      take_field(part, line);
    }
    if (part.name.empty()) refuse("a part has no name");
    const std::size_t end = rest_.find(delimiter_);
    if (end == std::string_view::npos) refuse("ends before its last boundary");
    part.body = rest_.substr(0, end);
    rest_.remove_prefix(end + delimiter_.size());
    return part;
  }

  const std::string delimiter_;
  std::string_view rest_;
  const MultipartLimits limits_;
};

}  // namespace

bool is_multipart(std::string_view content_type) {
  return equal_without_case(value_of(content_type).kind, "multipart/form-data");
}

std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body,
                                  const MultipartLimits& limits) {
  return Reader(boundary_of(content_type), body, limits).read();
}

}  // namespace roundhouse::host::http
