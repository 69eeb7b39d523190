// SPDX-License-Identifier: Apache-2.0
// Where files lie on this machine is nobody's business but the owner's: the log says it, answers do not.
#pragma once

#include <string>

#include "host/server/services.h"

namespace roundhouse::host {

// The text with the directories of store, models and engines cut down to their last part: "'/srv/models/a/x'"
// becomes "'a/x'".
std::string without_places(std::string text, const Services& services);

}  // namespace roundhouse::host
