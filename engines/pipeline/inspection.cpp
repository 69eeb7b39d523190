// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/inspection.h"

#include <set>
#include <string>

#include "engines/kernels/costing/recording_kernels.h"
#include "engines/pipeline/model_files.h"

namespace engines {
namespace {

class Inspection {
 public:
  explicit Inspection(const ProblemCallback& seen) : seen_(seen) {}

  // Whether the work found nothing.
  template <class Work>
  bool look(const Work& work) {
    try {
      work();
      return true;
    } catch (const Error& error) {
      if (told_.insert(error.what()).second) seen_(error);
      return false;
    }
  }

 private:
  const ProblemCallback& seen_;
  std::set<std::string> told_;
};

}  // namespace

void inspect_pipeline(Architectures known, const std::filesystem::path& directory,
                      const PipelineOptions& options, const ProblemCallback& seen,
                      const std::function<bool()>& cancelled) {
  RecordingKernels kernels;
  PipelineOptions unlimited = options;
  unlimited.memory.limit = 0;
  const Architecture* architecture = nullptr;
  Inspection inspection(seen);
  const auto open = [&] {
    architecture = &checked_architecture(known, directory);
    architecture->open(directory, kernels, unlimited);
  };
  if (inspection.look(open) || architecture == nullptr) return;
  for (const OpenPart part : architecture->parts) {
    if (cancelled()) throw Error(RH_CANCELLED, "cancelled");
    inspection.look([&] { part(directory, kernels, unlimited); });
  }
}

}  // namespace engines
