// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/loading/rules.h"
#include "host/loading/text.h"
#include "host/manifest/manifest.h"
#include "host/worker/message_json.h"
#include "roundhouse/ext/draft/rates.h"

namespace roundhouse::host {

using Json = nlohmann::json;

// ---- host ----

RatesByWeights ask_rates(EngineClient& client, double seconds) {
  RatesByWeights rates;
  client.call({.operation = "rates",
               .request = {message_text({{"seconds", seconds}})},
               .silence = &Timeouts::rates,
               .answer = [&](Message& answer) { rates = decode<RatesByWeights>(answer.json); }});
  return rates;
}

// ---- worker ----

namespace {

constexpr std::uint32_t kMostTypes = 64;
constexpr std::size_t kLongestName = 63;

[[noreturn]] void refuse_rates(const std::string& problem) {
  throw Error(RH_ENGINE_BROKEN, fmt::format("rates: {} (rule {})", problem, rule::kRates));
}

// The list, as far as it is one.
std::vector<std::string> rated_types(LoadedEngine& loaded, const rh_rates& rates) {
  std::vector<std::string> types;
  loaded.engine()
      .call("weights",
            [&](rh_engine* engine, rh_error*) {
              for (std::uint32_t i = 0; i <= kMostTypes; ++i) {
                const char* name = rates.weights(engine, i);
                if (name == nullptr) break;
                types.push_back(cleaned_text(name, kLongestName));
              }
              return RH_OK;
            })
      .check();
  if (types.size() > kMostTypes) refuse_rates(fmt::format("more than {} types of weights", kMostTypes));
  const Capabilities capabilities = loaded.report().capabilities;
  for (const std::string& type : types) {
    if (!has_capability(capabilities, "dtype", type))
      refuse_rates(fmt::format("type '{}' is not in the group dtype", type));
    if (std::ranges::count(types, type) > 1) refuse_rates(fmt::format("type '{}' comes twice", type));
  }
  return types;
}

}  // namespace

Message work_rates(LoadedEngine& engine, const Message& request, CallContext& /*call*/) {
  const double seconds =
      read_message(request.json, [](const Json& json) { return member<double>(json, "seconds"); });
  const auto& extension = engine.engine().extension<rh_rates>(RH_RATES_ID);
  RatesByWeights rates;
  for (const std::string& type : rated_types(engine, extension)) {
    double rate = 0;
    engine.engine()
        .call("measure",
              [&](rh_engine* raw, rh_error* error) {
                return extension.measure(raw, type.c_str(), seconds, &rate, error);
              })
        .check();
    if (!std::isfinite(rate) || rate <= 0) refuse_rates(fmt::format("{} FLOP/s with {} weights", rate, type));
    rates[type] = rate;
  }
  return {encode(rates)};
}

// ---- messages ----

std::string encode(const RatesByWeights& rates) {
  return message_text({{"rates", rates}});
}

template <>
RatesByWeights decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return member<RatesByWeights>(json, "rates"); });
}

}  // namespace roundhouse::host
