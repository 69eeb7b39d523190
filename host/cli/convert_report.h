// SPDX-License-Identifier: Apache-2.0
// What a conversion has to tell: where it went, and what it cost in precision.
#pragma once

#include <string>
#include <vector>

#include "host/app/convert.h"
#include "host/cli/program.h"
#include "host/cli/report.h"

namespace roundhouse::host {

// Tensors of one kind, such as the attention of the transformer, that were stored in one type.
struct TensorClass {
  std::string component, name, type;
  std::uint64_t tensors = 0, bytes = 0;
  double squares = 0, squares_of_errors = 0;
  std::string worst;  // the tensor of the greatest relative error
  double worst_error = 0;

  double relative_error() const;
};
std::vector<TensorClass> classes_of(const std::vector<ConvertedTensor>& tensors);

// How the commands that convert start engines, which log there.
ConvertEngines convert_engines(const Program& program, Log& log);

OrderedJson convert_json(const ConvertReport& report, const Store& store);
std::string convert_text(const ConvertReport& report);

}  // namespace roundhouse::host
