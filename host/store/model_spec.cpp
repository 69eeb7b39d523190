// SPDX-License-Identifier: Apache-2.0
// ModelSpecs: the YAML recipes of manifests/models.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "host/store/model_catalogue.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumBytes = 1 << 20;

// One mapping of the file; every member is asked for by name, and what nobody asked for is an error.
class Section {
 public:
  Section(const YAML::Node& node, std::string where, std::string file)
      : node_(node), where_(std::move(where)), file_(std::move(file)) {
    if (!node_.IsMap()) fail(node_, where_.empty() ? "file" : where_, "expected a mapping");
  }

  YAML::Node child(const std::string& key) {
    known_.insert(key);
    return node_[key];
  }

  std::optional<std::string> text(const std::string& key) {
    const YAML::Node node = child(key);
    if (!node) return std::nullopt;
    if (!node.IsScalar()) fail(node, path(key), "expected text");
    return node.Scalar();
  }

  std::string required_text(const std::string& key) {
    auto value = text(key);
    if (!value || value->empty()) fail(node_, path(key), "is missing");
    return *value;
  }

  std::optional<double> number(const std::string& key, double low, double high) {
    const YAML::Node node = child(key);
    if (!node) return std::nullopt;
    double value = 0;
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !std::isfinite(value) ||
        value < low || value > high) {
      fail(node, path(key),
           (node.IsScalar() ? "'" + node.Scalar() + "' is out of range, " : std::string()) +
               "expected a number from " + shown(low) + " to " + shown(high));
    }
    return value;
  }

  std::optional<std::uint32_t> count(const std::string& key, std::uint32_t low, std::uint32_t high) {
    const auto value = number(key, low, high);
    if (!value) return std::nullopt;
    if (*value != std::floor(*value)) fail(node_[key], path(key), "expected a whole number");
    return static_cast<std::uint32_t>(*value);
  }

  void refuse_unknown() const {
    for (const auto& item : node_) {
      const auto key = item.first.Scalar();
      if (!known_.contains(key) && !key.starts_with("x-"))
        fail(item.first, path(key), "is not a known field");
    }
  }

  std::string path(const std::string& key) const { return where_.empty() ? key : where_ + "." + key; }

  [[noreturn]] void fail(const YAML::Node& node, const std::string& field, const std::string& what) const {
    const int line = node.IsDefined() ? node.Mark().line + 1 : 0;
    throw Error(RH_MODEL_INVALID,
                file_ + (line > 0 ? ":" + std::to_string(line) : "") + ": " + field + ": " + what);
  }

 private:
  static std::string shown(double value) {
    auto text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }

  YAML::Node node_;
  std::string where_, file_;
  std::set<std::string> known_;
};

ModelDefaults read_defaults(Section section) {
  ModelDefaults defaults;
  defaults.steps = section.count("steps", 1, 50);
  defaults.width = section.count("width", 16, 2048);
  defaults.height = section.count("height", 16, 2048);
  defaults.guidance = section.number("guidance", 0, 20);
  defaults.cfg_normalization = section.number("cfg_normalization", 0, 1e6);
  defaults.cfg_truncation = section.number("cfg_truncation", 0, 1);
  defaults.sampler = section.text("sampler");
  defaults.schedule = section.text("schedule");
  defaults.negative_prompt = section.text("negative_prompt");
  section.refuse_unknown();
  return defaults;
}

SizeLimits read_size(Section section) {
  const SizeLimits hard;
  SizeLimits size;
  size.minimum = section.count("min", hard.minimum, hard.maximum).value_or(size.minimum);
  size.maximum = section.count("max", size.minimum, hard.maximum).value_or(size.maximum);
  size.multiple_of = section.count("multiple", 1, hard.maximum).value_or(size.multiple_of);
  if (size.multiple_of % hard.multiple_of != 0) {
    section.fail(section.child("multiple"), section.path("multiple"), "expected a multiple of 16");
  }
  section.refuse_unknown();
  return size;
}

ModelSpec read_fields(const YAML::Node& root, const std::filesystem::path& file) {
  Section top(root, "", file.string());
  if (const auto schema = top.number("schema", 0, 1e9); !schema || *schema != 1) {
    top.fail(root["schema"], "schema", "expected 1");
  }
  ModelSpec spec;
  spec.file = file;
  spec.name = top.required_text("name");
  if (!is_plain_model_name(spec.name))
    top.fail(root["name"], "name", "'" + spec.name + "' is not a plain name");
  spec.title = top.text("title").value_or(spec.name);
  spec.description = top.text("description").value_or("");
  spec.license = top.text("license").value_or("");
  spec.architecture = top.required_text("architecture");
  spec.path = top.required_text("path");
  if (std::any_of(spec.path.begin(), spec.path.end(), [](const auto& part) { return part == ".."; })) {
    top.fail(root["path"], "path", "'" + spec.path.string() + "' contains '..'");
  }
  if (const auto node = top.child("defaults"))
    spec.defaults = read_defaults(Section(node, "defaults", file.string()));
  if (const auto node = top.child("limits")) {
    Section limits(node, "limits", file.string());
    if (const auto size = limits.child("size"))
      spec.size = read_size(Section(size, "limits.size", file.string()));
    limits.refuse_unknown();
  }
  top.refuse_unknown();
  return spec;
}

}  // namespace

ModelSpec parse_model_spec(const std::string& text, const std::filesystem::path& file) {
  // yaml-cpp recurses for flow sequences; a recipe has no use for so many brackets.
  if (std::count(text.begin(), text.end(), '[') + std::count(text.begin(), text.end(), '{') > 256) {
    throw Error(RH_MODEL_INVALID, file.string() + ": has more than 256 opening brackets");
  }
  try {
    return read_fields(YAML::Load(text), file);
  } catch (const YAML::Exception& error) {
    throw Error(RH_MODEL_INVALID,
                file.string() + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

ModelSpec read_model_spec(const std::filesystem::path& file) {
  const auto text = read_small_file(file, file.string(), kMaximumBytes);
  if (!text) throw Error(RH_IO_ERROR, file.string() + ": no such file");
  return parse_model_spec(*text, file);
}

nlohmann::ordered_json model_defaults_json(const ModelDefaults& defaults) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  const auto put = [&json](const char* name, const auto& value) {
    if (value) json[name] = *value;
  };
  put("steps", defaults.steps);
  put("width", defaults.width);
  put("height", defaults.height);
  put("guidance", defaults.guidance);
  put("cfg_normalization", defaults.cfg_normalization);
  put("cfg_truncation", defaults.cfg_truncation);
  put("sampler", defaults.sampler);
  put("schedule", defaults.schedule);
  put("negative_prompt", defaults.negative_prompt);
  return json;
}

nlohmann::ordered_json model_spec_json(const ModelSpec& spec) {
  nlohmann::ordered_json json;
  json["schema"] = 1;
  const auto put = [&json](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  put("name", spec.name);
  put("title", spec.title);
  put("description", spec.description);
  put("license", spec.license);
  json["architecture"] = spec.architecture;
  json["path"] = ".";
  if (auto defaults = model_defaults_json(spec.defaults); !defaults.empty())
    json["defaults"] = std::move(defaults);
  json["limits"]["size"] = {
      {"min", spec.size.minimum}, {"max", spec.size.maximum}, {"multiple", spec.size.multiple_of}};
  return json;
}

}  // namespace roundhouse::host
