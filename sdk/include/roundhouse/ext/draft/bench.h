/* SPDX-License-Identifier: Apache-2.0
 * rh.bench/2 (draft): an engine side extension that measures what the machine gives to this engine's own
 * products.
 *
 * Why the engine measures: seconds say nothing across machines. A stage's rate beside the best product of the
 * same engine, in the same run, says how much of the machine is used. */
#ifndef ROUNDHOUSE_EXT_DRAFT_BENCH_H
#define ROUNDHOUSE_EXT_DRAFT_BENCH_H

#include "roundhouse/engine.h"

#define RH_BENCH_ID "rh.bench/2"

typedef struct rh_bench {
  uint32_t struct_size;
  uint32_t reserved;

  /* What the engine multiplies, the type of its operands: "f32", "bf16", ... The first is the one that it
   * prefers; NULL from the first index on that has none. There is at least one. Lives as long as the engine.
   * [any-thread] */
  const char* (*product)(const rh_engine* engine, uint32_t index);

  /* Multiplies an m x k by a k x n matrix of `product` over and over for about `seconds`, as fast as the
   * engine knows how to with its thread budget, and gives the best rate seen, in floating-point operations
   * per second (2*m*n*k each). NULL is the first product; INVALID_ARGUMENT for one that is not in the list,
   * and for sizes outside of 1 to 16384.  [engine-thread] */
  rh_status (*matrix_rate)(rh_engine* engine, const char* product, uint32_t m, uint32_t n, uint32_t k,
                           double seconds, double* rate, rh_error* error);
} rh_bench;

#endif
