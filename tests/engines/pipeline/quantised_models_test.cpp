// SPDX-License-Identifier: Apache-2.0
// Models with quantised matrices: that they compute with exactly the values that the blocks stand for, and
// what rounding the weights costs.
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <regex>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/tensor/quantise.h"
#include "engines/text/qwen3_encoder.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

// The tiny fixtures' matrices are too small to be rounded; those of the pocket model are not.
const std::filesystem::path kPocketTurbo = std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-turbo";
const std::regex kBlockMatrices(
    R"((layers|noise_refiner|context_refiner)\.\d+\.(attention\.to_|feed_forward\.w|adaLN_).*\.weight)");
const std::regex kLayerMatrices(R"(model\.layers\.\d+\..*_proj\.weight)");

// The weights of a component in float32, its matrices with the values that their blocks stand for: the same
// model without a quantised type in it.
void write_dequantised(const std::filesystem::path& from, const std::filesystem::path& to, Dtype dtype,
                       const std::regex& matrices) {
  const SafetensorsFile file(from);
  nlohmann::json header;
  std::string data;
  for (const auto& name : file.names()) {
    const WeightView& stored = *file.find(name);
    std::vector<float> values = to_floats(stored);
    const Dtype rounded = rounded_type(stored, dtype);
    if (std::regex_match(name, matrices) && rounded != stored.dtype) {
      std::vector<std::byte> blocks(static_cast<std::size_t>(bytes_of(rounded, stored.size())));
      quantise(blocks.data(), rounded, stored.data, stored.dtype, stored.size());
      values = to_floats({blocks.data(), rounded, stored.shape});
    }
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    header[name] = {{"dtype", "F32"}, {"shape", stored.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::ofstream out(to, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << text << data;
}

double norm_of_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return std::sqrt(sum);
}

double relative_error(const std::vector<float>& actual, const std::vector<float>& exact) {
  return norm_of_difference(actual, exact) / norm_of_difference(exact, std::vector<float>(exact.size()));
}

using RunComponent = std::function<std::vector<float>(const std::filesystem::path& component,
                                                      Kernels& kernels, const WeightOptions& options)>;

// Runs a component with blocks on all kernels and compares with the same values in float32 on the reference
// kernels; returns the relative error of the output to that with the weights as stored.
double check_component(const std::string& component, const std::string& stem, const std::regex& matrices,
                       Dtype dtype, const RunComponent& run) {
  const auto reference = make_reference_kernels();
  const std::vector<float> exact = run(kPocketTurbo / component, *reference, {});

  const ModelCopy copy(kPocketTurbo);
  const std::string file = component + "/" + stem + ".safetensors";
  copy.remove(file);
  write_dequantised(kPocketTurbo / file, copy.path() / file, dtype, matrices);
  Expected expected{component + " with " + std::string(name_of(dtype)), {}, {}, 0};
  expected.values = run(copy.path() / component, *reference, {});
  expected.shape = {static_cast<std::int64_t>(expected.values.size())};
  float peak = 0;
  for (const float value : expected.values)
    peak = std::max(peak, std::abs(value));
  expected.bound = 1e-4 * peak;  // what every model's tests allow for another order of summation

  for (const auto& choice : all_kernels()) {
    const std::vector<float> actual = run(kPocketTurbo / component, *choice.make(), {.matrices = dtype});
    EXPECT_TRUE(close_to(expected, actual.data(), actual.size())) << choice.name;
  }
  return relative_error(expected.values, exact);
}

// Rounding a weight to 8 bits moves it by up to 1/254 of its block's peak and to 4 bits by 1/16: 17 times as
// much for the same block. Outputs follow, so that the errors of the two types must lie that far apart within
// a factor of two, and neither is nothing.
void check_errors(double q8, double q4) {
  testing::Test::RecordProperty("q8_0", std::to_string(q8));
  testing::Test::RecordProperty("q4_0", std::to_string(q4));
  EXPECT_GT(q8, 1e-5) << "nothing was rounded";
  EXPECT_GT(q4 / q8, 17 / 2.0);
  EXPECT_LT(q4 / q8, 17 * 2.0);
}

TEST(QuantisedTransformer, ComputesWithTheValuesOfItsBlocks) {
  const RunComponent step = [](const std::filesystem::path& folder, Kernels& kernels,
                               const WeightOptions& options) {
    const ZImageTransformer transformer(folder, kernels, options);
    const std::int64_t channels = transformer.config().in_channels;
    const std::int64_t width = transformer.config().cap_feat_dim;
    std::vector<float> latents(static_cast<std::size_t>(channels) * 12 * 8),
        caption(static_cast<std::size_t>(9 * width));
    for (std::size_t i = 0; i < latents.size(); ++i)
      latents[i] = std::sin(0.7f * static_cast<float>(i * i % 1009));
    for (std::size_t i = 0; i < caption.size(); ++i)
      caption[i] = 2 * std::cos(1.3f * static_cast<float>(i * i % 997));
    std::vector<float> velocity(latents.size());
    QuietRun run;
    transformer.begin({caption.data(), 9, width}, 12, 8)
        ->forward({latents.data(), channels, 12, 8}, 0.4, {velocity.data(), channels, 12, 8}, run);
    return velocity;
  };
  const auto error = [&](Dtype dtype) {
    return check_component("transformer", "diffusion_pytorch_model", kBlockMatrices, dtype, step);
  };
  check_errors(error(Dtype::q8_0), error(Dtype::q4_0));
}

TEST(QuantisedEncoder, ComputesWithTheValuesOfItsBlocks) {
  const RunComponent encode = [](const std::filesystem::path& folder, Kernels& kernels,
                                 const WeightOptions& options) {
    const Qwen3Encoder encoder(folder, kernels, options);
    std::vector<std::int32_t> ids;
    for (std::int32_t i = 0; i < 40; ++i)
      ids.push_back(i * i * 7 % static_cast<std::int32_t>(encoder.config().vocab_size));
    QuietRun run;
    const FloatBuffer hidden = encoder.encode(ids, run);
    return std::vector<float>(hidden.data(), hidden.data() + hidden.size());
  };
  const auto error = [&](Dtype dtype) {
    return check_component("text_encoder", "model", kLayerMatrices, dtype, encode);
  };
  check_errors(error(Dtype::q8_0), error(Dtype::q4_0));
}

TEST(QuantisedModels, TakeWhatTheyWerePlannedToTake) {
  const auto kernels = make_reference_kernels();
  for (const std::optional<Dtype> dtype :
       {std::optional<Dtype>{}, std::optional{Dtype::q8_0}, std::optional{Dtype::q4_0}}) {
    const WeightOptions options{.matrices = dtype};
    const ZImageTransformer transformer(kPocketTurbo / "transformer", *kernels, options);
    EXPECT_EQ(transformer.weights().total_bytes(),
              ZImageTransformer::weight_bytes(kPocketTurbo / "transformer", options));
    const Qwen3Encoder encoder(kPocketTurbo / "text_encoder", *kernels, options);
    EXPECT_EQ(encoder.weights().total_bytes(),
              Qwen3Encoder::weight_bytes(kPocketTurbo / "text_encoder", options));
  }
}

}  // namespace
}  // namespace engines::test
