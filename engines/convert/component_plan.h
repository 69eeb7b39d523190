// SPDX-License-Identifier: Apache-2.0
// What a component's file is going to hold, known from headers alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engines/convert/model_parts.h"
#include "engines/weights/tensor_writer.h"
#include "engines/weights/weight_set.h"

namespace engines::conversion {

struct PlannedTensor {
  TensorSpec spec;                       // as it will be in the file
  std::vector<const WeightView*> parts;  // one above the other; more than one where the format fuses them
  // Which row of a head of the source comes to each place of a head; empty: all stay where they are.
  std::vector<std::int64_t> head_rows;
};

struct ComponentPlan {
  Component component;
  std::unique_ptr<WeightSet> weights;  // the parts are its views
  std::string file;                    // in the target
  bool gguf = false;
  bool unchanged = false;  // every tensor stays what it is: the file can be copied
  std::vector<PlannedTensor> tensors;

  std::uint64_t bytes() const;  // of the tensors in the target
};

// `type` and `gguf` as in ConversionRequest. Throws what reading weights throws; CONVERSION_FAILED for a
// tensor that cannot be written in that format.
ComponentPlan plan_component(const std::filesystem::path& directory, const Component& component, Dtype type,
                             bool gguf);

}  // namespace engines::conversion
