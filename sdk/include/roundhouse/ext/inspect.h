/* SPDX-License-Identifier: Apache-2.0
 * rh.inspect/1: an engine side extension (rh_engine.get_extension) that says what is wrong with a model
 * directory before anything of it is loaded.
 *
 * Why the engine looks: it alone knows which files, configurations and tensors it reads, and so which damage
 * matters. A host that takes models in asks it first, so that what was taken in can be used, and what cannot
 * be used is refused in the words that the user would have read later. */
#ifndef ROUNDHOUSE_EXT_INSPECT_H
#define ROUNDHOUSE_EXT_INSPECT_H

#include "roundhouse/engine.h"

#define RH_INSPECT_ID "rh.inspect/1"

/* One thing that is wrong. Borrowed for the call; strings UTF-8. */
typedef struct rh_problem {
  uint32_t struct_size;
  /* As open_model would return it. */
  rh_status code;
  /* Where it is: a path in the model directory, with '/'; NULL where it is in no single file. */
  const char* file;
  /* As the message of open_model's error would be. */
  const char* message;
} rh_problem;

/* Where problems go. Owned by the host, valid for the call; no function is NULL. */
typedef struct rh_inspect_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Once per problem, at most 1000; the one that open_model would fail with comes first.  [call-thread] */
  void (*problem)(void* context, const rh_problem* problem);

  /* Non-zero: return RH_CANCELLED soon. Asked at least once per component.  [any-thread] */
  int32_t (*cancelled)(void* context);
} rh_inspect_sink;

typedef struct rh_inspect {
  uint32_t struct_size;
  uint32_t reserved;

  /* Looks at `source` as open_model would: configurations, tokenizers, headers of weights, and whether they
   * fit each other; values of weights only where they are small and needed for that. Keeps nothing and writes
   * nothing. RH_OK when it was all looked at, whatever was found; a model without a problem is one that
   * open_model opens, memory and the values of weights excepted. source->options are heeded as by open_model,
   * its memory limit is not. All arguments but source->sink are required.  [engine-thread] */
  rh_status (*model)(rh_engine* engine, const rh_model_source* source, const rh_inspect_sink* sink,
                     rh_error* error);
} rh_inspect;

#endif
