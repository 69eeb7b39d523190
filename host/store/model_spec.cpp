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

using Problems = std::vector<Error>;

// One mapping of the file; every member is asked for by name, and what nobody asked for is a problem. What is
// wrong is noted, and reading goes on as if it were absent.
class Section {
 public:
  Section(const YAML::Node& node, std::string where, std::string file, Problems& problems)
      : node_(node), where_(std::move(where)), file_(std::move(file)), problems_(problems) {
    if (node_.IsMap()) return;
    note(node_, where_.empty() ? "file" : where_, "expected a mapping");
    node_ = YAML::Node(YAML::NodeType::Map);
  }

  YAML::Node child(const std::string& key) {
    known_.insert(key);
    return node_[key];
  }

  // A mapping within; none when there is none.
  std::optional<Section> section(const std::string& key) {
    const YAML::Node node = child(key);
    if (!node) return std::nullopt;
    return Section(node, path(key), file_, problems_);
  }

  std::optional<std::string> text(const std::string& key) {
    const YAML::Node node = child(key);
    if (!node) return std::nullopt;
    if (node.IsScalar()) return node.Scalar();
    note(node, key, "expected text");
    return std::nullopt;
  }

  std::string text_or_empty(const std::string& key) { return text(key).value_or(""); }

  std::string required_text(const std::string& key) {
    auto value = text(key);
    if (value && !value->empty()) return *value;
    if (value || !child(key)) note(node_, key, "is missing");
    return "";
  }

  std::string choice(const std::string& key, const std::vector<std::string>& choices) {
    auto value = text(key);
    if (!value || std::find(choices.begin(), choices.end(), *value) != choices.end())
      return value.value_or("");
    std::string list;
    for (const auto& item : choices)
      list += (list.empty() ? "" : ", ") + item;
    note(child(key), key, "'" + *value + "' is not known, expected one of: " + list);
    return "";
  }

  std::vector<std::string> texts(const std::string& key) {
    const YAML::Node node = child(key);
    std::vector<std::string> values;
    if (!node) return values;
    if (!node.IsSequence()) note(node, key, "expected a list of texts");
    for (const auto& item : node) {
      if (item.IsScalar()) values.push_back(item.Scalar());
    }
    return values;
  }

  std::optional<double> number(const std::string& key, double low, double high) {
    const YAML::Node node = child(key);
    if (!node) return std::nullopt;
    double value = 0;
    if (node.IsScalar() && YAML::convert<double>::decode(node, value) && std::isfinite(value) &&
        value >= low && value <= high)
      return value;
    note(node, key,
         (node.IsScalar() ? "'" + node.Scalar() + "' is out of range, " : std::string()) +
             "expected a number from " + shown(low) + " to " + shown(high));
    return std::nullopt;
  }

  std::optional<std::uint32_t> count(const std::string& key, std::uint32_t low, std::uint32_t high) {
    const auto value = number(key, low, high);
    if (!value) return std::nullopt;
    if (*value == std::floor(*value)) return static_cast<std::uint32_t>(*value);
    note(node_[key], key, "expected a whole number");
    return std::nullopt;
  }

  void note_unknown() {
    for (const auto& item : node_) {
      const auto key = item.first.IsScalar() ? item.first.Scalar() : "(no text)";
      if (!known_.contains(key) && !key.starts_with("x-")) note(item.first, key, "is not a known field");
    }
  }

  void note(const YAML::Node& node, const std::string& field, const std::string& what) {
    const int line = node.IsDefined() ? node.Mark().line + 1 : 0;
    problems_.emplace_back(RH_MODEL_INVALID, file_ + (line > 0 ? ":" + std::to_string(line) : "") + ": " +
                                                 (field == where_ ? field : path(field)) + ": " + what);
  }

 private:
  std::string path(const std::string& key) const { return where_.empty() ? key : where_ + "." + key; }

  static std::string shown(double value) {
    auto text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }

  YAML::Node node_;
  std::string where_, file_;
  Problems& problems_;
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
  defaults.temperature = section.number("temperature", 0, 2);
  defaults.top_p = section.number("top_p", 0, 1);
  defaults.max_tokens = section.count("max_tokens", 1, 1 << 24);
  defaults.context = section.count("context", 1, 1 << 24);
  defaults.stop = section.texts("stop");
  section.note_unknown();
  return defaults;
}

