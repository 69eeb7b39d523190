// SPDX-License-Identifier: Apache-2.0
// The engine `onednn`: matrix products by oneDNN, in bf16 where the processor has them, everything else by
// portable SIMD.
#include "engines/kernels/onednn/onednn_kernels.h"
#include "plugins/pipeline/bench_extension.h"
#include "plugins/pipeline/pipeline_engine.h"

namespace {

using engines::Dtype;

// Below the engine `openblas` (100): where neither was measured, the one that is fast on every processor goes
// first.
constexpr std::int32_t kScore = 90;

// Option "products": "auto" (the default: bf16 where the processor has them and weights are stored in less
// than f32) or "f32".
Dtype chosen_products(roundhouse::Options& options) {
  const std::string products = options.string("products", "auto");
  if (products == "f32") return Dtype::f32;
  if (products == "auto") return engines::best_onednn_products();
  throw roundhouse::Error(RH_INVALID_ARGUMENT,
                          "option 'products': '" + products + "' is not known, expected auto or f32");
}

class OnednnEngine : public roundhouse::pipeline::PipelineEngine {
 public:
  explicit OnednnEngine(const roundhouse::EngineConfig& config)
      : OnednnEngine(config, chosen_products(config.options)) {}

  static roundhouse::Descriptor descriptor() {
    auto descriptor = roundhouse::pipeline::common_descriptor();
    descriptor.id = "onednn";
    descriptor.name = "oneDNN";
    descriptor.description = "Matrix products by oneDNN, in bf16 where the CPU has them, and portable SIMD.";
    descriptor.maturity = RH_MATURITY_STABLE;
    descriptor.score = kScore;
    return descriptor;
  }

  const void* extension(std::string_view id) override {
    return id == RH_BENCH_ID ? roundhouse::pipeline::BenchExtension<OnednnEngine>::get()
                             : PipelineEngine::extension(id);
  }

  const std::vector<Dtype>& products() const { return products_; }
  double measure_product(Dtype operands, int m, int n, int k, double seconds) const {
    return engines::measure_onednn_product(operands, m, n, k, seconds, threads_);
  }

 private:
  OnednnEngine(const roundhouse::EngineConfig& config, Dtype products)
      : PipelineEngine(config, engines::make_onednn_kernels(static_cast<int>(config.threads), products)),
        threads_(static_cast<int>(config.threads)) {
    if (products != Dtype::f32) products_.insert(products_.begin(), products);
  }

  std::vector<Dtype> products_{Dtype::f32};
  int threads_;
};

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<OnednnEngine>;
