// SPDX-License-Identifier: Apache-2.0
// The engine `reference`: plain and exact, the specification in code.
#include "plugins/pipeline/pipeline_engine.h"

namespace {

class ReferenceEngine : public roundhouse::pipeline::PipelineEngine {
 public:
  explicit ReferenceEngine(const roundhouse::EngineConfig& config)
      : PipelineEngine(config, engines::make_reference_kernels()) {}

  static roundhouse::Descriptor descriptor() {
    auto descriptor = roundhouse::pipeline::common_descriptor();
    descriptor.id = "reference";
    descriptor.name = "Reference";
    descriptor.description =
        "Plain and exact kernels on one thread: the specification that other engines are held to.";
    descriptor.maturity = RH_MATURITY_STABLE;
    descriptor.score = 10;
    return descriptor;
  }
};

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<ReferenceEngine>;