SizeLimits read_size(Section section) {
  const SizeLimits hard;
  SizeLimits size;
  size.minimum = section.count("min", hard.minimum, hard.maximum).value_or(size.minimum);
  size.maximum = section.count("max", size.minimum, hard.maximum).value_or(size.maximum);
  size.multiple_of = section.count("multiple", 1, hard.maximum).value_or(size.multiple_of);
  if (size.multiple_of % hard.multiple_of != 0)
    section.note(section.child("multiple"), "multiple", "expected a multiple of 16");
  section.note_unknown();
  return size;
}

void read_base(Section section, ModelSpec& spec) {
  spec.base_repository = section.required_text("hf_repo");
  spec.base_revision = section.text_or_empty("revision");
  section.note_unknown();
}

ModelSpec read_fields(const YAML::Node& root, const std::filesystem::path& file, Problems& problems) {
  Section top(root, "", file.string(), problems);
  if (const auto schema = top.number("schema", 0, 1e9); !schema || *schema != 1)
    top.note(top.child("schema"), "schema", "expected 1");
  ModelSpec spec;
  spec.file = file;
  spec.name = top.required_text("name");
  if (!spec.name.empty() && !is_plain_model_name(spec.name))
    top.note(top.child("name"), "name", "'" + spec.name + "' is not a plain name");
  spec.title = top.text("title").value_or(spec.name);
  spec.description = top.text_or_empty("description");
  spec.license = top.text_or_empty("license");
  spec.architecture = top.required_text("architecture");
  if (const auto base = top.section("base")) read_base(*base, spec);
  spec.path = spec.base_repository.empty() ? top.required_text("path") : top.text_or_empty("path");
  if (std::any_of(spec.path.begin(), spec.path.end(), [](const auto& part) { return part == ".."; }))
    top.note(top.child("path"), "path", "'" + spec.path.string() + "' contains '..'");
  spec.version = top.text_or_empty("version");
  spec.format = top.choice("format", {"safetensors"});
  spec.quantization = top.choice("quantization", {"none", "int8", "int4", "fp16"});
  spec.tokenizer = top.text_or_empty("tokenizer");
  spec.prompt_template = top.text_or_empty("prompt_template");
  spec.system_prompt = top.text_or_empty("system_prompt");
  if (const auto defaults = top.section("defaults")) spec.defaults = read_defaults(*defaults);
  if (auto limits = top.section("limits")) {
    if (const auto size = limits->section("size")) spec.size = read_size(*size);
    limits->note_unknown();
  }
  top.note_unknown();
  return spec;
}

ModelSpec read_text(const std::string& text, const std::filesystem::path& file, Problems& problems) {
  // yaml-cpp recurses for flow sequences; a recipe has no use for so many brackets.
  if (std::count(text.begin(), text.end(), '[') + std::count(text.begin(), text.end(), '{') > 256) {
    problems.emplace_back(RH_MODEL_INVALID, file.string() + ": has more than 256 opening brackets");
    return {};
  }
  try {
    return read_fields(YAML::Load(text), file, problems);
  } catch (const YAML::Exception& error) {
    problems.emplace_back(RH_MODEL_INVALID,
                          file.string() + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
    return {};
  }
}

}  // namespace

ModelSpec parse_model_spec(const std::string& text, const std::filesystem::path& file) {
  Problems problems;
  ModelSpec spec = read_text(text, file, problems);
  if (!problems.empty()) throw Error(problems.front());
  return spec;
}

std::vector<Error> model_spec_problems(const std::string& text, const std::filesystem::path& file) {
  Problems problems;
  read_text(text, file, problems);
  return problems;
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
  put("temperature", defaults.temperature);
  put("top_p", defaults.top_p);
  put("max_tokens", defaults.max_tokens);
  put("context", defaults.context);
  if (!defaults.stop.empty()) json["stop"] = defaults.stop;
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
  if (!spec.base_repository.empty()) {
    json["base"]["hf_repo"] = spec.base_repository;
    if (!spec.base_revision.empty()) json["base"]["revision"] = spec.base_revision;
  }
  put("version", spec.version);
  put("format", spec.format);
  put("quantization", spec.quantization);
  put("tokenizer", spec.tokenizer);
  put("prompt_template", spec.prompt_template);
  put("system_prompt", spec.system_prompt);
  if (auto defaults = model_defaults_json(spec.defaults); !defaults.empty())
    json["defaults"] = std::move(defaults);
  json["limits"]["size"] = {
      {"min", spec.size.minimum}, {"max", spec.size.maximum}, {"multiple", spec.size.multiple_of}};
  return json;
}

}  // namespace roundhouse::host
