// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/names.h"

#include <algorithm>
#include <set>
#include <utility>

#include "host/output/metadata.h"
#include "host/registry/record_json.h"
#include "host/server/http/http_error.h"
#include "host/text/list.h"

namespace roundhouse::host::a1111 {
namespace {

// Letters in lower case, and one mark for all that stands between words.
std::string folded(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    result += c == ' ' || c == '_' ? '-' : c;
  }
  return result;
}

std::string title_of_schedule(const std::string& name) {
  std::string title = name;
  std::replace(title.begin(), title.end(), '-', ' ');
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

std::vector<std::string> sampler_aliases(const std::string& name) {
  std::string diffusion = "k_" + name;
  std::replace(diffusion.begin(), diffusion.end(), '-', '_');
  return {name, diffusion};
}

std::vector<std::string> names(const Registry& registry, const std::string& group) {
  std::vector<std::string> all;
  for (const EngineRecord& record : registry.records()) {
    if (record.state != EngineState::available && record.state != EngineState::listed) continue;
    for (const std::string& name : capability_values(stated_capabilities(record), group)) {
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
    }
  }
  return all;
}

bool is_called(const Method& method, const std::string& text) {
  const auto same = [&](const std::string& name) { return folded(name) == folded(text); };
  return same(method.name) || same(method.title) ||
         std::any_of(method.aliases.begin(), method.aliases.end(), same);
}

const Method* find(const std::vector<Method>& methods, const std::string& text) {
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [&](const Method& method) { return is_called(method, text); });
  return found == methods.end() ? nullptr : &*found;
}

// Of the web UI's own, those that no engine here has to have.
bool is_foreign_schedule(const std::string& text) {
  static const std::set<std::string> known = {
      "karras", "exponential", "polyexponential", "uniform", "simple", "normal", "ddim", "beta"};
  return known.contains(folded(text));
}

bool is_automatic(const std::string& text) {
  return text.empty() || folded(text) == "automatic";
}

[[noreturn]] void refuse(const std::string& field, const std::string& text,
                         const std::vector<Method>& methods) {
  throw http::HttpError(
      404, RH_INVALID_ARGUMENT,
      field + ": '" + text + "' is not known, expected one of: " + joined(methods, ", ", &Method::title));
}

}  // namespace

std::vector<Method> samplers(const Registry& registry) {
  std::vector<Method> methods;
  for (const std::string& name : names(registry, "sampler"))
    methods.push_back({name, a1111_sampler(name), sampler_aliases(name)});
  return methods;
}

std::vector<Method> schedules(const Registry& registry) {
  std::vector<Method> methods;
  for (const std::string& name : names(registry, "schedule"))
    methods.push_back({name, title_of_schedule(name), {}});
  return methods;
}

std::optional<std::string> take_sampler(const std::string& text, const Registry& registry,
                                        GenerateRequest& request) {
  if (is_automatic(text)) return std::nullopt;
  const std::vector<Method> known = samplers(registry), known_schedules = schedules(registry);
  if (const Method* method = find(known, text)) {
    request.sampler = method->name;
    return std::nullopt;
  }
  const std::size_t space = text.rfind(' ');
  if (space != std::string::npos) {
    const Method* method = find(known, text.substr(0, space));
    const Method* schedule = find(known_schedules, text.substr(space + 1));
    if (method != nullptr && schedule != nullptr) {
      request.sampler = method->name;
      if (!request.schedule) request.schedule = schedule->name;
      return std::nullopt;
    }
    if (method != nullptr && is_foreign_schedule(text.substr(space + 1))) {  // as older clients name the two
      request.sampler = method->name;
      return "sampler_name: schedule '" + text.substr(space + 1) + "' is not known, and taken for Automatic";
    }
  }
  refuse("sampler_name", text, known);
}

std::optional<std::string> take_schedule(const std::string& text, const Registry& registry,
                                         GenerateRequest& request) {
  if (is_automatic(text)) return std::nullopt;
  const std::vector<Method> known = schedules(registry);
  if (const Method* method = find(known, text)) {
    request.schedule = method->name;
    return std::nullopt;
  }
  return "scheduler: '" + text + "' is not known, and taken for Automatic";
}

std::optional<std::string> settle_schedule(const Registry& registry, const ModelDefaults& defaults,
                                           GenerateRequest& request) {
  if (!request.schedule) return std::nullopt;
  const std::vector<std::string> all = names(registry, "sampler");
  std::optional<std::string> sampler = request.sampler ? request.sampler : defaults.sampler;
  if (!sampler && !all.empty()) sampler = all.front();
  if (!sampler) return std::nullopt;
  const std::vector<std::string> followed = names(registry, "schedule." + *sampler);
  const bool follows =
      followed.empty() || std::find(followed.begin(), followed.end(), *request.schedule) != followed.end();
  if (follows) return std::nullopt;
  const std::string asked = *std::exchange(request.schedule, followed.front());
  return "scheduler: sampler '" + a1111_sampler(*sampler) + "' does not follow '" + title_of_schedule(asked) +
         "'; '" + title_of_schedule(followed.front()) + "' took its place";
}

}  // namespace roundhouse::host::a1111
