// SPDX-License-Identifier: Apache-2.0
// What a registry asks for before it answers: the WWW-Authenticate header of RFC 7235.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace roundhouse::host {

struct AuthChallenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case

  std::string get(const std::string& name) const;  // empty where there is none
};

// All challenges of all such headers, in order. What cannot be read ends its header, as nothing after it can
// be trusted.
std::vector<AuthChallenge> parse_challenges(const std::vector<std::string>& fields);

}  // namespace roundhouse::host
