// SPDX-License-Identifier: Apache-2.0
// The operations on strips of a map: near the specification, and the same bits however the map is cut. The
// bound of a convolution is that of the linear product, see openblas_conv2d_test.cpp.
#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

struct Case {
  std::int64_t in, out, height, width, kernel;
  bool norm = false;
  bool add = false;
  Dtype dtype = Dtype::f32;

  std::string name() const {
    std::ostringstream text;
    text << in << " -> " << out << ", " << height << " x " << width << ", kernel " << kernel << " "
         << name_of(dtype) << (norm ? " after a norm" : "") << (add ? ", added" : "");
    return text.str();
  }
};

struct Operands {
  Random random;
  OwnedPlanes x;
  OwnedWeight w;
  OwnedRows bias;
  OwnedPlanes before;
  std::vector<ChannelNorm> norms;

  explicit Operands(const Case& c)
      : random(static_cast<std::uint32_t>(c.in * 10007 + c.out * 101 + c.height * 7 + c.width)),
        x(c.in, c.height, c.width, random),
        w(c.dtype, {c.out, c.in, c.kernel, c.kernel}, 1, random),
        bias(1, c.out, 0, random),
        before(c.out, c.height, c.width, random) {
    for (std::int64_t i = 0; i < c.in; ++i)
      norms.push_back({random(), 3 * random(), random()});
  }
  ConvRows how(const Case& c) const { return {.norm = c.norm ? norms.data() : nullptr, .add = c.add}; }
};

// What the error of a convolution is measured by: the sum of its terms' magnitudes.
OwnedPlanes magnitudes(const Planes& like, ConstPlanes x, const WeightView& w, const float* bias,
                       const ConvShape& shape) {
  std::vector<float> pixels(x.data, x.data + x.size());
  std::vector<float> weights = to_floats(w);
  std::vector<float> biases(bias, bias + like.channels);
  for (auto* values : {&pixels, &weights, &biases})
    for (float& value : *values)
      value = std::abs(value);
  OwnedPlanes terms(like.channels, like.height, like.width);
  const WeightView view{reinterpret_cast<const std::byte*>(weights.data()), Dtype::f32, w.shape};
  make_reference_kernels()->conv2d(terms.view, {pixels.data(), x.channels, x.height, x.width}, view,
                                   biases.data(), shape);
  return terms;
}

// silu((x - mean) * factor + bias) as the specification gives it: a convolution with the unit kernel.
OwnedPlanes normed(const Case& c, const Operands& o) {
  std::vector<float> unit(static_cast<std::size_t>(c.in * c.in), 0.0f);
  for (std::int64_t i = 0; i < c.in; ++i)
    unit[static_cast<std::size_t>(i * (c.in + 1))] = 1;
  OwnedPlanes y(c.in, c.height, c.width);
  make_reference_kernels()->conv2d_rows(
      y.view, 0, o.x.view, {reinterpret_cast<const std::byte*>(unit.data()), Dtype::f32, {c.in, c.in, 1, 1}},
      nullptr, {.norm = o.norms.data()});
  return y;
}

void check_rows(Kernels& kernels, const Case& c) {
  const Operands o(c);
  OwnedPlanes actual(o.before), expected(o.before);
  kernels.conv2d_rows(actual.view, 0, o.x.view, o.w.view, o.bias.view.data, o.how(c));
  make_reference_kernels()->conv2d_rows(expected.view, 0, o.x.view, o.w.view, o.bias.view.data, o.how(c));

  const OwnedPlanes seen = c.norm ? normed(c, o) : OwnedPlanes(o.x);
  const ConvShape shape{c.kernel, 1, c.kernel / 2, c.kernel / 2};
  const OwnedPlanes terms = magnitudes(actual.view, seen.view, o.w.view, o.bias.view.data, shape);
  // What a norm is off by before silu is at most a dozen roundings of |x| + |mean| <= 2, times a factor of at
  // most 3; silu grows by at most 1.1 of that and half a dozen roundings of its own. Each pixel may be off by
  // so much, times weights of at most 1.
  const double taps = static_cast<double>(c.in * c.kernel * c.kernel);
  const double norm_error = c.norm ? taps * 1.1 * 12 * kUnit * (2 * 3 + 1) : 0;
  const auto bound = [&](std::int64_t i, std::int64_t p) {
    return norm_error + (taps + 4) * kUnit * (terms.view.plane(i)[p] + std::abs(o.before.view.plane(i)[p]));
  };
  expect_within(actual.rows(), expected.rows(), bound, c.name());
}

