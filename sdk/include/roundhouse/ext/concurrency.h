/* SPDX-License-Identifier: Apache-2.0
 * rh.concurrency/1: a model side extension (rh_model.get_extension) that says how many calls of one open
 * model the engine takes at once.
 *
 * Why: an engine that answers many people at once has to see their requests together, since only it can batch
 * them; a host that serves them one after the other would leave most of the machine idle. An engine without
 * this extension is called as before there was one, and needs no locks. */
#ifndef ROUNDHOUSE_EXT_CONCURRENCY_H
#define ROUNDHOUSE_EXT_CONCURRENCY_H

#include "roundhouse/engine.h"

#define RH_CONCURRENCY_ID "rh.concurrency/1"

typedef struct rh_concurrency {
  uint32_t struct_size;
  uint32_t reserved;

  /* How many calls tagged [model-thread] the host may make of this model at once, each from a thread of its
   * own: at least 1, at most 1024, the same until close. It may depend on the memory that the model was
   * opened with. A call gives the same result beside others as alone. No such call is under way while the
   * model is opened or closed, nor while one tagged [engine-thread] is.  [any-thread] */
  uint32_t (*calls)(rh_model* model);
} rh_concurrency;

#endif
