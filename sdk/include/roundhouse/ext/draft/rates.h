/* SPDX-License-Identifier: Apache-2.0
 * rh.rates/1 (draft): an engine side extension that says how fast the engine multiplies here, by the type
 * that weights are stored in.
 *
 * Why the engine measures: what a processor lists says little about what it does. One with instructions for
 * bf16 may multiply f32 faster, and unpacking a quantised type costs each engine something else. A host that
 * has several engines for a request asks each once, keeps the answers, and takes what is faster on this
 * machine with such weights. rh.bench measures one product for people; this is what routing goes by. */
#ifndef ROUNDHOUSE_EXT_DRAFT_RATES_H
#define ROUNDHOUSE_EXT_DRAFT_RATES_H

#include "roundhouse/engine.h"

#define RH_RATES_ID "rh.rates/1"

typedef struct rh_rates {
  uint32_t struct_size;
  uint32_t reserved;

  /* The types of weights that are measured, by their names in the descriptor's group "dtype", each once. NULL
   * from the first index on that has none; at most 64. Lives as long as the engine.  [any-thread] */
  const char* (*weights)(const rh_engine* engine, uint32_t index);

  /* Multiplies activations with a matrix of such weights as a request would, rounding and unpacking included,
   * over and over for about `seconds` with the engine's thread budget, and gives the best rate seen, in
   * floating-point operations per second (2 per multiply-add). Many rows, as an image or a prompt has them,
   * but no more than the time allows. Takes 100 ms more than `seconds` at most on a machine that does nothing
   * else. INVALID_ARGUMENT for a type that is not in the list, and for seconds outside of 0 to 10.
   * [engine-thread] */
  rh_status (*measure)(rh_engine* engine, const char* weights, double seconds, double* rate, rh_error* error);
} rh_rates;

#endif
