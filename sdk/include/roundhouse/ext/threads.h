/* SPDX-License-Identifier: Apache-2.0
 * rh.threads/1: a host side extension. The host sets the thread budget.
 *
 * Why: only the host knows what else runs on the machine. Ten engines that each take every core make all ten
 * slower than one after the other. */
#ifndef ROUNDHOUSE_EXT_THREADS_H
#define ROUNDHOUSE_EXT_THREADS_H

#include "roundhouse/host.h"

#define RH_THREADS_ID "rh.threads/1"

typedef struct rh_host_threads {
  uint32_t struct_size;
  uint32_t reserved;

  /* How many threads the plugin may keep busy at once, at least 1, the calling one included.  [any-thread] */
  uint32_t (*budget)(const rh_host* host);
} rh_host_threads;

#endif
