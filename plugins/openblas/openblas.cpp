// SPDX-License-Identifier: Apache-2.0
// The engine `openblas`: matrix products by OpenBLAS, everything else by portable SIMD; fast on any CPU.
#include "engines/kernels/openblas/openblas_kernels.h"
#include "plugins/pipeline/pipeline_engine.h"
#include "roundhouse/ext/draft/bench.h"
#include "roundhouse/guard.hpp"

namespace {

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
    static constexpr rh_bench bench{sizeof(rh_bench), 0, &matrix_rate};
    return id == RH_BENCH_ID ? &bench : nullptr;
  }

 private:
  static rh_status matrix_rate(rh_engine* engine, uint32_t m, uint32_t n, uint32_t k, double seconds,
                               double* rate, rh_error* error) {
    return roundhouse::guard<engines::Error>(error, [&] {
      if (engine == nullptr || rate == nullptr) {
        throw roundhouse::Error(RH_INVALID_ARGUMENT,
                                "matrix_rate: NULL, expected an engine and a place for the rate");
      }
      const auto& self = roundhouse::engine_of<OpenblasEngine>(engine);
      *rate = engines::measure_sgemm(static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), seconds,
                                     self.threads_);
    });
  }

  int threads_;
};

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<OpenblasEngine>;
