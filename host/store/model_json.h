// SPDX-License-Identifier: Apache-2.0
// Models and their damages as commands with --json and the daemon show them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host/store/model_catalogue.h"
#include "host/store/store.h"

namespace roundhouse::host {

// Without where it lies: that is for the machine's own users.
nlohmann::ordered_json model_entry_json(const ModelCatalogue::Entry& entry);
// Whether models of that class ("ZImagePipeline") make images, so that sizes mean something to them. One of
// no known class may.
bool makes_images(const std::string& architecture);
// {minimum, maximum, multiple_of}; null for models that make no images.
nlohmann::ordered_json size_json(const ModelSpec& spec, const std::string& architecture);
nlohmann::ordered_json damage_json(const Damage& damage);

}  // namespace roundhouse::host
