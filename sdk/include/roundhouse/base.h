/* SPDX-License-Identifier: Apache-2.0
 * What every other header uses: the ABI version, the caller-owned error and small shared records.
 *
 * Growth: every struct crosses by pointer and begins with struct_size, set by its maker to sizeof the struct
 * it was compiled with. New fields are appended. A reader checks struct_size against the size of the first
 * release (the floor) and, before it reads a later field, against RH_HAS_FIELD. Structs have no implicit
 * padding. */
#ifndef ROUNDHOUSE_BASE_H
#define ROUNDHOUSE_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "roundhouse/status.h"

/* Major: raised when a released declaration changes meaning or layout. A host loads only its own major.
 * Minor: raised when something is appended. A host loads any minor and reads no field beyond struct_size. */
#define RH_ABI_MAJOR 1u
#define RH_ABI_MINOR 1u
#define RH_ABI_VERSION ((RH_ABI_MAJOR << 16) | RH_ABI_MINOR)

/* Whether the struct that p points to was compiled with the field. */
#define RH_HAS_FIELD(p, type, field) ((p)->struct_size >= offsetof(type, field) + sizeof(((type*)0)->field))

/* Begins the definition of a symbol that a plugin exports. */
#ifdef __cplusplus
#define RH_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define RH_EXPORT __attribute__((visibility("default")))
#endif

/* Owned by the caller of a function that can fail; struct_size is set by the caller. The callee writes code
 * and message (UTF-8, NUL-terminated, cut at a character if too long, lower case, naming the thing, the value
 * and the expectation). Untouched on success. A callee that returns an error without a message is reported as
 * such. */
typedef struct rh_error {
  uint32_t struct_size;
  rh_status code;
  char message[1016];
} rh_error;

/* One named text, such as {"simd", "AVX3"}. Both strings are UTF-8; the enclosing declaration says how long
 * they live. */
typedef struct rh_fact {
  uint32_t struct_size;
  uint32_t reserved;
  const char* key;
  const char* value;
} rh_fact;

/* A borrowed list. Records lie items[0].struct_size bytes apart, so that a list made by a newer side can be
 * walked. */
typedef struct rh_facts {
  uint32_t struct_size;
  uint32_t count;
  const rh_fact* items; /* may be NULL when count is 0 */
} rh_facts;

#define RH_FACT(key, value) \
  { sizeof(rh_fact), 0, key, value }

/* Type of an engine option. */
enum { RH_OPTION_STRING = 1, RH_OPTION_INTEGER = 2, RH_OPTION_NUMBER = 3, RH_OPTION_BOOLEAN = 4 };

/* A named, typed engine option. Only the member that `type` names is read (RH_OPTION_BOOLEAN: integer, 0 or
 * 1). An engine answers RH_UNKNOWN_OPTION for a name that it does not know; an option is never dropped. */
typedef struct rh_option {
  uint32_t struct_size;
  uint32_t type;
  const char* name;
  const char* string;
  int64_t integer;
  double number;
} rh_option;

/* A borrowed list, spaced as rh_facts is. */
typedef struct rh_options {
  uint32_t struct_size;
  uint32_t count;
  const rh_option* items; /* may be NULL when count is 0 */
} rh_options;

#endif
