// SPDX-License-Identifier: Apache-2.0
#include "host/session/random_seed.h"

#include <random>

namespace roundhouse::host {

std::uint64_t random_seed() {
  std::random_device device;
  return device();
}

}  // namespace roundhouse::host
