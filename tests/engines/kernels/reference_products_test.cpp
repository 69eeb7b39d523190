// SPDX-License-Identifier: Apache-2.0
// The specification's products against cases worked by hand and against other ways to write the formula.
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using namespace engines::test;

WeightView weight_of(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return {reinterpret_cast<const std::byte*>(values.data()), Dtype::f32, std::move(shape)};
}

TEST(ReferenceLinear, multiplies_rows_with_rows_and_adds_the_bias) {
  std::vector<float> x = {1, 2, 3, 4};
  const std::vector<float> w = {1, 0, 0, 1, 10, 100};
  const std::vector<float> bias = {0, 0.5f, -1};
  std::vector<float> y(6);
  const auto kernels = make_reference_kernels();
  kernels->linear(Rows(y.data(), 2, 3), Rows(x.data(), 2, 2), weight_of(w, {3, 2}), bias.data());
  EXPECT_THAT(y, ElementsAre(1, 2.5f, 209, 3, 4.5f, 429));
  kernels->linear(Rows(y.data(), 2, 3), Rows(x.data(), 2, 2), weight_of(w, {3, 2}));
  EXPECT_THAT(y, ElementsAre(1, 2, 210, 3, 4, 430));
}

TEST(ReferenceLinear, reads_every_stored_type_at_odd_addresses) {
  const std::uint16_t bf16[] = {0x3fc0, 0xc000};  // 1.5, -2
  const std::uint16_t f16[] = {0x3e00, 0x0001};   // 1.5, 2^-24
  std::vector<float> x = {1, 1};
  for (const auto& [dtype, bits, expected] :
       {std::tuple{Dtype::bf16, bf16, -0.5f}, std::tuple{Dtype::f16, f16, 1.5f + 0x1p-24f}}) {
    std::byte bytes[5];
    std::memcpy(bytes + 1, bits, 4);
    float y = 0;
    make_reference_kernels()->linear(Rows(&y, 1, 1), Rows(x.data(), 1, 2), {bytes + 1, dtype, {1, 2}});
    EXPECT_EQ(y, expected) << name_of(dtype);
  }
}

TEST(ReferenceLinear, keeps_small_terms_between_large_ones) {
  std::vector<float> x = {1e8f, 1, -1e8f};
  const std::vector<float> w = {1, 1, 1};
  float y = 0;
  make_reference_kernels()->linear(Rows(&y, 1, 1), Rows(x.data(), 1, 3), weight_of(w, {1, 3}));
  EXPECT_EQ(y, 1);
}

TEST(ReferenceAttention, weighs_values_by_the_softmax_of_the_scaled_scores) {
  // One head of dimension 1; scores 0 and ln 3 give the weights 1/4 and 3/4.
  std::vector<float> q = {1};
  std::vector<float> k = {0, 2 * std::log(3.0f)};
  std::vector<float> v = {4, 8};
  float out = 0;
  make_reference_kernels()->attention(Rows(&out, 1, 1), Rows(q.data(), 1, 1), Rows(k.data(), 2, 1),
                                      Rows(v.data(), 2, 1), {1, 1, 1, false, 0.5f});
  EXPECT_THAT(out, FloatNear(7, 1e-6f));
}

// A prompt in pieces, then single rows, as a model writes: each call's keys are all rows so far.
TEST(ReferenceAttention, gives_chunks_after_a_past_the_bits_of_the_whole) {
  Random random(12);
  const OwnedRows q(40, 4 * 6, 1, random), k(40, 2 * 6, 2, random), v(40, 2 * 6, 0, random);
  OwnedRows whole(40, 4 * 6), chunks(40, 4 * 6, 3);
  const AttentionShape shape{4, 2, 6, true, 0.4f};
  const auto kernels = make_reference_kernels();
  kernels->attention(whole.view, q.view, k.view, v.view, shape);
  const std::uint64_t operations = kernels->operations();
  std::int64_t first = 0;
  for (const std::int64_t rows : {17, 1, 20, 1, 1}) {
    kernels->attention(chunks.view.slice_rows(first, rows), q.view.slice_rows(first, rows),
                       k.view.slice_rows(0, first + rows), v.view.slice_rows(0, first + rows), shape);
    first += rows;
  }
  EXPECT_EQ(first, 40);
  EXPECT_TRUE(same_bits(chunks.view, whole.view));
  EXPECT_EQ(kernels->operations(), 2 * operations) << "no pair is counted twice or left out";
}

