/* SPDX-License-Identifier: Apache-2.0
 * rh.convert/1: an engine side extension (rh_engine.get_extension) that writes a model's weights in another
 * type or file format.
 *
 * Why the engine converts: it will read the result, so it alone knows which types it multiplies, which
 * tensors suffer, and what it can read back. The host owns the directory and what becomes of it. */
#ifndef ROUNDHOUSE_EXT_CONVERT_H
#define ROUNDHOUSE_EXT_CONVERT_H

#include "roundhouse/engine.h"

#define RH_CONVERT_ID "rh.convert/1"

/* One conversion. Borrowed for the call; all strings UTF-8, both paths absolute. */
typedef struct rh_convert_request {
  uint32_t struct_size;
  uint32_t reserved;
  /* A model directory of any format that the engine reads; only read. */
  const char* source;
  /* An empty directory that the host has made; nothing is written outside of it. */
  const char* target;
  /* One of the descriptor's group "convert": "f32", "bf16", "f16", "q8_0", "q4_0", "q4_k", "q6_k". The type
   * of the large matrices: what would suffer keeps a finer one, as the engine documents. */
  const char* type;
  /* Of the weight files: "safetensors" or "gguf"; NULL = safetensors for floating-point types, gguf for
   * quantised ones. */
  const char* format;
  /* May be NULL: none. An unknown one is RH_UNKNOWN_OPTION. */
  const rh_options* options;
} rh_convert_request;

/* How far the conversion is. Never falls; the last one has done_bytes == total_bytes. */
typedef struct rh_convert_progress {
  uint32_t struct_size;
  uint32_t reserved;
  /* At work: its path in the target, with '/'. */
  const char* file;
  /* At work; NULL while a file is copied as it is. */
  const char* tensor;
  /* Both of the target, all files together. */
  uint64_t done_bytes;
  uint64_t total_bytes;
} rh_convert_progress;

/* One tensor of the target, sent when it is written. */
typedef struct rh_convert_tensor {
  uint32_t struct_size;
  /* At most 8. */
  uint32_t rank;
  /* Its path in the target, with '/'. */
  const char* file;
  /* As that file has it. */
  const char* name;
  /* The types in the source and in the target: "bf16". */
  const char* from;
  const char* to;
  /* `rank` sizes, the outermost first; NULL when rank is 0. */
  const uint64_t* shape;
  /* In the target. */
  uint64_t size_bytes;
  /* The product of the shape. */
  uint64_t elements;
  /* The sums of the squares of the source's elements, and of target - source. Sums, because they add up: the
   * relative error of any set of tensors is sqrt(sum of squares_of_errors / sum of squares). */
  double squares;
  double squares_of_errors;
} rh_convert_tensor;

/* Where reports go. Owned by the host, valid for the call; no function is NULL. */
typedef struct rh_convert_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* At least once per tensor.  [call-thread] */
  void (*progress)(void* context, const rh_convert_progress* progress);

  /* Once per tensor of the target.  [call-thread] */
  void (*tensor)(void* context, const rh_convert_tensor* tensor);

  /* Non-zero: return RH_CANCELLED soon. Asked at least once per 64 MiB that are read.  [any-thread] */
  int32_t (*cancelled)(void* context);
} rh_convert_sink;

typedef struct rh_convert {
  uint32_t struct_size;
  uint32_t reserved;

  /* Writes the converted model: a directory that this engine reads, with every file that the source has and
   * the conversion does not replace. The same source and request give the same bytes, on any machine and with
   * any thread budget: a model's digest means nothing otherwise. What was written when it fails is the host's
   * to remove. Beside the codes of reading a model: RH_CAPABILITY_UNSUPPORTED for a type or a pair of type
   * and format that the engine does not write, RH_CONVERSION_FAILED naming the tensor that cannot be
   * converted, RH_INSUFFICIENT_STORAGE before the first byte where the size can be known. All arguments are
   * required. [engine-thread] */
  rh_status (*run)(rh_engine* engine, const rh_convert_request* request, const rh_convert_sink* sink,
                   rh_error* error);
} rh_convert;

#endif
