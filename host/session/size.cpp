// SPDX-License-Identifier: Apache-2.0
// Sizes within limits.
#include "host/session/size.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "host/text/list.h"

namespace roundhouse::host {
namespace {

struct Preset {
  const char* name;
  double ratio;  // width / height
};
constexpr std::array<Preset, 7> kPresets{{{"1:1", 1.0},
                                          {"16:9", 16.0 / 9},
                                          {"9:16", 9.0 / 16},
                                          {"4:3", 4.0 / 3},
                                          {"3:4", 3.0 / 4},
                                          {"3:2", 3.0 / 2},
                                          {"2:3", 2.0 / 3}}};

double ratio_of(const std::string& aspect) {
  for (const Preset& preset : kPresets) {
    if (aspect == preset.name) return preset.ratio;
  }
  throw Error(RH_INVALID_ARGUMENT, "aspect: '" + aspect + "' is not known, expected one of: " +
                                       joined(kPresets, ", ", &Preset::name));
}

std::uint32_t step_of(const SizeLimits& limits) {
  return std::max<std::uint32_t>(limits.multiple_of, 1);
}

// The smallest allowed side.
std::uint32_t first_side(const SizeLimits& limits) {
  const std::uint32_t step = step_of(limits);
  return std::max<std::uint32_t>((limits.minimum + step - 1) / step, 1) * step;
}

// The allowed side nearest to `wanted`.
std::uint32_t nearest_side(double wanted, const SizeLimits& limits) {
  const std::uint32_t step = step_of(limits);
  const double first = first_side(limits);
  const std::uint32_t last_multiple = limits.maximum / step * step;
  const double last = std::max<double>(first, last_multiple);
  return static_cast<std::uint32_t>(std::clamp(std::round(wanted / step) * step, first, last));
}

std::uint32_t checked_side(const char* name, std::int64_t value, const SizeLimits& limits,
                           const std::string& whose) {
  const auto wrong = [&](const std::string& what) {
    const std::string step =
        limits.multiple_of > 1 ? fmt::format(" in multiples of {}", step_of(limits)) : "";
    return Error(RH_INVALID_DIMENSION, fmt::format("{}: {} is {}, expected {} to {}{} for {}", name, value,
                                                   what, limits.minimum, limits.maximum, step, whose));
  };
  if (value < limits.minimum) throw wrong(fmt::format("below {}", limits.minimum));
  if (value > limits.maximum) throw wrong(fmt::format("above {}", limits.maximum));
  if (value % step_of(limits) != 0) throw wrong(fmt::format("not a multiple of {}", limits.multiple_of));
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Size size_of_aspect(const std::string& aspect, const Size& usual, const SizeLimits& limits) {
  const double ratio = ratio_of(aspect);
  const double area = static_cast<double>(usual.width) * usual.height;
  Size best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (std::uint64_t width = first_side(limits); width <= limits.maximum; width += step_of(limits)) {
    // For this width, the cost is least at the height of the right ratio, of the right area or between.
    const double side = static_cast<double>(width);
    for (const double wanted : {side / ratio, area / side}) {
      const std::uint32_t height = nearest_side(wanted, limits);
      const double cost =
          std::abs(std::log(side / height / ratio)) + std::abs(std::log(side * height / area));
      // Equal costs (16:9 and 9:16 mirror each other) are decided by the size and not by rounding.
      if (cost < best_cost - 1e-9) {
        best = {static_cast<std::uint32_t>(width), height};
        best_cost = cost;
      }
    }
  }
  return best;
}

Size requested_size(const GenerateRequest& request, const Size& usual, const SizeLimits& limits,
                    const std::string& whose) {
  const Size size = request.aspect ? size_of_aspect(*request.aspect, usual, limits) : usual;
  return {checked_side("width", request.width.value_or(size.width), limits, whose),
          checked_side("height", request.height.value_or(size.height), limits, whose)};
}

Size snapped_size(const Size& size, const SizeLimits& limits) {
  const double largest = limits.maximum, raster = limits.multiple_of;
  const double scale = std::min(1.0, largest / std::max(size.width, size.height));
  const auto side = [&](std::uint32_t asked) {
    const double least = std::ceil(limits.minimum / raster) * raster;
    const double most = std::floor(largest / raster) * raster;
    return static_cast<std::uint32_t>(std::clamp(std::round(asked * scale / raster) * raster, least, most));
  };
  return {side(size.width), side(size.height)};
}

}  // namespace roundhouse::host
