// SPDX-License-Identifier: Apache-2.0
// roundhouse-conformance PLUGIN.so: checks a plugin against every rule of CONTRACT.md that a machine can
// check.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sdk/conformance/cases.h"

namespace {

using conformance::Finding;
using conformance::Result;
using conformance::Subject;
using nlohmann::json;

struct Case {
  const char* name;
  void (*run)(const Subject&, conformance::Report&);
};

constexpr Case cases[] = {{"file", conformance::check_file},
                          {"descriptors", conformance::check_descriptors},
                          {"lifecycle", conformance::check_lifecycle},
                          {"refusals", conformance::check_refusals},
                          {"newer host", conformance::check_newer_host},
                          {"images", conformance::check_images},
                          {"cancelling", conformance::check_cancelling},
                          {"several calls at once", conformance::check_concurrency},
                          {"request refusals", conformance::check_request_refusals},
                          {"estimates", conformance::check_estimates},
                          {"conversions", conformance::check_conversions},
                          {"inspections", conformance::check_inspections},
                          {"rates", conformance::check_rates},
                          {"texts", conformance::check_texts},
                          {"embeddings", conformance::check_embeddings}};

json read_json(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, /*allow_exceptions=*/false);
}

// The values that the manifest wants in the environment; the computed ones are the host's business.
std::map<std::string, std::string> environment_of(const std::string& manifest) {
  std::map<std::string, std::string> environment;
  const json read = read_json(manifest);
  if (!read.is_object() || !read.contains("environment") || !read["environment"].is_object())
    return environment;
  for (const auto& [name, setting] : read["environment"].items()) {
    if (setting.is_object() && setting.contains("value") && setting["value"].is_string()) {
      environment[name] = setting["value"];
    }
  }
  return environment;
}

// As hosts read it: of a pipeline's index, or of the configuration of a model that is one network.
std::string architecture_of(const std::string& directory) {
  const json index = read_json(directory + "/model_index.json");
  if (index.is_object() && index.contains("_class_name") && index["_class_name"].is_string())
    return index["_class_name"];
  const json config = read_json(directory + "/config.json");
  if (!config.is_object() || !config.contains("architectures") || !config["architectures"].is_array())
    return "";
  const json& names = config["architectures"];
  return !names.empty() && names.front().is_string() ? names.front().get<std::string>() : "";
}

void print_text(const Result& result) {
  for (const Finding& finding : result.findings) {
    std::printf("%-4s %s: %s\n", finding.rule.c_str(), finding.where.c_str(), finding.text.c_str());
  }
  std::printf("%zu rules looked at, %zu findings\n", result.checked.size(), result.findings.size());
}

void print_json(const Subject& subject, const Result& result) {
  json findings = json::array();
  for (const Finding& finding : result.findings) {
    findings.push_back({{"rule", finding.rule}, {"case", finding.where}, {"text", finding.text}});
  }
  const json all{{"plugin", subject.library},
                 {"conforms", result.findings.empty()},
                 {"checked", result.checked},
                 {"findings", findings}};
  std::printf("%s\n", all.dump(2, ' ', false, json::error_handler_t::replace).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Checks an engine plugin against CONTRACT.md. Exits with 0 when no rule is found broken.");
  Subject subject;
  int timeout_s = 120;
  bool as_json = false;
  app.add_option("plugin", subject.library, "The shared object")->required()->check(CLI::ExistingFile);
  app.add_option("--manifest", subject.manifest, "Its manifest, compared with what the plugin says")
      ->check(CLI::ExistingFile);
  app.add_option("--model", subject.model_directory, "A model directory for the cases that need one")
      ->check(CLI::ExistingDirectory);
  app.add_option("--timeout", timeout_s, "Seconds that one case may take")->check(CLI::PositiveNumber);
  app.add_flag("--json", as_json, "Print one JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  subject.library = std::filesystem::absolute(subject.library).string();
  if (!subject.manifest.empty()) subject.environment = environment_of(subject.manifest);
  if (!subject.model_directory.empty()) {
    subject.model_directory = std::filesystem::absolute(subject.model_directory).string();
    subject.architecture = architecture_of(subject.model_directory);
  }

  Result result;
  for (const Case& one : cases) {
    run_case(
        one.name, timeout_s, [&](conformance::Report& report) { one.run(subject, report); }, result);
  }
  if (as_json) {
    print_json(subject, result);
  } else {
    print_text(result);
  }
  return result.findings.empty() ? 0 : 1;
}
