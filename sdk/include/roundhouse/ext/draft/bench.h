/* SPDX-License-Identifier: Apache-2.0
 * rh.bench/1 (draft): an engine side extension that measures what the machine gives to this engine's own
 * products, so that a stage's rate can be put beside it in the same run. */
#ifndef ROUNDHOUSE_EXT_DRAFT_BENCH_H
#define ROUNDHOUSE_EXT_DRAFT_BENCH_H

#include "roundhouse/engine.h"

#define RH_BENCH_ID "rh.bench/1"

typedef struct rh_bench {
  uint32_t struct_size;
  uint32_t reserved;
  /* Multiplies an m x k by a k x n matrix of f32 over and over for about `seconds` and gives the best rate
   * seen, in floating-point operations per second (2*m*n*k each).  [engine-thread] */
  rh_status (*matrix_rate)(rh_engine* engine, uint32_t m, uint32_t n, uint32_t k, double seconds,
                           double* rate, rh_error* error);
} rh_bench;

#endif
