/* SPDX-License-Identifier: Apache-2.0
 * rh.estimate/1: an engine side extension (rh_engine.get_extension) that says what an image would cost in
 * memory and time before anything is loaded.
 *
 * Why: a host that shares memory among models has to know the answer before it opens one, and a person before
 * a wait of minutes; only the engine knows which of its plans it would take. */
#ifndef ROUNDHOUSE_EXT_ESTIMATE_H
#define ROUNDHOUSE_EXT_ESTIMATE_H

#include "roundhouse/ext/image.h"

#define RH_ESTIMATE_ID "rh.estimate/1"

/* One stage as it would go. Memory is what the process would have resident: weights (mapped pages count as
 * far as they are read), activations, and the libraries' own. */
typedef struct rh_stage_estimate {
  uint32_t struct_size;
  /* RH_STAGE_* */
  uint32_t stage;
  /* Of all its steps, on this machine with the engine's threads. */
  uint64_t elapsed_ns;
  /* As rh_stage_report counts them. */
  uint64_t operations;
  /* Of the process, during this stage. */
  uint64_t peak_bytes;
} rh_stage_estimate;

/* rh_memory_part.stage of what stays between this image and the next one. */
#define RH_MEMORY_HELD 0xFFFFFFFFu

/* What one part of a model takes on one device. Borrowed for the call. */
typedef struct rh_memory_part {
  uint32_t struct_size;
  /* RH_STAGE_* or RH_MEMORY_HELD */
  uint32_t stage;
  /* One of the descriptor's devices; "cpu" is the memory of the process. Never NULL or empty. */
  const char* device;
  /* For people, such as "transformer", "activations" or "process". Never NULL or empty. */
  const char* part;
  uint64_t bytes;
} rh_memory_part;

/* Where the answer goes. Owned by the host, valid for the call; no function is NULL but where it says so. */
typedef struct rh_estimate_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Once per stage, in their order.  [call-thread] */
  void (*stage)(void* context, const rh_stage_estimate* stage);

  /* Once: what the process would hold between this image and the next one.  [call-thread] */
  void (*held)(void* context, uint64_t bytes);

  /* What the memory of a stage that was told, or of what is held, is made of, once per part and device. Those
   * of a stage on "cpu" add up to its peak_bytes, those of RH_MEMORY_HELD on "cpu" to what `held` said. May
   * be NULL: nobody asks. Since ABI 1.1.  [call-thread]
   *
   * Why parts and not a sum per device: a host needs the sums to place models, a person the part that a limit
   * breaks at. */
  void (*memory)(void* context, const rh_memory_part* part);
} rh_estimate_sink;

typedef struct rh_estimate {
  uint32_t struct_size;
  uint32_t reserved;

  /* What opening `source` and making `request` would cost. Reads configs and headers of weights, and may time
   * the engine's kernels for about a second; keeps nothing. source->memory_limit_bytes and the options of
   * both are heeded as by open_model and generate: a limit that cannot be met is RH_OUT_OF_MEMORY with the
   * figures. All arguments but source->sink are required.  [engine-thread] */
  rh_status (*image)(rh_engine* engine, const rh_model_source* source, const rh_image_request* request,
                     const rh_estimate_sink* sink, rh_error* error);
} rh_estimate;

#endif
