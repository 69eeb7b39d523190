// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/pipeline/type_quality.h"
#include "tests/engines/pipeline/opened_model.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/tensor/quantise.h"
#include "engines/text/qwen3_encoder.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

const std::filesystem::path kImages = std::filesystem::path(ROUNDHOUSE_FIXTURES) / "pocket";

// Sums of squares of differences and of what they are measured by.
struct Squares {
  double difference = 0, size = 0;

  void add(double actual, double exact) {
    difference += (actual - exact) * (actual - exact);
    size += exact * exact;
  }
  double relative() const { return std::sqrt(difference / size); }
};

double relative_error(const std::vector<float>& actual, const std::vector<float>& exact) {
  Squares squares;
  for (std::size_t i = 0; i < exact.size(); ++i)
    squares.add(double{actual[i]}, double{exact[i]});
  return squares.relative();
}

nlohmann::json turbo_cases() {
  std::ifstream stream(kImages / "cases.json");
  const nlohmann::json all = nlohmann::json::parse(stream);
  nlohmann::json cases = nlohmann::json::array();
  for (const auto& params : all.at("cases"))
    if (params.at("model") == "pocket-turbo") cases.push_back(params);
  return cases;
}

std::vector<float> encoded(Kernels& kernels, std::optional<Dtype> type) {
  const Qwen3Encoder encoder(pocket_turbo() / "text_encoder", kernels, {.matrices = type});
  QuietRun run;
  const FloatBuffer hidden =
      encoder.encode(turbo_cases().at(0).at("token_ids").get<std::vector<std::int32_t>>(), run);
  return {hidden.data(), hidden.data() + hidden.size()};
}

std::vector<float> predicted(Kernels& kernels, std::optional<Dtype> type) {
  const auto name = turbo_cases().at(0).at("case").get<std::string>();
  const SafetensorsFile fixture(kImages / (name + ".safetensors"));
  const Expected caption = load(fixture, "prompt_embeds");
  const Expected noise = load(fixture, "noise");
  const ZImageTransformer transformer(pocket_turbo() / "transformer", kernels, {.matrices = type});
  const std::int64_t channels = transformer.config().in_channels;
  const std::int64_t height = noise.shape[noise.shape.size() - 2];
  const std::int64_t width = noise.shape.back();
  std::vector<float> velocity(noise.values.size());
  QuietRun run;
  transformer.begin(caption.rows(), height, width)
      ->forward({noise.values.data(), channels, height, width}, 0, {velocity.data(), channels, height, width},
                run);
  return velocity;
}

std::vector<float> levels(Kernels& kernels, const nlohmann::json& params, std::optional<Dtype> type) {
  PipelineOptions options;
  options.weights = type;
  OpenedModel pipeline(pocket_turbo(), kernels, options);
  ImageRequest request;
  request.prompt = params.at("prompt");
  request.seed = params.at("seed");
  request.width = params.at("width");
  request.height = params.at("height");
  request.steps = params.at("steps");
  QuietRun run;
  std::vector<float> rgb = pipeline.generate(request, run).rgb;
  for (float& value : rgb)
    value = std::nearbyint(255 * value);
  return rgb;
}

}  // namespace

std::filesystem::path pocket_turbo() {
  return std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-turbo";
}

WeightQuality weight_quality(const WeightSet& weights, Dtype type) {
  static const std::regex matrices(
      R"((layers|noise_refiner|context_refiner)\.\d+\.(attention\.to_|feed_forward\.w|adaLN_).*\.weight|)"
      R"(model\.layers\.\d+\..*_proj\.weight)");
  Squares squares;
  std::int64_t elements = 0, of_type = 0, bytes = 0;
  for (const auto& name : weights.names()) {
    const WeightView* const view = weights.find(name);
    if (!std::regex_match(name, matrices) || rounded_type(*view, Dtype::q8_0) == view->dtype) continue;
    const Dtype rounded = rounded_type(*view, type);
    std::vector<std::byte> data(static_cast<std::size_t>(bytes_of(rounded, view->size())));
    convert(data.data(), rounded, view->data, view->dtype, view->size());
    for (std::size_t i = 0; i < static_cast<std::size_t>(view->size()); ++i)
      squares.add(double{load_as_float(data.data(), rounded, i)},
                  double{load_as_float(view->data, view->dtype, i)});
    elements += view->size();
    of_type += rounded == type ? view->size() : 0;
    bytes += bytes_of(rounded, view->size());
  }
  const auto count = static_cast<double>(elements);
  return {static_cast<double>(of_type) / count, 8 * static_cast<double>(bytes) / count, squares.relative()};
}

double encoder_error(Kernels& kernels, Dtype type) {
  return relative_error(encoded(kernels, type), encoded(kernels, std::nullopt));
}

double transformer_error(Kernels& kernels, Dtype type) {
  return relative_error(predicted(kernels, type), predicted(kernels, std::nullopt));
}

double image_psnr(Kernels& kernels, Dtype type) {
  double sum = 0;
  std::size_t count = 0;
  for (const auto& params : turbo_cases()) {
    const std::vector<float> exact = levels(kernels, params, std::nullopt);
    const std::vector<float> actual = levels(kernels, params, type);
    for (std::size_t i = 0; i < exact.size(); ++i)
      sum += (double{actual[i]} - exact[i]) * (double{actual[i]} - exact[i]);
    count += exact.size();
  }
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(count) / sum);
}

}  // namespace engines::test