TEST(OpenBlasConv2dRows, agree_at_ragged_sizes) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t in : {1, 17})
    for (const std::int64_t out : {3, 33})
      for (const std::int64_t height : {1, 7})
        for (const std::int64_t width : {1, 17, 50, 400})
          for (const std::int64_t kernel : {1, 3, 5})
            for (const bool norm : {false, true})
              for (const bool add : {false, true})
                check_rows(*kernels, {in, out, height, width, kernel, norm, add});
  check_rows(*kernels, {5, 9, 8, 12, 3, true, false, Dtype::bf16});
  check_rows(*kernels, {5, 9, 8, 12, 3, true, false, Dtype::f16});
}

// Rows first..first+count-1 of a map and one more on each side, in memory of their own with the planes apart.
struct Cut {
  std::int64_t begin, rows;
  std::vector<float> values;
  Planes planes;

  Cut(ConstPlanes map, std::int64_t first, std::int64_t count)
      : begin(std::max<std::int64_t>(0, first - 1)),
        rows(std::min(map.height, first + count + 1) - begin),
        values(static_cast<std::size_t>(map.channels * (rows * map.width + 5)), std::nanf("")),
        planes(values.data(), map.channels, rows, map.width, rows * map.width + 5) {
    for (std::int64_t c = 0; c < map.channels; ++c)
      std::copy_n(map.row(c, begin), rows * map.width, planes.plane(c));
  }
};

void check_cuts(Kernels& kernels, const Case& c, const std::vector<std::int64_t>& cuts) {
  const Operands o(c);
  OwnedPlanes whole(o.before), cut(o.before);
  kernels.conv2d_rows(whole.view, 0, o.x.view, o.w.view, o.bias.view.data, o.how(c));
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::int64_t rows = cuts[i + 1] - cuts[i];
    const Cut seen(o.x.view, cuts[i], rows);
    kernels.conv2d_rows(cut.view.slice_rows(cuts[i], rows), cuts[i], {seen.planes, seen.begin, c.height},
                        o.w.view, o.bias.view.data, o.how(c));
  }
  EXPECT_TRUE(same_bits(whole.rows(), cut.rows())) << c.name();
}

TEST(Conv2dRows, have_the_same_bits_wherever_a_map_is_cut) {
  for (const auto& kernels : {make_reference_kernels(), make_openblas_kernels(2)})
    for (const std::int64_t kernel : {1, 3})
      for (const bool norm : {false, true})
        for (const std::int64_t width : {5, 50, 210}) {
          check_cuts(*kernels, {40, 11, 37, width, kernel, norm, true}, {0, 1, 3, 20, 21, 37});
          check_cuts(*kernels, {3, 5, 4, width, kernel, norm, false}, {0, 2, 4});
        }
}

TEST(Conv2dRows, are_those_of_conv2d_of_group_norm) {
  for (const auto& kernels : {make_reference_kernels(), make_openblas_kernels(2)}) {
    Random random(8);
    const OwnedPlanes x(12, 9, 70, random);
    const OwnedWeight w(Dtype::f32, {10, 12, 3, 3}, 0, random);
    const OwnedRows scale(1, 12, 0, random), shift(1, 12, 0, random);
    OwnedPlanes seen(12, 9, 70), expected(10, 9, 70), actual(expected);
    kernels->group_norm(seen.view, x.view, 3, scale.view.data, shift.view.data, 1e-6f, true);
    kernels->conv2d(expected.view, seen.view, w.view, nullptr, {});

    std::vector<Moments> moments(12);
    kernels->add_moments(moments.data(), x.view);
    const auto norms = channel_norms(moments, 3, scale.view.data, shift.view.data, 1e-6f);
    kernels->conv2d_rows(actual.view, 0, x.view, w.view, nullptr, {.norm = norms.data()});
    // The specification's group norm does not round its statistics to floats: a few roundings of values of at
    // most 4 deviations, through 108 weights of at most 1. The fast one takes the same steps.
    const double allowed = kernels->describe()[1].second == "none" ? 108 * 8 * kUnit * 4 : 0;
    const auto bound = [&](std::int64_t, std::int64_t) { return allowed; };
    expect_within(actual.rows(), expected.rows(), bound, kernels->describe()[1].second);
  }
}

