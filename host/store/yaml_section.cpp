// SPDX-License-Identifier: Apache-2.0
#include "host/store/yaml_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "host/text/list.h"

namespace roundhouse::host {
namespace {

std::string shown(double value) {
  auto text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

YamlSection::YamlSection(const YAML::Node& node, std::string where, std::string file, Problems& problems)
    : node_(node), where_(std::move(where)), file_(std::move(file)), problems_(problems) {
  if (!node_.IsMap()) {
    note(node_, where_.empty() ? "file" : where_, "expected a mapping");
    node_ = YAML::Node(YAML::NodeType::Map);
    return;
  }
  // Two readers may take two different values.
  std::set<std::string> keys;
  for (const auto& item : node_) {
    if (item.first.IsScalar() && !keys.insert(item.first.Scalar()).second)
      note(item.first, item.first.Scalar(), "comes twice");
  }
}

YAML::Node YamlSection::child(const std::string& key) {
  known_.insert(key);
  return node_[key];
}

std::optional<YamlSection> YamlSection::section(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  return YamlSection(node, path(key), file_, problems_);
}

std::vector<std::pair<std::string, YamlSection>> YamlSection::sections() {
  std::vector<std::pair<std::string, YamlSection>> members;
  for (const auto& item : node_) {
    if (!item.first.IsScalar()) continue;
    const std::string key = item.first.Scalar();
    known_.insert(key);
    members.emplace_back(key, YamlSection(item.second, path(key), file_, problems_));
  }
  return members;
}

std::optional<std::string> YamlSection::text(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  if (node.IsScalar()) return node.Scalar();
  note(node, key, "expected text");
  return std::nullopt;
}

std::string YamlSection::required_text(const std::string& key) {
  auto value = text(key);
  if (value && !value->empty()) return *value;
  if (value || !child(key)) note(node_, key, "is missing");
  return "";
}

std::string YamlSection::choice(const std::string& key, const std::vector<std::string>& choices) {
  auto value = text(key);
  if (!value || std::find(choices.begin(), choices.end(), *value) != choices.end()) return value.value_or("");
  note(child(key), key, "'" + *value + "' is not known, expected one of: " + joined(choices));
  return "";
}

std::vector<std::string> YamlSection::texts(const std::string& key) {
  const YAML::Node node = child(key);
  std::vector<std::string> values;
  if (!node) return values;
  if (!node.IsSequence()) {
    note(node, key, "expected a list of texts");
    return values;
  }
  for (const auto& item : node) {
    if (item.IsScalar()) {
      values.push_back(item.Scalar());
    } else {
      note(item, key, "expected a list of texts");
    }
  }
  return values;
}

std::optional<bool> YamlSection::boolean(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  bool value = false;
  if (node.IsScalar() && YAML::convert<bool>::decode(node, value)) return value;
  note(node, key, "expected true or false");
  return std::nullopt;
}

std::optional<double> YamlSection::number(const std::string& key, double low, double high) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  double value = 0;
  if (node.IsScalar() && YAML::convert<double>::decode(node, value) && std::isfinite(value) && value >= low &&
      value <= high)
    return value;
  note(node, key,
       (node.IsScalar() ? "'" + node.Scalar() + "' is out of range, " : std::string()) +
           "expected a number from " + shown(low) + " to " + shown(high));
  return std::nullopt;
}

std::optional<std::uint32_t> YamlSection::count(const std::string& key, std::uint32_t low,
                                                std::uint32_t high) {
  const auto value = number(key, low, high);
  if (!value) return std::nullopt;
  if (*value == std::floor(*value)) return static_cast<std::uint32_t>(*value);
  note(node_[key], key, "expected a whole number");
  return std::nullopt;
}

std::optional<std::uint64_t> YamlSection::bytes(const std::string& key) {
  const auto written = text(key);
  if (!written) return std::nullopt;
  std::uint64_t value = 0;
  const auto* const end = written->data() + written->size();
  const auto [rest, error] = std::from_chars(written->data(), end, value);
  const std::string unit(rest, end);
  std::uint64_t factor = 0;
  if (unit.empty() || unit == "B") factor = 1;
  if (unit == "MB") factor = 1'000'000;
  if (unit == "GB") factor = 1'000'000'000;
  if (unit == "MiB") factor = std::uint64_t{1} << 20;
  if (unit == "GiB") factor = std::uint64_t{1} << 30;
  if (error == std::errc() && factor != 0 && value != 0 && !__builtin_mul_overflow(value, factor, &value))
    return value;
  note(child(key), key,
       "'" + *written + "' is not a size, expected a whole number and B, MB, GB, MiB or GiB");
  return std::nullopt;
}

void YamlSection::note_unknown() {
  for (const auto& item : node_) {
    const auto key = item.first.IsScalar() ? item.first.Scalar() : "(no text)";
    if (!known_.contains(key) && !key.starts_with("x-")) note(item.first, key, "is not a known field");
  }
}

void YamlSection::note(const YAML::Node& node, const std::string& field, const std::string& what) {
  const int line = node.IsDefined() ? node.Mark().line + 1 : 0;
  problems_.emplace_back(RH_MODEL_INVALID, file_ + (line > 0 ? fmt::format(":{}", line) : "") + ": " +
                                               (field == where_ ? field : path(field)) + ": " + what);
}

}  // namespace roundhouse::host
