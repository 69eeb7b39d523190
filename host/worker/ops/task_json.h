// SPDX-License-Identifier: Apache-2.0
// JSON of values that the messages of several operations hold; for their .cpp files only.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host/task/image_task.h"
#include "host/task/model_source.h"

namespace roundhouse::host {

void to_json(nlohmann::json& json, const ModelSource& source);
void from_json(const nlohmann::json& json, ModelSource& source);
void to_json(nlohmann::json& json, const ImageTask& task);
void from_json(const nlohmann::json& json, ImageTask& task);

}  // namespace roundhouse::host
