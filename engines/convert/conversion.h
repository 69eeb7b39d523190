// SPDX-License-Identifier: Apache-2.0
// A model directory written again with its weights in another type or file format.
//
// What becomes of a tensor is choose_type's to say (weights/choose_type.h), with two rules on top: a VAE is
// always float32 in safetensors, and nothing is rounded that has one dimension. Everything that holds no
// weights (configurations, tokenizer, scheduler, licence) is copied as it is. Weights pass through a few
// megabytes of memory, however large the model is, and the same directory gives the same bytes whatever the
// number of threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engines/tensor/dtype.h"
#include "engines/threading/thread_pool.h"
#include "engines/weights/weight_class.h"

namespace engines::conversion {

struct ConversionRequest {
  std::filesystem::path source;  // a model directory: components in folders, or a text model in one
  std::filesystem::path target;  // an empty directory
  Dtype type = Dtype::f32;       // of the large matrices; one that can_be_made
  bool gguf = false;             // else safetensors, which has no quantised types
};

// A tensor that was written, with what rounding did to it.
struct TensorReport {
  std::string file;  // in the target, with '/'
  std::string name;  // as that file has it
  Dtype from{}, to{};
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
  // Sums over its elements: of x * x, and of (y - x) * (y - x) for what is stored in place of x.
  double squares = 0, squares_of_errors = 0;
};

// Watches a conversion. Called on the thread that converts, except `cancelled`, which any thread may ask.
class ConversionRun {
 public:
  virtual ~ConversionRun() = default;
  virtual bool cancelled() = 0;
  // `done` of `total` bytes; `tensor` is empty while a file is copied.
  virtual void progress(const std::string& file, const std::string& tensor, std::uint64_t done,
                        std::uint64_t total) = 0;
  virtual void tensor(const TensorReport& report) = 0;
};

// `classes`: what is known of components, most specific first; others are written under their own names.
// Throws what reading weights throws, CAPABILITY_UNSUPPORTED for quantised types in safetensors,
// CONVERSION_FAILED naming a tensor that is not finite, is too great for the type or has no place in the
// format, INSUFFICIENT_STORAGE before the first byte where the file system can tell, CANCELLED. Leaves behind
// in the target what was written before.
void convert_model(const ConversionRequest& request, std::span<const WeightClass> classes, ThreadPool& pool,
                   ConversionRun& run);

}  // namespace engines::conversion
