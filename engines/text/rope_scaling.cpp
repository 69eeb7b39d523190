// SPDX-License-Identifier: Apache-2.0
#include "engines/text/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr double kMostTheta = 1e12;
constexpr double kMostFactor = 1e6;

void divide(std::vector<float>& frequencies, const std::vector<double>& factors) {
  for (std::size_t p = 0; p < frequencies.size(); ++p)
    frequencies[p] = static_cast<float>(frequencies[p] / factors[p]);
}

double wavelength(float frequency) {
  return 2 * std::numbers::pi / frequency;
}

// Low frequencies are divided by the factor, high ones stay, and those between are blended.
void scale_llama3(const Config& scaling, std::vector<float>& frequencies) {
  const double factor = scaling.number("factor", 1, kMostFactor);
  const double low = scaling.number("low_freq_factor", 1e-6, kMostFactor);
  const double high = scaling.number("high_freq_factor", 1e-6, kMostFactor);
  const double original = scaling.number("original_max_position_embeddings", 1, INT32_MAX);
  if (high <= low) scaling.fail("high_freq_factor", "is not above low_freq_factor");
  for (float& frequency : frequencies) {
    const double length = wavelength(frequency);
    const double scaled = frequency / factor;
    const double smooth = (original / length - low) / (high - low);
    if (length > original / low)
      frequency = static_cast<float>(scaled);
    else if (length >= original / high)
      frequency = static_cast<float>((1 - smooth) * scaled + smooth * frequency);
  }
}

// Peng et al. 2023, "YaRN": pairs that turn often within the original window keep their frequency.
void scale_yarn(const Config& scaling, double theta, std::int64_t dim, std::int64_t window, Rope& rope) {
  const double original =
      scaling.number_or("original_max_position_embeddings", static_cast<double>(window), 1, INT32_MAX);
  const double factor = scaling.number("factor", 1, kMostFactor);
  const auto pair_that_turns = [&](double times) {
    return static_cast<double>(dim) * std::log(original / (times * 2 * std::numbers::pi)) /
           (2 * std::log(theta));
  };
  double low = pair_that_turns(scaling.number_or("beta_fast", 32, 1e-3, kMostFactor));
  double high = pair_that_turns(scaling.number_or("beta_slow", 1, 1e-3, kMostFactor));
  if (scaling.boolean_or("truncate", true)) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(dim - 1));
  if (low == high) high += 0.001;
  for (std::size_t p = 0; p < rope.frequencies.size(); ++p) {
    const double ramp = std::clamp((static_cast<double>(p) - low) / (high - low), 0.0, 1.0);
    const double plain = rope.frequencies[p];
    rope.frequencies[p] = static_cast<float>(plain / factor * ramp + plain * (1 - ramp));
  }
  const double all = factor <= 1 ? 1 : 0.1 * std::log(factor) + 1;
  rope.factor = static_cast<float>(scaling.number_or("attention_factor", all, 1e-6, kMostFactor));
}

// Ding et al. 2024, "LongRoPE": a factor for each pair, other ones where texts are long.
void scale_long(const Config& json, const Config& scaling, std::int64_t window, Rope& rope) {
  const std::size_t pairs = rope.frequencies.size();
  const auto factors = [&](const char* field) {
    return scaling.numbers(field, pairs, pairs, 1e-6, kMostFactor);
  };
  const Config& from = json.has("original_max_position_embeddings") ? json : scaling;
  rope.short_window = from.integer_or("original_max_position_embeddings", window, 1, INT32_MAX);
  rope.long_frequencies = rope.frequencies;
  divide(rope.long_frequencies, factors("long_factor"));
  divide(rope.frequencies, factors("short_factor"));
  const double original = static_cast<double>(rope.short_window);
  const double longer = &from == &json || !scaling.has("factor")
                            ? static_cast<double>(window) / original
                            : scaling.number("factor", 1e-6, kMostFactor);
  const double all = longer <= 1 || original <= 1 ? 1 : std::sqrt(1 + std::log(longer) / std::log(original));
  rope.factor = static_cast<float>(scaling.number_or("attention_factor", all, 1e-6, kMostFactor));
}

}  // namespace

Rope plain_rope(double theta, std::int64_t dim) {
  Rope rope;
  for (std::int64_t p = 0; p < dim / 2; ++p) {
    const float exponent = static_cast<float>(2 * p) / static_cast<float>(dim);
    rope.frequencies.push_back(1.0f / static_cast<float>(std::pow(theta, static_cast<double>(exponent))));
  }
  return rope;
}

Rope read_scaled_rope(const Config& json, const Config& scaling, double theta, std::int64_t dim,
                      std::int64_t window) {
  Rope rope = plain_rope(theta, dim);
  const std::string type = scaling.text_or("rope_type", scaling.text_or("type", "default"));
  if (type == "default") return rope;
  if (type == "linear") {
    const double factor = scaling.number("factor", 1e-6, kMostFactor);
    divide(rope.frequencies, std::vector<double>(rope.frequencies.size(), factor));
  } else if (type == "llama3") {
    scale_llama3(scaling, rope.frequencies);
  } else if (type == "yarn") {
    scale_yarn(scaling, theta, dim, window, rope);
  } else if (type == "longrope" || type == "su") {
    scale_long(json, scaling, window, rope);
  } else if (type == "factors") {  // a table of a GGUF file
    const std::size_t pairs = rope.frequencies.size();
    divide(rope.frequencies, scaling.numbers("factors", pairs, pairs, 1e-6, kMostFactor));
  } else {
    scaling.fail(scaling.has("rope_type") ? "rope_type" : "type",
                 in_quotes(type) + " is not supported, expected default, linear, llama3, longrope or yarn");
  }
  return rope;
}

Rope read_rope(const Config& json, std::int64_t dim, std::int64_t window) {
  const double theta = json.number_or("rope_theta", 10000, 1, kMostTheta);
  if (const auto rope = json.object("rope_parameters"))
    return read_scaled_rope(json, *rope, rope->number_or("rope_theta", theta, 1, kMostTheta), dim, window);
  if (const auto scaling = json.object("rope_scaling"))
    return read_scaled_rope(json, *scaling, theta, dim, window);
  return plain_rope(theta, dim);
}

}  // namespace engines
