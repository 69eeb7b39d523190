// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

TEST(ReferenceRmsNorm, divides_by_the_root_mean_square) {
  std::vector<float> x = {3, -4, 3, 4, 0, 0, 0, 0};
  std::vector<float> y(8);
  const auto kernels = make_reference_kernels();
  // The mean square of the first row is 12.5; an eps of 12.5 makes the root 5. The second row shows that 0
  // stays 0.
  kernels->rms_norm(Rows(y.data(), 2, 4), Rows(x.data(), 2, 4), nullptr, 12.5f);
  EXPECT_THAT(y, ElementsAre(FloatEq(0.6f), FloatEq(-0.8f), FloatEq(0.6f), FloatEq(0.8f), 0, 0, 0, 0));
  const std::vector<float> weight = {1, 2, 10, 0};
  kernels->rms_norm(Rows(x.data(), 2, 4), Rows(x.data(), 2, 4), weight.data(), 12.5f);
  EXPECT_THAT(x, ElementsAre(FloatEq(0.6f), FloatEq(-1.6f), 6, 0, 0, 0, 0, 0)) << "in place";
}

TEST(ReferenceRmsNorm, adds_to_what_is_there_when_asked) {
  std::vector<float> x = {3, -4};
  std::vector<float> y = {1, 1};
  const std::vector<float> weight = {10, 5};
  make_reference_kernels()->add_rms_norm(Rows(y.data(), 1, 2), Rows(x.data(), 1, 2), weight.data(), 12.5f);
  EXPECT_THAT(y, ElementsAre(7, -3));
}

TEST(ReferenceLayerNorm, subtracts_the_mean_and_divides_by_the_deviation) {
  std::vector<float> x = {10, 12, 14, 16};  // mean 13, variance 5
  std::vector<float> y(4);
  const std::vector<float> scale = {1, 1, 2, 10};
  make_reference_kernels()->layer_norm(Rows(y.data(), 1, 4), Rows(x.data(), 1, 4), scale.data(), nullptr, 4);
  EXPECT_THAT(y, ElementsAre(-1, FloatEq(-1 / 3.0f), FloatEq(2 / 3.0f), 10));
  make_reference_kernels()->layer_norm(Rows(y.data(), 1, 4), Rows(x.data(), 1, 4), nullptr, nullptr, 4);
  EXPECT_THAT(y[3], FloatEq(1));
  const std::vector<float> shift = {5, 0, 0, -1};
  make_reference_kernels()->layer_norm(Rows(y.data(), 1, 4), Rows(x.data(), 1, 4), scale.data(), shift.data(),
                                       4);
  EXPECT_THAT(y, ElementsAre(4, FloatEq(-1 / 3.0f), FloatEq(2 / 3.0f), 9));
}

TEST(ReferenceGroupNorm, takes_its_statistics_over_neighbouring_channels) {
  // Two groups of two channels of 1 x 2 pixels; mean 13 and 0, variance 5 and 5.
  std::vector<float> x = {10, 12, 14, 16, -3, -1, 1, 3};
  const std::vector<float> weight = {1, 2, 1, 1};
  const std::vector<float> bias = {0, 0, 0, 100};
  std::vector<float> y(8);
  make_reference_kernels()->group_norm(Planes(y.data(), 4, 1, 2), Planes(x.data(), 4, 1, 2), 2, weight.data(),
                                       bias.data(), 4, false);
  EXPECT_THAT(y, ElementsAre(-1, FloatEq(-1 / 3.0f), FloatEq(2 / 3.0f), 2, -1, FloatEq(-1 / 3.0f),
                             FloatEq(100 + 1 / 3.0f), 101));
}

TEST(ReferenceGroupNorm, applies_the_sigmoid_linear_unit_behind_the_bias) {
  std::vector<float> x = {7, 7};
  const float weight = 1;
  const float bias = std::log(3.0f);  // sigmoid 3/4
  make_reference_kernels()->group_norm(Planes(x.data(), 1, 1, 2), Planes(x.data(), 1, 1, 2), 1, &weight,
                                       &bias, 1e-6f, true);
  EXPECT_THAT(x, ElementsAre(FloatEq(0.75f * bias), FloatEq(0.75f * bias)));
}

}  // namespace
}  // namespace engines
