// SPDX-License-Identifier: Apache-2.0
// An output is a dot product of at most in * kernel^2 terms; the bound is that of the linear product, of the
// operands as they are multiplied.
#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

struct Case {
  std::int64_t in, out, height, width;
  ConvShape shape;
  Dtype dtype = Dtype::f32;
  std::size_t offset = 0;
  bool bias = true;

  std::string name() const {
    std::ostringstream text;
    text << in << " -> " << out << ", " << height << " x " << width << ", kernel " << shape.kernel
         << " stride " << shape.stride << " pad " << shape.pad_before << "/" << shape.pad_after << " "
         << name_of(dtype) << " offset " << offset;
    return text.str();
  }
};

constexpr std::int64_t kOutputsInFloat32 = 31;  // fewer than that are not worth a product

OwnedPlanes as_operand_planes(Dtype operands, const OwnedPlanes& x) {
  OwnedPlanes rounded(x);
  if (operands == Dtype::f32) return rounded;
  for (std::int64_t i = 0; i < x.view.size(); ++i)
    rounded.view.data[i] = nearest_bf16(x.view.data[i]);
  return rounded;
}

void check(Kernels& kernels, const Case& c) {
  const auto convolved = [&](std::int64_t size) {
    return (size + c.shape.pad_before + c.shape.pad_after - c.shape.kernel) / c.shape.stride + 1;
  };
  Random random(static_cast<std::uint32_t>(c.in * 10007 + c.out * 101 + c.height * 7 + c.width));
  const OwnedPlanes x(c.in, c.height, c.width, random);
  const OwnedWeight w(c.dtype, {c.out, c.in, c.shape.kernel, c.shape.kernel}, c.offset, random);
  const OwnedRows bias(1, c.out, 0, random);
  const float* bias_data = c.bias ? bias.view.data : nullptr;
  OwnedPlanes actual(c.out, convolved(c.height), convolved(c.width), random);
  OwnedPlanes expected(actual), terms(actual);
  kernels.conv2d(actual.view, x.view, w.view, bias_data, c.shape);
  const Dtype operands = c.out <= kOutputsInFloat32 ? Dtype::f32 : kernels.product_dtype(c.dtype);
  OwnedPlanes rounded = as_operand_planes(operands, x);
  std::vector<float> weights = as_operand(operands, w.view);
  const auto reference = make_reference_kernels();
  reference->conv2d(expected.view, rounded.view, view_of(weights, w.view.shape), bias_data, c.shape);

  // What the error is measured by: the convolution of magnitudes.
  for (std::int64_t i = 0; i < x.view.size(); ++i)
    rounded.view.data[i] = std::abs(rounded.view.data[i]);
  for (float& weight : weights)
    weight = std::abs(weight);
  reference->conv2d(terms.view, rounded.view, view_of(weights, w.view.shape), nullptr, c.shape);

  const double count = static_cast<double>(c.in * c.shape.kernel * c.shape.kernel + 3);
  const auto bound = [&](std::int64_t o, std::int64_t p) {
    return count * kUnit * (terms.view.plane(o)[p] + (c.bias ? std::abs(bias.view.data[o]) : 0));
  };
  expect_within(actual.rows(), expected.rows(), bound, c.name());
}

constexpr ConvShape kSame{3, 1, 1, 1};
constexpr ConvShape kDown{3, 2, 0, 1};
constexpr ConvShape kPixelwise{1, 1, 0, 0};

class Conv2dProducts : public ProductsTest {};

TEST_P(Conv2dProducts, agrees_at_ragged_sizes) {
  const auto kernels = make(2);
  for (const std::int64_t in : {1, 3, 17})
    for (const std::int64_t out : {1, 2, 33})
      for (const std::int64_t height : {2, 7, 16})
        for (const std::int64_t width : {2, 17, 31})
          for (const ConvShape& shape :
               {kSame, kDown, kPixelwise, ConvShape{5, 1, 2, 2}, ConvShape{2, 1, 0, 0}, ConvShape{3, 2, 1, 1},
                ConvShape{3, 3, 4, 2}, ConvShape{1, 2, 0, 0}})
            if (height + shape.pad_before + shape.pad_after >= shape.kernel &&
                width + shape.pad_before + shape.pad_after >= shape.kernel)
              for (const Dtype dtype : {Dtype::f32, Dtype::bf16})
                check(*kernels, {in, out, height, width, shape, dtype});
}

TEST_P(Conv2dProducts, agrees_in_every_type_at_every_address) {
  const auto kernels = make(2);
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
    for (const std::size_t offset : {0, 1, 2, 3})
      for (const ConvShape& shape : {kSame, kDown, kPixelwise})
        for (const std::int64_t out : {9, 37})
          check(*kernels, {5, out, 8, 12, shape, dtype, offset, offset % 2 == 0});
}

TEST_P(Conv2dProducts, agrees_on_single_pixels_rows_and_columns) {
  const auto kernels = make(2);
  for (const ConvShape& shape : {kSame, kPixelwise, ConvShape{5, 1, 2, 2}}) {
    check(*kernels, {4, 34, 1, 1, shape, Dtype::bf16});
    check(*kernels, {4, 34, 1, 65, shape, Dtype::bf16});
    check(*kernels, {4, 34, 65, 1, shape, Dtype::bf16});
    check(*kernels, {4, 4, 1, 65, shape});
    check(*kernels, {4, 4, 65, 1, shape});
  }
}

TEST_P(Conv2dProducts, agrees_where_pixels_and_channels_are_cut_into_tiles) {
  const auto kernels = make(3);
  for (const ConvShape& shape : {kSame, kDown, kPixelwise}) {
    check(*kernels, {70, 39, 33, 40, shape, Dtype::bf16, 1});
    check(*kernels, {3, 35, 3, 1300, shape, Dtype::f16});
    check(*kernels, {3, 35, 130, 9, shape, Dtype::bf16});
    check(*kernels, {70, 19, 33, 40, shape, Dtype::bf16, 1});
    check(*kernels, {3, 5, 3, 1300, shape, Dtype::f16});
    check(*kernels, {3, 5, 130, 9, shape});
  }
}

INSTANTIATE_TEST_SUITE_P(Products, Conv2dProducts, testing::ValuesIn(engine_under_test().products),
                         name_of_products);

}  // namespace
}  // namespace engines
