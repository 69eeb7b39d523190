/* SPDX-License-Identifier: Apache-2.0
 * rh.embedding/1: texts to vectors. A model side extension (rh_model.get_extension).
 *
 * Why several texts a call: encoders are small, and texts of one request are best read together. The vector
 * of a text is the same alone and beside others. */
#ifndef ROUNDHOUSE_EXT_EMBEDDING_H
#define ROUNDHOUSE_EXT_EMBEDDING_H

#include "roundhouse/ext/text.h"

#define RH_EMBEDDING_ID "rh.embedding/1"

/* Borrowed for the call. */
typedef struct rh_embedding_request {
  uint32_t struct_size;
  /* At least 1. */
  uint32_t count;
  const rh_text_view* texts;
  /* The first so many numbers of each vector, normalised again; 0 = all. */
  uint32_t dimensions;
  /* A text beyond the window: 0 = INVALID_ARGUMENT, else its end is left out. */
  uint32_t truncate;
  /* 0 = as the model computes them; else of length 1, which most models have anyway. */
  uint32_t normalise;
  uint32_t reserved;
  /* May be NULL: none. An unknown one is RH_UNKNOWN_OPTION. */
  const rh_options* options;
} rh_embedding_request;

/* One text's. */
typedef struct rh_vector {
  uint32_t struct_size;
  /* Of the text in the request. */
  uint32_t index;
  /* Numbers in `values`, none of them NaN or infinite. */
  uint32_t width;
  /* Of the text, with those that the tokenizer adds, as far as they were read. */
  uint32_t tokens;
  const float* values;
} rh_vector;

/* Owned by the host, valid for the call. */
typedef struct rh_embedding_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Non-zero: return RH_CANCELLED soon. Asked at least once a text.  [any-thread] */
  int32_t (*cancelled)(void* context);

  /* Exactly once for each text, in their order.  [call-thread] */
  rh_status (*vector)(void* context, const rh_vector* vector, rh_error* error);
} rh_embedding_sink;

typedef struct rh_embedding {
  uint32_t struct_size;
  uint32_t reserved;

  /* [model-thread] */
  rh_status (*embed)(rh_model* model, const rh_embedding_request* request, const rh_embedding_sink* sink,
                     rh_error* error);
} rh_embedding;

#endif
