// SPDX-License-Identifier: Apache-2.0
// The JSON manifest beside an engine's library.
#include "host/manifest/manifest.h"
#include "roundhouse/error.hpp"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace roundhouse;
  const fuzz::MemoryFile file(data, size);
  try {
    const host::EngineManifest manifest = host::read_manifest(file.path());
    fuzz::require(!manifest.id.empty() && manifest.library.is_absolute(),
                  "a manifest names engine and library");
  } catch (const Error& error) {
    fuzz::require(error.code() == RH_ENGINE_BROKEN || error.code() == RH_ENGINE_INCOMPATIBLE,
                  "a manifest is refused as broken or incompatible");
  }
  return 0;
}
