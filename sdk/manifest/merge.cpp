// SPDX-License-Identifier: Apache-2.0
#include "sdk/manifest/merge.h"

#include <algorithm>

namespace manifest {
namespace {

std::string shown(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Of texts; the order of capabilities and of keys means nothing.
nlohmann::json sorted(const Json& value) {
  nlohmann::json copy = nlohmann::json::parse(shown(value));
  const auto sort = [](nlohmann::json& list) {
    if (list.is_array()) std::sort(list.begin(), list.end());
  };
  if (copy.is_object()) {
    for (auto& [key, member] : copy.items())
      sort(member);
  }
  return copy;
}

bool states_score(const Json& stated, const Json& score) {
  if (!stated.is_object()) return stated == score;
  const Json by_feature = stated.value("cpu", Json::object());
  return stated.value("default", Json()) == score ||
         std::ranges::any_of(by_feature, [&](const Json& other) { return other == score; });
}

// What no plugin says of itself.
bool is_authors(const std::string& key) {
  return key == "environment" || key == "network" || key.starts_with("x-");
}

}  // namespace

Json merge(const Json& stated, Json described) {
  for (const auto& [key, value] : stated.items()) {
    if (is_authors(key)) {
      described[key] = value;
      continue;
    }
    if (!described.contains(key))
      throw Refused(key + ": the plugin says nothing of it, expected a key of CONTRACT.md");
    const Json& said = described[key];
    const bool same = key == "score" ? states_score(value, said) : sorted(value) == sorted(said);
    if (!same) throw Refused(key + ": is " + shown(value) + ", the plugin says " + shown(said));
    if (key == "score") described[key] = value;
  }
  return described;
}

}  // namespace manifest
