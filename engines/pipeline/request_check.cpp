// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/request_check.h"

#include <fmt/format.h>

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

}  // namespace

void check_request(const ImageRequest& request, std::int64_t size_multiple) {
  check_size("width", request.width, size_multiple);
  check_size("height", request.height, size_multiple);
  if (request.steps < 1 || request.steps > kMostSteps) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("steps: {} is out of range, expected 1 to {}", request.steps, kMostSteps));
  }
  check_not_negative("guidance", request.guidance);
  check_not_negative("cfg_normalization", request.cfg_normalization);
  check_not_negative("cfg_truncation", request.cfg_truncation);
}

}  // namespace engines
