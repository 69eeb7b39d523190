// SPDX-License-Identifier: Apache-2.0
#include "engines/text/pooling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "engines/tensor/error.h"
#include "engines/weights/config.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

bool is_file(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

Pooling::Kind read_kind(const std::filesystem::path& file, const std::string& shown) {
  const Config json = Config::read(file, shown);
  std::optional<Pooling::Kind> found;
  const auto mode = [&](const char* field, Pooling::Kind kind) {
    if (!json.boolean_or(field, false)) return;
    if (found)
      throw Error(RH_CAPABILITY_UNSUPPORTED,
                  fmt::format("{}: {}: several modes at once are not supported", shown, field));
    found = kind;
  };
  mode("pooling_mode_cls_token", Pooling::Kind::first);
  mode("pooling_mode_mean_tokens", Pooling::Kind::mean);
  mode("pooling_mode_lasttoken", Pooling::Kind::last);
  mode("pooling_mode_max_tokens", Pooling::Kind::largest);
  if (!found)
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                shown + ": has no pooling mode that is supported, expected cls, mean, last token or max");
  return *found;
}

void check_path(const std::string& path) {
  if (path.find('/') != std::string::npos || path.find("..") != std::string::npos)
    throw Error(RH_UNSAFE_NAME, "modules.json: path: " + in_quotes(path) + " is not a plain name");
}

// modules.json is a list of {type, path}.
Pooling read_modules(const std::filesystem::path& folder, Pooling::Kind usual) {
  const nlohmann::json modules =
      parse_json(read_file(folder / "modules.json", "modules.json", kMostBytes), "modules.json");
  if (!modules.is_array()) throw Error(RH_MODEL_INVALID, "modules.json: is not an array");
  Pooling pooling{usual, false};
  for (const auto& element : modules) {
    const Config module(element, "modules.json");
    const std::string type = module.text("type");
    const std::string kind = type.substr(type.rfind('.') + 1);
    if (kind == "Normalize") {
      pooling.normalise = true;
    } else if (kind == "Pooling") {
      const std::string path = module.text("path");
      check_path(path);
      pooling.kind = read_kind(folder / path / "config.json", path + "/config.json");
    } else if (kind != "Transformer") {
      throw Error(
          RH_CAPABILITY_UNSUPPORTED,
          fmt::format("modules.json: type: {} is not supported, expected Transformer, Pooling or Normalize",
                      in_quotes(type)));
    }
  }
  return pooling;
}

void to_length_one(std::vector<float>& values) {
  double squares = 0;
  for (const float value : values)
    squares += double{value} * value;
  const double length = std::max(std::sqrt(squares), 1e-12);
  for (float& value : values)
    value = static_cast<float>(value / length);
}

float mean_of(ConstRows hidden, std::int64_t column) {
  double sum = 0;
  for (std::int64_t r = 0; r < hidden.rows; ++r)
    sum += hidden.row(r)[column];
  return static_cast<float>(sum / static_cast<double>(hidden.rows));
}

float largest_of(ConstRows hidden, std::int64_t column) {
  float largest = hidden.row(0)[column];
  for (std::int64_t r = 1; r < hidden.rows; ++r)
    largest = std::max(largest, hidden.row(r)[column]);
  return largest;
}

}  // namespace

Pooling Pooling::read(const std::filesystem::path& folder, Kind usual) {
  if (is_file(folder / "modules.json")) return read_modules(folder, usual);
  const auto file = folder / "1_Pooling" / "config.json";
  return {is_file(file) ? read_kind(file, "1_Pooling/config.json") : usual, true};
}

std::vector<float> pooled(ConstRows hidden, const Pooling& pooling) {
  std::vector<float> vector(static_cast<std::size_t>(hidden.cols));
  for (std::int64_t c = 0; c < hidden.cols; ++c) {
    switch (pooling.kind) {
      case Pooling::Kind::first:
        vector[static_cast<std::size_t>(c)] = hidden.row(0)[c];
        break;
      case Pooling::Kind::last:
        vector[static_cast<std::size_t>(c)] = hidden.row(hidden.rows - 1)[c];
        break;
      case Pooling::Kind::mean:
        vector[static_cast<std::size_t>(c)] = mean_of(hidden, c);
        break;
      case Pooling::Kind::largest:
        vector[static_cast<std::size_t>(c)] = largest_of(hidden, c);
        break;
    }
  }
  if (pooling.normalise) to_length_one(vector);
  return vector;
}

}  // namespace engines
