// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/request_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "engines/tensor/error.h"

namespace engines {
namespace {

constexpr std::int64_t kSmallestSize = 16;
constexpr std::int64_t kLargestSize = 2048;
constexpr std::int64_t kMostSteps = 1000;

void check_size(const char* field, std::int64_t pixels, std::int64_t multiple) {
  const std::string where = fmt::format("{}: {}", field, pixels);
  if (pixels < kSmallestSize || pixels > kLargestSize) {
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("{} is out of range, expected {} to {}", where, kSmallestSize, kLargestSize));
  }
  if (pixels % multiple != 0)
    throw Error(RH_INVALID_DIMENSION, fmt::format("{} is not a multiple of {}", where, multiple));
}

void check_not_negative(const char* field, double value) {
  if (std::isfinite(value) && value >= 0) return;
  std::ostringstream message;
  message << field << ": " << value << " is out of range, expected 0 or more";
  throw Error(RH_INVALID_ARGUMENT, message.str());
}

void check_init(const InitImage& init, std::size_t pixels) {
  if (init.rgb.size() != 3 * pixels) {
    throw Error(RH_INVALID_DIMENSION, fmt::format("init_image: {} values, expected 3 for each of {} pixels",
                                                  init.rgb.size(), pixels));
  }
  if (!init.mask.empty() && init.mask.size() != pixels) {
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("mask: {} values, expected one for each of {} pixels", init.mask.size(), pixels));
  }
  if (init.strength > 0 && init.strength <= 1) return;
  throw Error(RH_INVALID_ARGUMENT,
              fmt::format("strength: {} is out of range, expected more than 0, up to 1", init.strength));
}

}  // namespace

// As get_timesteps of diffusers' image-to-image pipelines; there is at least one step.
std::int64_t ImageRequest::skipped_steps() const {
  if (!init) return 0;
  const auto all = static_cast<double>(steps);
  const double kept = std::min(all * init->strength, all);
  return std::min(static_cast<std::int64_t>(all - kept), steps - 1);
}

void check_request(const ImageRequest& request, std::int64_t size_multiple) {
  check_size("width", request.width, size_multiple);
  check_size("height", request.height, size_multiple);
  if (request.steps < 1 || request.steps > kMostSteps) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("steps: {} is out of range, expected 1 to {}", request.steps, kMostSteps));
  }
  if (request.init) check_init(*request.init, static_cast<std::size_t>(request.width * request.height));
  check_not_negative("guidance", request.guidance);
  check_not_negative("cfg_normalization", request.cfg_normalization);
  check_not_negative("cfg_truncation", request.cfg_truncation);
}

}  // namespace engines
