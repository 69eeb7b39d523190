// SPDX-License-Identifier: Apache-2.0
// Compares a manifest with a report, field by field.
#include "host/registry/differences.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "host/text/list.h"

namespace roundhouse::host {
namespace {

using Lines = std::vector<std::string>;

std::string or_nothing(const std::string& text) {
  return text.empty() ? "nothing" : text;
}

void compare(Lines& lines, const std::string& field, const std::string& manifest, const std::string& report) {
  if (manifest == report) return;
  lines.push_back(field + ": the manifest says " + or_nothing(manifest) + ", the plugin " +
                  or_nothing(report));
}

std::string sorted_list(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return joined(values);
}

std::string shown(const Limits& limits, const std::string& name) {
  const auto found = limits.find(name);
  if (found == limits.end()) return "";
  std::ostringstream text;
  text << found->second.minimum << " to " << found->second.maximum;
  if (found->second.multiple_of != 0) text << " in multiples of " << found->second.multiple_of;
  return text.str();
}

template <class Map>
std::set<std::string> keys(const Map& first, const Map& second) {
  std::set<std::string> result;
  for (const auto& entry : first)
    result.insert(entry.first);
  for (const auto& entry : second)
    result.insert(entry.first);
  return result;
}

std::string group(const Capabilities& capabilities, const std::string& name) {
  const auto found = capabilities.find(name);
  return found == capabilities.end() ? "" : sorted_list(found->second);
}

}  // namespace

std::vector<std::string> differences(const EngineManifest& manifest, const EngineReport& report) {
  Lines lines;
  compare(lines, "name", manifest.name, report.name);
  compare(lines, "vendor", manifest.vendor, report.vendor);
  compare(lines, "version", manifest.version, report.version);
  compare(lines, "description", manifest.description, report.description);
  compare(lines, "maturity", manifest.maturity, report.maturity);
  compare(lines, "score", std::to_string(manifest.score), std::to_string(report.score));
  for (const auto& name : keys(manifest.capabilities, report.capabilities)) {
    compare(lines, "capabilities." + name, group(manifest.capabilities, name),
            group(report.capabilities, name));
  }
  for (const auto& name : keys(manifest.limits, report.limits))
    compare(lines, "limits." + name, shown(manifest.limits, name), shown(report.limits, name));
  return lines;
}

}  // namespace roundhouse::host
