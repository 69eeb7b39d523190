// SPDX-License-Identifier: Apache-2.0
// One image made for its stages: flags, plan and engine of `dump`, `parity` and `smoke`.
#pragma once

#include <functional>

#include "host/cli/arguments.h"
#include "host/cli/generate_options.h"
#include "host/cli/program.h"
#include "host/cli/report.h"
#include "host/cli/tensor_file.h"
#include "host/session/session.h"

namespace roundhouse::host {

using TraceFlags = GenerateFlags;  // of which declare_traced_flags declares some

// Fills what was not typed from the texts of a fixture.
void fill_from_texts(TraceFlags& flags, const TensorTexts& texts);

// Fills what was not typed with the smallest that the model does: one step of its least size.
void make_tiny(TraceFlags& flags, const ModelCatalogue& models);

class TraceRun {
 public:
  // Decides and checks all values; starts nothing. Throws what make_plan throws. Borrows the program.
  TraceRun(const Program& program, const TraceFlags& flags);

  // Makes the image; Ctrl-C cancels it. Throws CAPABILITY_UNSUPPORTED where the engine shows no stages.
  void trace(const std::function<void(const TraceTensor&)>& seen);

  TensorTexts texts() const;    // of the request, for a fixture
  OrderedJson json() const;     // engine, model and request
  std::string summary() const;  // one line of it

 private:
  const Program& program_;
  std::optional<std::string> threads_;
  std::unique_ptr<Log> log_;
  Registry registry_;
  GeneratePlan plan_;
};

}  // namespace roundhouse::host
