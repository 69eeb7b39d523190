// SPDX-License-Identifier: Apache-2.0
// What every target is: a function that may do anything with an input but crash, hang, or break what is
// required.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace roundhouse::fuzz {

// Ends the process, which the fuzzer and the replay take for a finding.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace roundhouse::fuzz
