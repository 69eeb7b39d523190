// SPDX-License-Identifier: Apache-2.0
// A list of facts as a C++ value, and as the C records that borrow from it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "roundhouse/base.h"

namespace roundhouse {

// Pairs of key and value, such as {"simd", "AVX3"}.
using Facts = std::vector<std::pair<std::string, std::string>>;

// Pairs from groups, as a manifest writes them: {{"task", {"text-to-image"}}, {"device", {"cpu", "cuda"}}}.
inline Facts groups(
    std::initializer_list<std::pair<const char*, std::initializer_list<const char*>>> groups) {
  Facts facts;
  for (const auto& [group, values] : groups) {
    for (const char* value : values)
      facts.emplace_back(group, value);
  }
  return facts;
}

inline bool contains(const Facts& facts, const std::string& key, const std::string& value) {
  return std::find(facts.begin(), facts.end(), std::pair(key, value)) != facts.end();
}

// Adds the fact unless the key is there already.
inline void add_missing(Facts& facts, std::string key, std::string value) {
  for (const auto& fact : facts) {
    if (fact.first == key) return;
  }
  facts.emplace_back(std::move(key), std::move(value));
}

// Owns facts and their C form, which lives as long as the table.
class FactTable {
 public:
  explicit FactTable(Facts facts) : facts_(std::move(facts)) {
    items_.reserve(facts_.size());
    for (const auto& [key, value] : facts_)
      items_.push_back(RH_FACT(key.c_str(), value.c_str()));
    list_ = {sizeof(rh_facts), static_cast<std::uint32_t>(items_.size()), items_.data()};
  }
  FactTable(const FactTable&) = delete;
  FactTable& operator=(const FactTable&) = delete;

  const rh_facts* list() const { return &list_; }

 private:
  Facts facts_;
  std::vector<rh_fact> items_;
  rh_facts list_{};
};

}  // namespace roundhouse
