// SPDX-License-Identifier: Apache-2.0
// Bodies of the kind multipart/form-data (RFC 7578), as forms with files send them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roundhouse::host::http {

struct Part {
  std::string name;
  std::optional<std::string> file_name;  // as the client says it: never a path to be used
  std::string content_type;              // "text/plain" where the part says nothing
  std::string_view body;                 // within the text that was given
};

struct MultipartLimits {
  std::size_t parts = 128;
  std::size_t head_bytes = 8192;  // of one part
};

// Whether it is a form of that kind, with any boundary.
bool is_multipart(std::string_view content_type);

// The parts of `body` in their order. Throws an HttpError of 415 for another `content_type`, and of 400 for a
// missing or unlawful boundary, for a body that does not begin with it or has no end, and for a part without
// a name, with an unreadable head, or beyond the limits.
std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body,
                                  const MultipartLimits& limits = {});

}  // namespace roundhouse::host::http
