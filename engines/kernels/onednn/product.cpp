// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/onednn/product.h"

#include <fmt/format.h>
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>

#include "engines/tensor/error.h"

namespace engines::onednn {
namespace {

using Descriptor = dnnl::memory::desc;

// Some kilobytes of generated code each; an image needs some dozens of shapes.
constexpr std::size_t kMostProducts = 1024;

// oneDNN prepares and runs a product for as many threads as OpenMP would use: here, the calling one.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

const dnnl::engine& processor() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory::data_type type_of(Dtype dtype) {
  return dtype == Dtype::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

Descriptor describe_b(const ProductShape& shape) {
  const dnnl::memory::dims dims{shape.k, shape.n};
  const auto type = type_of(shape.operands);
  if (shape.form == Form::any) return {dims, type, dnnl::memory::format_tag::any};
  if (shape.form == Form::plain) return {dims, type, dnnl::memory::dims{shape.ldb, 1}};
  return {dims, type, dnnl::memory::dims{1, shape.ldb}};
}

dnnl::matmul::primitive_desc describe(const ProductShape& shape) {
  const Descriptor a({shape.m, shape.k}, type_of(shape.operands), dnnl::memory::dims{shape.lda, 1});
  const Descriptor c({shape.m, shape.n}, dnnl::memory::data_type::f32, dnnl::memory::dims{shape.ldc, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (shape.add) {
    dnnl::post_ops sum;
    sum.append_sum(1);
    attributes.set_post_ops(sum);
  }
  return {dnnl::matmul::desc(a, describe_b(shape), c), attributes, processor()};
}

// oneDNN's complaints as this program's.
template <class Call>
auto guarded(const Call& call) {
  try {
    return call();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw Error(RH_OUT_OF_MEMORY, "onednn has no memory left");
    throw Error(RH_ENGINE_INTERNAL, std::string("onednn failed: ") + error.what());
  }
}

std::string library_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

std::string instruction_set_name() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      return "sse41";
    case dnnl_cpu_isa_avx:
      return "avx";
    case dnnl_cpu_isa_avx2:
      return "avx2";
    case dnnl_cpu_isa_avx2_vnni:
      return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core:
      return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "generic";
  }
}

}  // namespace

struct Product::Parts {
  Descriptor a, b, c, scratchpad;
  dnnl::matmul matmul;
};

Product::Product(const ProductShape& shape) {
  const OneThread one_thread;
  guarded([&] {
    const auto described = describe(shape);
    parts_ =
        std::make_unique<Parts>(Parts{described.src_desc(), described.weights_desc(), described.dst_desc(),
                                      described.scratchpad_desc(), dnnl::matmul(described)});
  });
}

Product::~Product() = default;

void Product::run(const void* a, const void* b, float* c) const {
  const OneThread one_thread;
  guarded([&] {
    // oneDNN writes to c only.
    const auto memory = [](const Descriptor& descriptor, const void* data) {
      return dnnl::memory(descriptor, processor(), const_cast<void*>(data));
    };
    dnnl::stream stream(processor());
    const dnnl::memory scratchpad(parts_->scratchpad, processor());
    parts_->matmul.execute(stream, {{DNNL_ARG_SRC, memory(parts_->a, a)},
                                    {DNNL_ARG_WEIGHTS, memory(parts_->b, b)},
                                    {DNNL_ARG_DST, memory(parts_->c, c)},
                                    {DNNL_ARG_SCRATCHPAD, scratchpad}});
  });
}

std::int64_t Product::bytes_of_b() const {
  return static_cast<std::int64_t>(parts_->b.get_size());
}

const Product& OneDnnProducts::of(const ProductShape& shape) {
  const std::scoped_lock lock(mutex_);
  return products_.try_emplace(shape, shape).first->second;
}

void OneDnnProducts::begin_operation() {
  const std::scoped_lock lock(mutex_);
  if (products_.size() > kMostProducts) products_.clear();
}

// Alike where no panel is needed, so that y depends on the weight's values and not on how they are stored; at
// multiples of 32, so that most quantised blocks stay whole.
cpu::Blocks OneDnnProducts::cut_depth(std::int64_t k, const WeightView&, bool) const {
  constexpr std::int64_t kPanelDepth = 2048;
  return cpu::Blocks::of(k, kPanelDepth, 32);
}

std::vector<std::pair<std::string, std::string>> OneDnnProducts::describe() const {
  return {{"products", std::string(name_of(operands_))},
          {"onednn", library_version()},
          {"onednn.isa", instruction_set_name()}};
}

bool has_bf16_products() {
  constexpr auto kNeeded = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kNeeded) == kNeeded;
}

}  // namespace engines::onednn
