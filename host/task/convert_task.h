// SPDX-License-Identifier: Apache-2.0
// A conversion of weights by an engine (rh.convert/1), as plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/task/engine_option.h"

namespace roundhouse::host {

// The plain values of rh_convert_request.
struct ConvertTask {
  std::filesystem::path source, target;  // absolute; the target exists and is empty
  std::string type;                      // "bf16", "q8_0", ...
  std::string format;                    // "safetensors", "gguf"; empty: the type's own
  std::vector<EngineOption> options;
};

struct ConvertEvent {
  std::string file;    // path in the target
  std::string tensor;  // empty while a file is copied as it is
  std::uint64_t done_bytes = 0, total_bytes = 0;
};
using ConvertProgress = std::function<void(const ConvertEvent&)>;

// A tensor that was written. The relative error of one or of several is the root of the sum of
// squares_of_errors over that of squares.
struct ConvertedTensor {
  std::string file, name, from, to;
  std::vector<std::uint64_t> shape;
  std::uint64_t size_bytes = 0, elements = 0;
  double squares = 0, squares_of_errors = 0;
};

struct ConvertResult {
  std::vector<ConvertedTensor> tensors;
  std::uint64_t peak_memory_bytes = 0;  // of the process that the engine ran in, so far
};

}  // namespace roundhouse::host
