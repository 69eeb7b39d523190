// SPDX-License-Identifier: Apache-2.0
// rh.rates/1 for engines in C++: two member functions become the extension.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "roundhouse/ext/draft/rates.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse {

// What `extension(RH_RATES_ID)` of the engine class E returns. E has
//   const std::vector<std::string>& rated_weights() const;  // never changes while the engine lives
//   double measure_rate(const std::string& weights, double seconds);  // of one of them, in FLOP/s
template <class E>
const rh_rates* rates_extension() {
  constexpr auto weights = [](const rh_engine* engine, std::uint32_t index) -> const char* {
    if (engine == nullptr) return nullptr;
    const std::vector<std::string>& names = engine_of<E>(const_cast<rh_engine*>(engine)).rated_weights();
    return index < names.size() ? names[index].c_str() : nullptr;
  };
  constexpr auto measure = [](rh_engine* engine, const char* name, double seconds, double* rate,
                              rh_error* error) -> rh_status {
    return detail::guard_for<E>(error, [&] {
      E& self = engine_of<E>(&detail::required(engine, "engine"));
      const std::string wanted(&detail::required(name, "weights"));
      double& result = detail::required(rate, "rate");
      if (std::ranges::find(self.rated_weights(), wanted) == self.rated_weights().end())
        throw Error(RH_INVALID_ARGUMENT, "weights: '" + wanted + "' are not measured");
      if (!(seconds >= 0 && seconds <= 10))
        throw Error(RH_INVALID_ARGUMENT, "seconds: " + std::to_string(seconds) + ", expected 0 to 10");
      result = self.measure_rate(wanted, seconds);
    });
  };
  static constexpr rh_rates extension{sizeof(rh_rates), 0, +weights, +measure};
  return &extension;
}

}  // namespace roundhouse
