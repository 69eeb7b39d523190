/* SPDX-License-Identifier: Apache-2.0
 * What every other header uses: the ABI version, the caller-owned error and small shared records.
 *
 * Growth: every struct crosses by pointer and begins with struct_size, set by its maker to sizeof the struct
 * it was compiled with. New fields are appended. A reader checks struct_size against the size of the first
 * release (the floor) and, before it reads a later field, against RH_HAS_FIELD. Structs have no implicit
 * padding.
 *
 * Why a size in every struct and not a version for all of them: the two sides are compiled years apart, and a
 * size says what is there without a table of which version had which field. A reader of any age needs one
 * comparison, and a struct that nobody changed stays what it was.
 *
 * Memory: nothing that one side allocated is freed by the other, because the two may not share an allocator.
 * Texts and lists that cross are borrowed: readable until the call returns, unless the declaration says more.
 */
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

/* Why a call failed. Owned by the caller of the function, who sets struct_size; the callee writes code and
 * message, and nothing on success.
 *
 * Why the caller owns it: a failure is most likely told when memory has run out, so that telling it must not
 * allocate; nobody has to free it; and two threads that fail at once cannot take each other's words, as they
 * could with a "last error" of the library. */
typedef struct rh_error {
  uint32_t struct_size;
  rh_status code;
  /* UTF-8 with a NUL at its end, cut at a character when it is too long; lower case, naming the thing, the
   * value and the expectation. An empty one is reported as a missing message. */
  char message[1016];
} rh_error;

/* One named text, such as {"simd", "AVX-512"}. Both are UTF-8; the enclosing declaration says how long they
 * live. */
typedef struct rh_fact {
  uint32_t struct_size;
  uint32_t reserved;
  const char* key;
  const char* value;
} rh_fact;

/* A borrowed list. Records lie items[0].struct_size bytes apart, so that a reader of any age can walk a list
 * whose records have grown. */
typedef struct rh_facts {
  uint32_t struct_size;
  uint32_t count;
  /* May be NULL when count is 0. */
  const rh_fact* items;
} rh_facts;

#define RH_FACT(key, value) \
  { sizeof(rh_fact), 0, key, value }

/* Type of an engine option. */
enum { RH_OPTION_STRING = 1, RH_OPTION_INTEGER = 2, RH_OPTION_NUMBER = 3, RH_OPTION_BOOLEAN = 4 };

/* A named, typed engine option. An engine answers RH_UNKNOWN_OPTION for a name that it does not know; an
 * option is never dropped, because a user would believe in what it does not do.
 *
 * Why named: every engine has knobs that no other has, and a field for each would put them all into this
 * header. Why typed: so that the host refuses "lots" for a number before an engine starts, and every engine
 * reads 1e3 the same way. What most engines understand becomes a field of a request instead. */
typedef struct rh_option {
  uint32_t struct_size;
  /* RH_OPTION_*: which of the members below is read. */
  uint32_t type;
  const char* name;
  const char* string;
  /* Also for RH_OPTION_BOOLEAN: 0 or 1. */
  int64_t integer;
  double number;
} rh_option;

/* A borrowed list, spaced as rh_facts is. When a name is there twice, the last one counts. */
typedef struct rh_options {
  uint32_t struct_size;
  uint32_t count;
  /* May be NULL when count is 0. */
  const rh_option* items;
} rh_options;

#endif
