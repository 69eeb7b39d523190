// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

constexpr std::uint32_t kMostTypes = 64;

std::vector<std::string> rated_types(Report& report, const rh_engine* engine, const rh_rates& rates,
                                     const std::string& who) {
  std::vector<std::string> types;
  report.step("rates.weights");
  for (std::uint32_t i = 0; i <= kMostTypes; ++i) {
    const char* type = rates.weights(engine, i);
    if (type == nullptr) return types;
    types.emplace_back(type);
  }
  report.expect(false, "P43", who + ": rates of more than 64 types of weights");
  types.clear();
  return types;
}

std::vector<std::string> stored_types(const rh_engine_descriptor& descriptor) {
  std::vector<std::string> types;
  const rh_facts* facts = descriptor.capabilities;
  for (std::uint32_t i = 0; facts != nullptr && i < facts->count; ++i) {
    const rh_fact& fact = roundhouse::list_item(facts->items, i);
    if (std::string(fact.key) == "dtype") types.emplace_back(fact.value);
  }
  return types;
}

void check_measure(Report& report, rh_engine* engine, const rh_rates& rates, const std::string& type,
                   const std::string& who) {
  const std::string call = who + ": rate with " + type + " weights";
  double rate = 0;
  ErrorSlot error;
  report.step("rates.measure");
  const rh_status status = rates.measure(engine, type.c_str(), 0.001, &rate, error.get());
  report.expect(status == RH_OK, "P43", call + " failed: " + error.message());
  report.expect(status != RH_OK || (std::isfinite(rate) && rate > 0), "P43",
                call + " is " + std::to_string(rate));
}

}  // namespace

void check_rates(const Subject& subject, Report& report) {
  Life life(subject, report);
  for (const rh_engine_descriptor* descriptor : life.descriptors()) {
    const EngineUse engine(life, *descriptor);
    const auto* rates = static_cast<const rh_rates*>(engine.get()->get_extension(engine.get(), RH_RATES_ID));
    if (rates == nullptr) continue;
    const std::string who = descriptor->id;
    report.require(roundhouse::reaches_floor(rates) && rates->weights != nullptr && rates->measure != nullptr,
                   "P10", who + ": rh_rates is too small or lacks a function");
    const std::vector<std::string> types = rated_types(report, engine.get(), *rates, who);
    const std::vector<std::string> stored = stored_types(*descriptor);
    for (const std::string& type : types) {
      report.expect(std::ranges::find(stored, type) != stored.end(), "P43",
                    who + ": rates of '" + type + "', which is not in the group dtype");
      report.expect(std::ranges::count(types, type) == 1, "P43", who + ": rates of '" + type + "' twice");
      check_measure(report, engine.get(), *rates, type, who);
    }
    double rate = 0;
    ErrorSlot error;
    const rh_status status = rates->measure(engine.get(), "conformance-unknown", 0.001, &rate, error.get());
    report.expect(status == RH_INVALID_ARGUMENT, "P43",
                  who + ": rate with unknown weights returned " + std::to_string(status));
    if (status != RH_OK) error.expect_told(report, status, who + ": rate with unknown weights");
  }
}

}  // namespace conformance
