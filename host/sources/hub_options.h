// SPDX-License-Identifier: Apache-2.0
// How a Hugging Face hub is reached: names of repositories, the variables that its own clients obey, tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "host/transport/http.h"

namespace roundhouse::host {

using Environment = std::function<std::optional<std::string>(const std::string&)>;

struct HubRepository {
  std::string name;               // "org/name", or "name" of the early ones
  std::string revision = "main";  // a branch, a tag or a commit
  std::string file = {};          // which of several models of one file: "Q8_0", "x-Q8_0.gguf"; empty: none
  std::string text() const {
    return "hf:" + name + (file.empty() ? "" : ":" + file) + (revision == "main" ? "" : "@" + revision);
  }
};
bool is_hub_source(const std::string& text);  // begins with "hf:"
// "hf:org/name[:FILE][@revision]". Throws INVALID_ARGUMENT, UNSAFE_NAME.
HubRepository parse_hub_source(const std::string& text);
// The same; a text that names no revision means HUGGINGFACE_REVISION, where that is set.
HubRepository parse_hub_source(const std::string& text, const Environment& environment);
// Throws UNSAFE_NAME for what is no repository's name, no revision, or no file's name.
void require_hub_names(const HubRepository& repository);

struct HubOptions {
  Url endpoint;                                     // https://huggingface.co
  std::optional<std::string> token;                 // goes to the endpoint only, and into no message
  bool offline = false;                             // only the cache may be used
  std::filesystem::path cache;                      // of the hub's own clients; need not exist; empty: none
  unsigned parallel = 4;                            // files at once
  std::optional<std::uint64_t> maximum_bytes = {};  // of all files of a model together
  HttpOptions http;
};

struct HubFlags {
  std::optional<std::string> token, token_file;
  bool allow_http = false;
};

// From the flags, then HF_ENDPOINT, HF_TOKEN, HF_HOME (with its file "token"), HF_HUB_CACHE, HF_HUB_OFFLINE
// as the hub's own clients read them. Throws INVALID_ARGUMENT for an endpoint or a token that cannot be used,
// IO_ERROR for a token file that cannot be read; never with the token.
HubOptions hub_options(const HubFlags& flags, const Environment& environment);

}  // namespace roundhouse::host
