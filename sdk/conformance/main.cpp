// SPDX-License-Identifier: Apache-2.0
// roundhouse-conformance PLUGIN.so: checks a plugin against CONTRACT.md.
#include <dlfcn.h>

#include <cstdio>

#include "roundhouse/floor.hpp"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const auto* entry = static_cast<const rh_plugin_entry_v1*>(dlsym(library, RH_PLUGIN_ENTRY_SYMBOL));
  return roundhouse::reaches_floor(entry) ? 0 : 1;
}
