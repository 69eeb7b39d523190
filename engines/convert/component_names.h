// SPDX-License-Identifier: Apache-2.0
// What files of a component call its tensors, and what else a GGUF of it says.
#pragma once

#include <filesystem>

#include "engines/convert/model_parts.h"
#include "engines/tensor/dtype.h"
#include "engines/weights/name_table.h"
#include "engines/weights/tensor_writer.h"

namespace engines::conversion {

NameTable component_names(const Component& component);

// The key-values of the component's GGUF: architecture, type and, of a text model, what its config.json says;
// those of a GGUF that it was before are kept.
GgufKeys component_keys(const Component& component, const std::filesystem::path& directory, Dtype type);

}  // namespace engines::conversion
