// SPDX-License-Identifier: Apache-2.0
// From rh_engine_descriptor to EngineReport, believing nothing unchecked.
#include "host/loading/descriptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "host/loading/plugin_error.h"
#include "host/loading/text.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

constexpr std::uint32_t kEngines = 64;  // of one plugin
constexpr std::size_t kIdBytes = 63;
constexpr std::size_t kTextBytes = 4096;

std::string checked_text(const std::string& engine, const char* rule, const std::string& name,
                         const char* text) {
  const std::string problem = problem_of_text(text, kTextBytes);
  if (!problem.empty()) throw broken(engine, rule, name + " " + problem);
  return text;
}

std::string checked_name(const std::string& engine, const char* rule, const std::string& name,
                         const char* text) {
  std::string result = checked_text(engine, rule, name, text);
  if (result.empty()) throw broken(engine, rule, name + " is empty, expected text");
  return result;
}

bool is_id(const std::string& text) {
  constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view rest = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  return text != "auto" && text.size() <= kIdBytes && first.find(text[0]) != std::string_view::npos &&
         text.find_first_not_of(rest) == std::string::npos;
}

std::string maturity_name(const std::string& engine, std::uint32_t maturity) {
  switch (maturity) {
    case RH_MATURITY_STABLE:
      return "stable";
    case RH_MATURITY_EXPERIMENTAL:
      return "experimental";
    case RH_MATURITY_TEACHING:
      return "teaching";
    default:
      throw broken(engine, rule::kIdentity, fmt::format("maturity is {}, expected 1, 2 or 3", maturity));
  }
}

Capabilities read_capabilities(const std::string& engine, const rh_facts* list) {
  Capabilities capabilities;
  for (const auto& [group, value] : read_facts(engine, rule::kCapabilities, "capabilities", list)) {
    if (value.empty()) throw broken(engine, rule::kCapabilities, "capabilities: '" + group + "' is empty");
    auto& values = capabilities[group];
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  for (const char* needed : {"task", "device"}) {
    if (capabilities.contains(needed)) continue;
    throw broken(engine, rule::kCapabilities,
                 std::string("the capabilities name no ") + needed + ", expected at least one");
  }
  return capabilities;
}

Limits read_limits(const std::string& engine, const rh_limits* list) {
  Limits limits;
  if (list == nullptr) return limits;
  walk(engine, rule::kCapabilities, "limits", list, [&](const rh_limit& limit) {
    const std::string name = checked_name(engine, rule::kCapabilities, "a limit's name", limit.name);
    const bool sane = std::isfinite(limit.minimum) && std::isfinite(limit.maximum) &&
                      std::isfinite(limit.multiple_of) && limit.minimum <= limit.maximum &&
                      limit.multiple_of >= 0;
    if (!sane) {
      throw broken(
          engine, rule::kCapabilities,
          fmt::format("limit '{}' goes from {} to {} in multiples of {}, expected finite numbers in order",
                      name, limit.minimum, limit.maximum, limit.multiple_of));
    }
    if (!limits.emplace(name, Limit{limit.minimum, limit.maximum, limit.multiple_of}).second) {
      throw broken(engine, rule::kCapabilities, "limit '" + name + "' is there twice");
    }
  });
  return limits;
}

EngineReport read_descriptor(const std::string& engine, const rh_engine_descriptor& descriptor) {
  EngineReport report;
  report.id = checked_name(engine, rule::kIdentity, "id", descriptor.id);
  if (!is_id(report.id)) {
    throw broken(engine, rule::kIdentity,
                 "id '" + report.id + "' is not an id, expected [a-z0-9][a-z0-9._-]{0,62} and not 'auto'");
  }
  report.name = checked_name(engine, rule::kIdentity, "name", descriptor.name);
  report.vendor = checked_name(engine, rule::kIdentity, "vendor", descriptor.vendor);
  report.version = checked_name(engine, rule::kIdentity, "version", descriptor.version);
  report.description = checked_name(engine, rule::kIdentity, "description", descriptor.description);
  report.maturity = maturity_name(engine, descriptor.maturity);
  report.score = descriptor.score;
  report.capabilities = read_capabilities(engine, descriptor.capabilities);
  report.limits = read_limits(engine, descriptor.limits);
  return report;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> read_facts(const std::string& engine, const char* rule,
                                                            const std::string& name, const rh_facts* list) {
  std::vector<std::pair<std::string, std::string>> facts;
  walk(engine, rule, name, list, [&](const rh_fact& fact) {
    std::string key = checked_name(engine, rule, name + ": a key", fact.key);
    facts.emplace_back(std::move(key), "");
    facts.back().second = checked_text(engine, rule, name + ": '" + facts.back().first + "'", fact.value);
  });
  return facts;
}

EngineReport describe_engine(const std::string& id, const rh_engine_factory& factory) {
  const std::uint32_t count = without_exceptions(id, "count", [&] { return factory.count(); });
  if (count == 0 || count > kEngines) {
    throw broken(id, rule::kFactory,
                 fmt::format("the factory has {} engines, expected 1 to {}", count, kEngines));
  }
  std::set<std::string> ids;
  std::optional<EngineReport> wanted;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto* descriptor = without_exceptions(id, "descriptor", [&] { return factory.descriptor(i); });
    check_record(id, rule::kDescriptor, fmt::format("descriptor {}", i), descriptor);
    EngineReport report = read_descriptor(id, *descriptor);
    if (!ids.insert(report.id).second) {
      throw broken(id, rule::kIdentity, "two engines are called '" + report.id + "'");
    }
    if (report.id == id) wanted = std::move(report);
  }
  if (wanted) return *wanted;
  throw broken(id, rule::kManifest, "the plugin holds " + joined(ids) + ", the manifest says '" + id + "'");
}

}  // namespace roundhouse::host
