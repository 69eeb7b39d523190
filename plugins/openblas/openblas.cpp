// SPDX-License-Identifier: Apache-2.0
// The engine `openblas`: matrix products by OpenBLAS, everything else by portable SIMD; fast on any CPU.
#include "engines/kernels/openblas/openblas_kernels.h"
#include "plugins/pipeline/bench_extension.h"
#include "plugins/pipeline/pipeline_engine.h"

namespace {

using engines::Dtype;

class OpenblasEngine : public roundhouse::pipeline::PipelineEngine {
 public:
  explicit OpenblasEngine(const roundhouse::EngineConfig& config)
      : PipelineEngine(config, engines::make_openblas_kernels(static_cast<int>(config.threads))),
        threads_(static_cast<int>(config.threads)) {}

  static roundhouse::Descriptor descriptor() {
    auto descriptor = roundhouse::pipeline::common_descriptor();
    descriptor.id = "openblas";
    descriptor.name = "OpenBLAS";
    descriptor.description = "Matrix products by OpenBLAS and portable SIMD: fast on any CPU.";
    descriptor.maturity = RH_MATURITY_STABLE;
    descriptor.score = 100;
    return descriptor;
  }

  const void* extension(std::string_view id) override {
    return id == RH_BENCH_ID ? roundhouse::pipeline::BenchExtension<OpenblasEngine>::get()
                             : PipelineEngine::extension(id);
  }

  const std::vector<Dtype>& products() const { return products_; }
  double measure_product(Dtype, int m, int n, int k, double seconds) const {
    return engines::measure_sgemm(m, n, k, seconds, threads_);
  }

 private:
  std::vector<Dtype> products_{Dtype::f32};
  int threads_;
};

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<OpenblasEngine>;
