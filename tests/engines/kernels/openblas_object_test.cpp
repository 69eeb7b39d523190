// SPDX-License-Identifier: Apache-2.0
// What the object says of itself, and what it does with memory.
#include <malloc.h>
#include <sys/resource.h>

#include <map>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/tensor/error.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

TEST(OpenBlasKernels, describe_threads_vectors_and_blas) {
  for (const int threads : {-1, 1, 3}) {
    const auto facts = make_openblas_kernels(threads)->describe();
    const std::map<std::string, std::string> described(facts.begin(), facts.end());
    EXPECT_EQ(described.at("threads"), std::to_string(std::max(1, threads)));
    EXPECT_NE(described.at("simd"), "");
    EXPECT_THAT(described.at("blas"), testing::HasSubstr("OpenBLAS"));
    EXPECT_NE(described.at("blas.core"), "");
  }
}

TEST(OpenBlasKernels, count_operations_as_the_reference_does) {
  Random random(1);
  const auto kernels = make_openblas_kernels(2);
  const OwnedRows x(4, 6, 0, random);
  const OwnedWeight w(Dtype::bf16, {5, 6}, 0, random);
  OwnedRows y(4, 5);
  kernels->linear(y.view, x.view, w.view);
  EXPECT_EQ(kernels->operations(), 2u * 4 * 5 * 6);
}

TEST(OpenBlasKernels, keep_their_memory_after_the_first_call_of_a_shape) {
  Random random(2);
  const auto kernels = make_openblas_kernels(2);
  const OwnedRows x(64, 64, 0, random);
  const OwnedWeight linear(Dtype::bf16, {64, 64}, 0, random), conv(Dtype::bf16, {8, 8, 3, 3}, 0, random);
  const OwnedRows scale(1, 64, 0, random);
  OwnedRows y(64, 64), attended(64, 64);
  OwnedPlanes planes(8, 16, 32, random), convolved(8, 16, 32);
  const auto step = [&] {
    kernels->linear(y.view, x.view, linear.view, scale.view.data);
    kernels->attention(attended.view, y.view, y.view, y.view, {4, 4, 16, false, 0.25f});
    kernels->conv2d(convolved.view, planes.view, conv.view, nullptr, {});
    kernels->group_norm(planes.view, convolved.view, 2, scale.view.data, scale.view.data, 1e-6f, true);
    kernels->rms_norm(y.view, attended.view, nullptr, 1e-5f);
  };
  step();
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (int i = 0; i < 50; ++i)
    step();
  EXPECT_EQ(mallinfo2().uordblks + mallinfo2().hblkhd, before);
}

// A child ends with 0 when the refusal is the right one.
TEST(OpenBlasObject, says_that_the_address_space_is_too_small) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitized process has no small address space";
#endif
  const auto refused = [] {
    const rlimit limit{200U << 20, 200U << 20};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return 2;
    try {
      make_openblas_kernels(2);
      return 3;
    } catch (const Error& error) {
      return error.code() == RH_OUT_OF_MEMORY ? 0 : 4;
    }
  };
  EXPECT_EXIT(std::_Exit(refused()), ::testing::ExitedWithCode(0), "");
}

TEST(OpenBlasBlocks, cover_the_whole_without_overlap) {
  for (const std::int64_t total : {0, 1, 15, 16, 17, 288, 1056, 3840})
    for (const std::int64_t largest : {16, 64, 512})
      for (const std::int64_t multiple : {1, 4, 16}) {
        const auto blocks = cpu::Blocks::of(total, largest, multiple);
        std::int64_t next = 0;
        for (std::int64_t i = 0; i < blocks.count(); ++i) {
          EXPECT_EQ(blocks.first(i), next);
          EXPECT_GT(blocks.length(i), 0);
          EXPECT_LE(blocks.length(i), largest);
          next += blocks.length(i);
        }
        EXPECT_EQ(next, total);
      }
}

TEST(OpenBlasMeasure, finds_a_plausible_rate) {
  const double rate = measure_sgemm(64, 64, 64, 0.01, 2);
  EXPECT_GT(rate, 1e8);
  EXPECT_LT(rate, 1e15);
}

}  // namespace
}  // namespace engines
