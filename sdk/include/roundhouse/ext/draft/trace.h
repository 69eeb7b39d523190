/* SPDX-License-Identifier: Apache-2.0
 * rh.trace/1 (draft): an engine side extension that makes an image and shows what every stage of it computed.
 *
 * Why: that an image looks right proves little, and that it looks wrong says nothing of where. Beside what
 * another implementation computed at the same places, the first stage that differs is the one at fault. */
#ifndef ROUNDHOUSE_EXT_DRAFT_TRACE_H
#define ROUNDHOUSE_EXT_DRAFT_TRACE_H

#include "roundhouse/ext/image.h"

#define RH_TRACE_ID "rh.trace/1"

/* rh_tensor.type */
#define RH_TENSOR_F32 1u
#define RH_TENSOR_I32 2u

#define RH_TENSOR_AXES 4

/* What a stage computed. Borrowed for the call of `tensor`. */
typedef struct rh_tensor {
  uint32_t struct_size;
  /* RH_TENSOR_* */
  uint32_t type;
  /* Of small letters, digits, '_' and '.', at most 64; once in a run. Those of latent diffusion are
   * tokens.ids, encode.embedding, encode.layer0, encode.output, denoise.noise, and of step N (0, 1, ...)
   * denoise.stepN.time, .output and .latents, decode.image; with guidance also tokens.negative_ids,
   * encode.negative_output, denoise.stepN.negative_output. */
  const char* name;
  /* 1 to RH_TENSOR_AXES */
  uint32_t rank;
  uint32_t reserved;
  /* Of the first `rank` axes, the slowest first; none is 0. */
  uint64_t shape[RH_TENSOR_AXES];
  /* Values without gaps, the last axis fastest. */
  const void* data;
} rh_tensor;

/* Where tensors go. Owned by the host, valid for the call; no function is NULL. */
typedef struct rh_trace_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Once per tensor, in the order of the computation.  [call-thread] */
  void (*tensor)(void* context, const rh_tensor* tensor);

  /* As rh_image_sink.cancelled.  [any-thread] */
  int32_t (*cancelled)(void* context);
} rh_trace_sink;

typedef struct rh_trace {
  uint32_t struct_size;
  uint32_t reserved;

  /* Opens `source`, makes the image of `request` as generate would, shows every stage, and closes the model.
   * Showing changes no bit. All arguments but source->sink are required.  [engine-thread] */
  rh_status (*image)(rh_engine* engine, const rh_model_source* source, const rh_image_request* request,
                     const rh_trace_sink* sink, rh_error* error);
} rh_trace;

#endif
