/* SPDX-License-Identifier: Apache-2.0
 * Rates of one type of weights, for broken_plugin.c and its defects. */
#include "roundhouse/ext/draft/rates.h"

static const char* broken_rated_weights(const rh_engine* engine, uint32_t index) {
  (void)engine;
  if (index == 1 && is("rates-a-type-twice")) return "f32";
  if (index == 1 && is("rates-an-unlisted-type")) return "f4";
  return index == 0 ? "f32" : NULL;
}

static rh_status broken_measure(rh_engine* engine, const char* weights, double seconds, double* rate,
                                rh_error* error) {
  (void)engine;
  (void)seconds;
  if (!is("rates-everything") && !is("rates-an-unlisted-type") && strcmp(weights, "f32") != 0)
    return rh_fail(error, RH_INVALID_ARGUMENT, "weights: '%s' are not measured", weights);
  *rate = is("rates-nan") ? NAN : is("rates-nothing") ? 0 : 1e9;
  return RH_OK;
}