void check_upsampled(Kernels& kernels, const Case& c) {
  const Operands o(c);
  OwnedPlanes actual(c.out, 2 * c.height, 2 * c.width), expected(actual),
      larger(c.in, 2 * c.height, 2 * c.width);
  kernels.upsample_conv2d_rows(actual.view, 0, o.x.view, o.w.view, o.bias.view.data);
  const auto reference = make_reference_kernels();
  reference->upsample_nearest_2x(larger.view, o.x.view);
  reference->conv2d(expected.view, larger.view, o.w.view, o.bias.view.data, {});
  OwnedPlanes specified(actual);
  reference->upsample_conv2d_rows(specified.view, 0, o.x.view, o.w.view, o.bias.view.data);
  EXPECT_TRUE(same_bits(specified.rows(), expected.rows())) << c.name();

  const OwnedPlanes terms = magnitudes(actual.view, larger.view, o.w.view, o.bias.view.data, {});
  const auto bound = [&](std::int64_t i, std::int64_t p) {
    return static_cast<double>(c.in * 9 + 4) * kUnit * terms.view.plane(i)[p];
  };
  expect_within(actual.rows(), expected.rows(), bound, c.name());

  OwnedPlanes cut(c.out, 2 * c.height, 2 * c.width);
  for (std::int64_t first = 0, rows = 1; first < 2 * c.height; first += rows, ++rows) {
    rows = std::min(rows, 2 * c.height - first);
    kernels.upsample_conv2d_rows(cut.view.slice_rows(first, rows), first, o.x.view, o.w.view,
                                 o.bias.view.data);
  }
  EXPECT_TRUE(same_bits(actual.rows(), cut.rows())) << c.name() << " in rows";
}

TEST(OpenBlasUpsampleConv2dRows, agree_with_a_convolution_of_the_enlarged_map) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t in : {1, 17, 70})
    for (const std::int64_t out : {1, 12, 33})
      for (const std::int64_t height : {1, 2, 19})
        for (const std::int64_t width : {1, 17, 33, 200})
          check_upsampled(*kernels, {in, out, height, width, 3});
  check_upsampled(*kernels, {5, 9, 8, 12, 3, false, false, Dtype::bf16});
}

TEST(Moments, are_the_same_for_strips_as_for_the_map) {
  Random random(3);
  const OwnedPlanes x(6, 40, 33, random);
  for (const auto& kernels : {make_reference_kernels(), make_openblas_kernels(2)}) {
    std::vector<Moments> whole(6), strips(6);
    kernels->add_moments(whole.data(), x.view);
    for (const auto& [first, rows] : {std::pair{0, 1}, {1, 12}, {13, 27}})
      kernels->add_moments(strips.data(), x.view.slice_rows(first, rows));
    for (std::size_t c = 0; c < 6; ++c) {
      EXPECT_EQ(whole[c].count, 40 * 33);
      EXPECT_EQ(whole[c].mean, strips[c].mean);
      EXPECT_EQ(whole[c].squares, strips[c].squares);
    }
  }
}

TEST(Kernels, count_the_operations_of_the_formula_and_not_those_done_again) {
  const Case c{4, 6, 5, 7, 3};
  const Operands o(c);
  OwnedPlanes y(6, 5, 7), larger(6, 10, 14);
  for (const auto& kernels : {make_reference_kernels(), make_openblas_kernels(1)}) {
    kernels->conv2d_rows(y.view.slice_rows(0, 3), 0, o.x.view, o.w.view, nullptr);
    EXPECT_EQ(kernels->operations(), 2u * 6 * 3 * 7 * 4 * 9);
    {
      const Kernels::Uncounted again(*kernels);
      kernels->conv2d_rows(y.view, 0, o.x.view, o.w.view, nullptr);
    }
    EXPECT_EQ(kernels->operations(), 2u * 6 * 3 * 7 * 4 * 9);
    kernels->upsample_conv2d_rows(larger.view, 0, o.x.view, o.w.view, nullptr);
    EXPECT_EQ(kernels->operations(), 2u * 6 * 3 * 7 * 4 * 9 + 2u * 6 * 10 * 14 * 4 * 9);
  }
}

}  // namespace
}  // namespace engines
