// SPDX-License-Identifier: Apache-2.0
// What the host's files share: the standard headers and the JSON library.
#pragma once

#include <nlohmann/json.hpp>

#include "standard.h"
