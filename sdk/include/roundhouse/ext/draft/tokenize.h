/* SPDX-License-Identifier: Apache-2.0
 * rh.tokenize/1 (draft): an engine side extension that shows what an engine makes of a text before anything
 * is computed: the ids of its tokens.
 *
 * Why the engine tokenizes: its reading of a model's tokenizer is what its results rest on. A second one in
 * the host could differ. */
#ifndef ROUNDHOUSE_EXT_DRAFT_TOKENIZE_H
#define ROUNDHOUSE_EXT_DRAFT_TOKENIZE_H

#include "roundhouse/engine.h"

#define RH_TOKENIZE_ID "rh.tokenize/1"

typedef struct rh_tokenize {
  uint32_t struct_size;
  uint32_t reserved;

  /* The ids of `bytes` bytes of UTF-8 at `text`, which may hold zeros, by the tokenizer of `directory`: a
   * model's, or one that holds a tokenizer alone. add_special other than 0: with the ids that the tokenizer
   * puts around every text. Writes the first `capacity` ids to `ids` and how many there are to `count`: where
   * that is more, the caller asks again. The engine may keep the tokenizer for the next call. WEIGHTS_MISSING
   * without tokenizer, MODEL_INVALID for one that is damaged or not supported, INVALID_ARGUMENT for text that
   * is not UTF-8.  [engine-thread] */
  rh_status (*encode)(rh_engine* engine, const char* directory, const char* text, uint64_t bytes,
                      uint32_t add_special, int32_t* ids, uint64_t capacity, uint64_t* count,
                      rh_error* error);
} rh_tokenize;

#endif