TEST(ReferenceAttention, lets_a_causal_row_see_itself_and_what_comes_before) {
  std::vector<float> q = {0, 0, 0};
  std::vector<float> k = {5, 6, 7};
  std::vector<float> v = {3, 9, 30};
  std::vector<float> out(3);
  make_reference_kernels()->attention(Rows(out.data(), 3, 1), Rows(q.data(), 3, 1), Rows(k.data(), 3, 1),
                                      Rows(v.data(), 3, 1), {1, 1, 1, true, 1});
  EXPECT_THAT(out, ElementsAre(3, 6, 14));
}

TEST(ReferenceAttention, shares_a_key_head_between_consecutive_query_heads) {
  std::vector<float> q = {1, 1, 1, 1};
  std::vector<float> k = {1, 1};
  std::vector<float> v = {10, 20};
  std::vector<float> out(4);
  make_reference_kernels()->attention(Rows(out.data(), 1, 4), Rows(q.data(), 1, 4), Rows(k.data(), 1, 2),
                                      Rows(v.data(), 1, 2), {4, 2, 1, false, 1});
  EXPECT_THAT(out, ElementsAre(10, 10, 20, 20));
}

TEST(ReferenceAttention, survives_scores_whose_exponentials_overflow) {
  std::vector<float> q = {1000};
  std::vector<float> k = {1000, -1000};
  std::vector<float> v = {2, 5};
  float out = 0;
  make_reference_kernels()->attention(Rows(&out, 1, 1), Rows(q.data(), 1, 1), Rows(k.data(), 2, 1),
                                      Rows(v.data(), 2, 1), {1, 1, 1, false, 1});
  EXPECT_EQ(out, 2);
}

TEST(ReferenceConv2d, slides_the_kernel_without_turning_it) {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<float> w = {0, 1, 0, 0, 0, 10, 0, 0, 0};  // above + 10 * right
  const float bias = 100;
  std::vector<float> y(9);
  make_reference_kernels()->conv2d(Planes(y.data(), 1, 3, 3), Planes(x.data(), 1, 3, 3),
                                   weight_of(w, {1, 1, 3, 3}), &bias, {3, 1, 1, 1});
  EXPECT_THAT(y, ElementsAre(120, 130, 100, 151, 162, 103, 184, 195, 106));
}

TEST(ReferenceConv2d, steps_by_two_with_padding_on_the_right_and_below_only) {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const std::vector<float> w = {1, 0, 0, 0, 0, 0, 0, 0, 100};  // top left + 100 * bottom right
  std::vector<float> y(4);
  make_reference_kernels()->conv2d(Planes(y.data(), 1, 2, 2), Planes(x.data(), 1, 4, 4),
                                   weight_of(w, {1, 1, 3, 3}), nullptr, {3, 2, 0, 1});
  EXPECT_THAT(y, ElementsAre(1101, 3, 9, 11));
}

TEST(ReferenceConv2d, sums_over_input_channels) {
  std::vector<float> x = {1, 2, 30, 40};
  const std::vector<float> w = {1, 1, 2, -1};
  std::vector<float> y(4);
  make_reference_kernels()->conv2d(Planes(y.data(), 2, 1, 2), Planes(x.data(), 2, 1, 2),
                                   weight_of(w, {2, 2, 1, 1}), nullptr, {1, 1, 0, 0});
  EXPECT_THAT(y, ElementsAre(31, 42, -28, -36));
}

