// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

TEST(ReferenceSiluMul, gates_with_the_sigmoid) {
  const float ln3 = std::log(3.0f);  // sigmoid(ln 3) = 3/4
  std::vector<float> a = {0, ln3, -ln3, 1000, -1000};
  std::vector<float> b = {5, 2, 4, 1, 1};
  make_reference_kernels()->silu_mul(Rows(a.data(), 1, 5), Rows(a.data(), 1, 5), Rows(b.data(), 1, 5));
  EXPECT_THAT(a, ElementsAre(0, FloatEq(1.5f * ln3), FloatEq(-ln3), 1000, 0));
}

TEST(ReferenceAdd, adds_rows_of_different_strides) {
  std::vector<float> y = {1, 2, -7, 3, 4, -7};
  std::vector<float> x = {10, 20, 30, 40};
  make_reference_kernels()->add(Rows(y.data(), 2, 2, 3), Rows(x.data(), 2, 2));
  EXPECT_THAT(y, ElementsAre(11, 22, -7, 33, 44, -7));
}

TEST(ReferenceAddScaled, gates_each_column) {
  std::vector<float> y = {1, 2, -7, 3, 4, -7};
  std::vector<float> x = {10, 20, 30, 40};
  const std::vector<float> scale = {2, -0.5f};
  make_reference_kernels()->add_scaled(Rows(y.data(), 2, 2, 3), Rows(x.data(), 2, 2), scale.data());
  EXPECT_THAT(y, ElementsAre(21, -8, -7, 63, -16, -7));
}

TEST(ReferenceRope, turns_neighbours_when_interleaved) {
  // Two heads of dimension 4; a quarter turn for pair 0, none for pair 1.
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> cos = {0, 1};
  std::vector<float> sin = {1, 0};
  make_reference_kernels()->rope_interleaved(Rows(x.data(), 1, 8), 4, Rows(cos.data(), 1, 2),
                                             Rows(sin.data(), 1, 2));
  EXPECT_THAT(x, ElementsAre(-2, 1, 3, 4, -6, 5, 7, 8));
}

TEST(ReferenceRope, turns_the_halves_against_each_other_when_split) {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> cos = {0, 1};
  std::vector<float> sin = {1, 0};
  make_reference_kernels()->rope_half(Rows(x.data(), 1, 8), 4, Rows(cos.data(), 1, 2),
                                      Rows(sin.data(), 1, 2));
  EXPECT_THAT(x, ElementsAre(-3, 2, 1, 4, -7, 6, 5, 8));
}

TEST(ReferenceRope, uses_the_angles_of_each_row) {
  std::vector<float> x = {1, 2, 1, 2};
  std::vector<float> cos = {1, 0.6f};
  std::vector<float> sin = {0, 0.8f};
  make_reference_kernels()->rope_half(Rows(x.data(), 2, 2), 2, Rows(cos.data(), 2, 1),
                                      Rows(sin.data(), 2, 1));
  EXPECT_THAT(x, ElementsAre(1, 2, FloatEq(-1), FloatEq(2)));
}

TEST(ReferenceUpsample, repeats_every_pixel_in_both_directions) {
  std::vector<float> x = {1, 2, 3, 4};
  std::vector<float> y(16);
  make_reference_kernels()->upsample_nearest_2x(Planes(y.data(), 2, 2, 4), Planes(x.data(), 2, 1, 2));
  EXPECT_THAT(y, ElementsAre(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4));
}

}  // namespace
}  // namespace engines
