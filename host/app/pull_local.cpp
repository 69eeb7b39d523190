// SPDX-License-Identifier: Apache-2.0
#include "host/app/pull_local.h"

#include "host/app/import.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileScheme = "file:";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The path of a file URL (RFC 8089), which is always absolute and of this machine.
std::string path_of(const std::string& url) {
  const auto refuse = [&](const std::string& what) {
    throw Error(RH_INVALID_ARGUMENT, "source '" + url + "': " + what + ", expected file:///path");
  };
  std::string rest = url.substr(std::string(kFileScheme).size());
  if (rest.starts_with("//localhost/")) rest = rest.substr(std::string("//localhost").size());
  if (rest.starts_with("///")) rest = rest.substr(2);
  if (!rest.starts_with('/') || rest.starts_with("//")) refuse("is not a path on this machine");
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '%') {
      path += rest[i];
      continue;
    }
    const int high = i + 2 < rest.size() ? hex_digit(rest[i + 1]) : -1;
    const int low = i + 2 < rest.size() ? hex_digit(rest[i + 2]) : -1;
    const int byte = high * 16 + low;
    if (high < 0 || low < 0 || byte == 0) refuse("has a '%' that is not followed by two digits of a byte");
    path += static_cast<char>(byte);
    i += 2;
  }
  return path;
}

}  // namespace

bool is_local_source(const std::string& source) {
  std::error_code ignored;
  return source.starts_with(kFileScheme) || source.starts_with('/') || source.starts_with("./") ||
         source.starts_with("../") || source.ends_with(".gguf") || fs::exists(source, ignored);
}

ImportReport pull_local(const AppContext& context, const PullRequest& request) {
  ImportRequest import;
  import.path = request.source.starts_with(kFileScheme) ? path_of(request.source) : request.source;
  if (request.name) import.name = request.name->text();
  import.parts = request.parts;
  import.progress = request.progress;
  return import_model(context, import);
}

}  // namespace roundhouse::host
