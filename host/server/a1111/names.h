// SPDX-License-Identifier: Apache-2.0
// Samplers and schedules under the names of that world.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/registry/registry.h"
#include "host/session/session.h"

namespace roundhouse::host::a1111 {

struct Method {
  std::string name;   // ours: "dpmpp-2m"
  std::string title;  // theirs: "DPM++ 2M"
  std::vector<std::string> aliases;
};

// What the usable engines offer, each once.
std::vector<Method> samplers(const Registry& registry);
std::vector<Method> schedules(const Registry& registry);

// "DPM++ 2M", "k_dpmpp_2m", "dpmpp-2m" and, as older clients write it, "DPM++ 2M Karras", which names a
// schedule as well; "Automatic" and an empty text leave both to the model. Throws an HttpError of 404 for
// other samplers. Other schedules count as "Automatic", as there: the web UI has more of them than we do.
// Returns the note on it, where there is one.
std::optional<std::string> take_sampler(const std::string& text, const Registry& registry,
                                        GenerateRequest& request);
std::optional<std::string> take_schedule(const std::string& text, const Registry& registry,
                                         GenerateRequest& request);

// Every sampler works with every schedule there. One that the request's sampler, or that of `defaults`, does
// not follow becomes the first that it does. Returns the note on it, where there is one.
std::optional<std::string> settle_schedule(const Registry& registry, const ModelDefaults& defaults,
                                           GenerateRequest& request);

}  // namespace roundhouse::host::a1111
