// SPDX-License-Identifier: Apache-2.0
// POST /api/create: a model of files that were uploaded, or of another model, with defaults of its own.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "host/server/json_fields.h"
#include "host/server/ollama/progress_lines.h"
#include "host/server/ollama/uploads.h"
#include "host/server/services.h"

namespace roundhouse::host::ollama {

struct CreateRequest {
  ModelName name;
  std::optional<std::string> from;      // a model that is here
  std::map<std::string, Digest> files;  // path in the model -> blob
  std::optional<std::string> quantize;  // the type as engines list it
  std::optional<std::string> prompt_template, system, license;
  ModelDefaults defaults;  // those that are given
};

// Throws INVALID_ARGUMENT naming the field: neither `from` nor `files`, a parameter that no model has,
// `adapters` and `messages`, which have no meaning here, a type that `quantize` does not know; UNSAFE_NAME
// for the name or a path.
CreateRequest read_create_request(const JsonFields& fields);

// Throws WEIGHTS_MISSING for a blob that was not uploaded, MODEL_NOT_FOUND, MODEL_INVALID for files that make
// no model, INVALID_ARGUMENT for a name with a version that stands for another model, and what
// store_converted throws.
void create_model(const Services& services, const http::Exchange& exchange, Uploads& uploads,
                  const CreateRequest& request, ProgressLines& lines);

}  // namespace roundhouse::host::ollama