TEST(ReferenceConv2dRows, convolve_rows_of_a_strip_after_its_norm) {
  // Of a map of 1 x 4 x 2 the strip holds rows 1..3; rows 2 and 3 are asked for. Above + 10 * itself.
  std::vector<float> strip = {1, 2, 3, 4, 5, 6};
  const std::vector<float> w = {0, 1, 0, 0, 10, 0, 0, 100, 0};  // + 100 * below, which is 0 under the map
  std::vector<float> y = {0.5f, 0, 0, 0};
  const auto kernels = make_reference_kernels();
  const Strip x(Planes(strip.data(), 1, 3, 2), 1, 4);
  kernels->conv2d_rows(Planes(y.data(), 1, 2, 2), 2, x, weight_of(w, {1, 1, 3, 3}), nullptr);
  EXPECT_THAT(y, ElementsAre(531, 642, 53, 64));
  kernels->conv2d_rows(Planes(y.data(), 1, 2, 2), 2, x, weight_of(w, {1, 1, 3, 3}), nullptr, {.add = true});
  EXPECT_THAT(y, ElementsAre(1062, 1284, 106, 128));

  // silu((5 - 3) * 0.5 ln 3) = ln 3 * 3/4: sigmoid(ln 3) is 3/4.
  const std::vector<float> one = {1};
  const ChannelNorm norm{3, 0.5f * std::log(3.0f), 0};
  float pixel = 0;
  float value = 5;
  kernels->conv2d_rows(Planes(&pixel, 1, 1, 1), 0, Strip(Planes(&value, 1, 1, 1)),
                       weight_of(one, {1, 1, 1, 1}), nullptr, {.norm = &norm});
  EXPECT_THAT(pixel, FloatNear(0.75f * std::log(3.0f), 1e-6f));
}

TEST(ReferenceUpsampleConv2dRows, see_each_pixel_as_four) {
  std::vector<float> x = {1, 2};
  const std::vector<float> w = {0, 0, 0, 1, 10, 100, 0, 0, 0};  // left + 10 * itself + 100 * right
  std::vector<float> y(4);
  make_reference_kernels()->upsample_conv2d_rows(Planes(y.data(), 1, 1, 4), 1, Planes(x.data(), 1, 1, 2),
                                                 weight_of(w, {1, 1, 3, 3}), nullptr);
  EXPECT_THAT(y, ElementsAre(110, 211, 221, 22));
}

TEST(ReferenceKernels, counts_two_operations_a_multiply_add) {
  Random random(1);
  const auto kernels = make_reference_kernels();
  EXPECT_EQ(kernels->operations(), 0u);
  const OwnedWeight w(Dtype::f32, {5, 3}, 0, random);
  OwnedRows y(2, 5);
  kernels->linear(y.view, OwnedRows(2, 3).view, w.view);
  EXPECT_EQ(kernels->operations(), 2u * 2 * 5 * 3);

  OwnedRows out(4, 6);
  const OwnedRows q(4, 6), kv(7, 3), causal_kv(4, 3);
  kernels->attention(out.view, q.view, kv.view, kv.view, {2, 1, 3, false, 1});
  EXPECT_EQ(kernels->operations(), 60u + 2 * 2 * (2 * 4 * 7 * 3));
  kernels->attention(out.view, q.view, causal_kv.view, causal_kv.view, {2, 1, 3, true, 1});
  EXPECT_EQ(kernels->operations(), 60u + 672 + 2 * 2 * (2 * (1 + 2 + 3 + 4) * 3));

  const OwnedWeight conv(Dtype::f32, {2, 3, 3, 3}, 0, random);
  OwnedPlanes planes(2, 4, 5);
  kernels->conv2d(planes.view, OwnedPlanes(3, 4, 5).view, conv.view, nullptr, {});
  EXPECT_EQ(kernels->operations(), 60u + 672 + 240 + 2 * (4 * 5 * 2 * 3 * 9));
}

}  // namespace
}  // namespace engines
