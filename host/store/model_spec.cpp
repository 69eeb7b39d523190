// SPDX-License-Identifier: Apache-2.0
// ModelSpecs: the YAML recipes of manifests/models.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/log/terminal_text.h"
#include "host/store/model_catalogue.h"
#include "host/store/model_fetch.h"
#include "host/store/small_file.h"
#include "host/store/yaml_section.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumBytes = 1 << 20;

ModelDefaults read_defaults(YamlSection section) {
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
  defaults.think = section.boolean("think");
  defaults.stop = section.texts("stop");
  section.note_unknown();
  return defaults;
}

SizeLimits read_size(YamlSection section) {
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

// "org/name", as a hub has it.
void require_repository(YamlSection& section, const std::string& repository) {
  if (!repository.empty() && !is_hub_repository(repository))
    section.note(section.child("hf_repo"), "hf_repo",
                 "'" + repository + "' is not a repository, expected ORG/NAME");
}

ModelBase read_base(YamlSection section, bool may_be_a_model) {
  ModelBase base;
  if (may_be_a_model) base.model = section.text_or_empty("model");
  base.repository = base.model.empty() ? section.required_text("hf_repo") : section.text_or_empty("hf_repo");
  require_repository(section, base.repository);
  base.revision = section.text_or_empty("revision");
  if (!base.model.empty() && !base.repository.empty())
    section.note(section.child("model"), "model", "given beside hf_repo, expected one of them");
  section.note_unknown();
  return base;
}

std::vector<std::string> read_patterns(YamlSection& section) {
  auto patterns = section.texts("files");
  for (const auto& pattern : patterns) {
    if (pattern.empty() || pattern.starts_with("/") || pattern.find("..") != std::string::npos)
      section.note(section.child("files"), "files", "'" + pattern + "' leads out of the folder");
  }
  return patterns;
}

std::vector<ModelComponent> read_components(YamlSection section) {
  std::vector<ModelComponent> components;
  for (auto& [name, fields] : section.sections()) {
    if (!is_plain_model_name(name)) section.note(section.child(name), name, "is not a plain name");
    ModelComponent component;
    component.name = name;
    component.files = read_patterns(fields);
    if (auto base = fields.section("base")) component.base = read_base(*base, false);
    fields.note_unknown();
    components.push_back(std::move(component));
  }
  return components;
}

void read_aliases(YamlSection& top, ModelSpec& spec) {
  spec.aliases = top.texts("aliases");
  for (const auto& alias : spec.aliases) {
    if (!is_plain_model_name(alias) && !is_hub_repository(alias))
      top.note(top.child("aliases"), "aliases", "'" + alias + "' is neither a plain name nor ORG/NAME");
  }
}

ModelSpec read_fields(const YAML::Node& root, const std::filesystem::path& file, Problems& problems) {
  YamlSection top(root, "", file.string(), problems);
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
  read_aliases(top, spec);
  if (const auto base = top.section("base")) spec.base = read_base(*base, true);
  spec.path = spec.base.empty() ? top.required_text("path") : top.text_or_empty("path");
  spec.files = read_patterns(top);
  if (const auto components = top.section("components")) spec.components = read_components(*components);
  if (std::any_of(spec.path.begin(), spec.path.end(), [](const auto& part) { return part == ".."; }))
    top.note(top.child("path"), "path", "'" + spec.path.string() + "' contains '..'");
  spec.version = top.text_or_empty("version");
  spec.format = top.choice("format", {"safetensors", "gguf"});
  spec.quantization = top.choice("quantization", {"none", "int8", "int4", "fp16"});
  spec.tokenizer = top.text_or_empty("tokenizer");
  spec.prompt_template = top.text_or_empty("prompt_template");
  spec.system_prompt = top.text_or_empty("system_prompt");
  if (const auto defaults = top.section("defaults")) spec.defaults = read_defaults(*defaults);
  if (auto limits = top.section("limits")) {
    if (const auto size = limits->section("size")) spec.size = read_size(*size);
    spec.maximum_bytes = limits->bytes("bytes");
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
  if (!is_utf8(text)) {
    problems.emplace_back(RH_MODEL_INVALID, file.string() + ": is not UTF-8");
    return {};
  }
  try {
    return read_fields(YAML::Load(text), file, problems);
  } catch (const YAML::Exception& error) {
    problems.emplace_back(RH_MODEL_INVALID,
                          fmt::format("{}:{}: {}", file.string(), error.mark.line + 1, error.msg));
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
  put("think", defaults.think);
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
  if (!spec.base.model.empty()) json["base"]["model"] = spec.base.model;
  if (!spec.base.repository.empty()) {
    json["base"]["hf_repo"] = spec.base.repository;
    if (!spec.base.revision.empty()) json["base"]["revision"] = spec.base.revision;
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
