// SPDX-License-Identifier: Apache-2.0
// The reader of a hub's Link headers.
#include "host/sources/link_header.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace roundhouse;
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  const auto target = host::next_link(field);
  if (!target) return 0;
  fuzz::require(field.find("<" + *target + ">") != std::string_view::npos, "a target is of the field");
  fuzz::require(host::next_link("<" + *target + ">; rel=next") == target, "a target survives being written");
  return 0;
}
