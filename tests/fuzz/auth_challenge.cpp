// SPDX-License-Identifier: Apache-2.0
// The reader of a registry's WWW-Authenticate headers.
#include "host/sources/registry_challenge.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace roundhouse;
  const std::string field(reinterpret_cast<const char*>(data), size);
  const auto challenges = host::parse_challenges({field});
  std::size_t bytes = 0;
  for (const host::AuthChallenge& challenge : challenges) {
    fuzz::require(!challenge.scheme.empty(), "every challenge has a scheme");
    bytes += challenge.scheme.size();
    for (const auto& [name, value] : challenge.parameters)
      bytes += name.size() + value.size();
  }
  fuzz::require(bytes <= size, "nothing is made up");
  fuzz::require(host::parse_challenges({field, field}).size() == 2 * challenges.size(),
                "headers do not depend on each other");
  return 0;
}
