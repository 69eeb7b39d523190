/* SPDX-License-Identifier: Apache-2.0
 * rh.log/1: a host side extension. A plugin never prints; it logs here.
 *
 * Why: standard output is the user's (a pipe may be reading JSON there), and a line says more to the person
 * who looks for it later when the host has put time, engine and request beside it. */
#ifndef ROUNDHOUSE_EXT_LOG_H
#define ROUNDHOUSE_EXT_LOG_H

#include "roundhouse/host.h"

#define RH_LOG_ID "rh.log/1"

enum { RH_LOG_DEBUG = 1, RH_LOG_INFO = 2, RH_LOG_WARNING = 3, RH_LOG_ERROR = 4 };

typedef struct rh_host_log {
  uint32_t struct_size;
  uint32_t reserved;

  /* `level` is RH_LOG_*; `category` is "pipeline", "weights", "io" or the plugin's own; both strings are
   * copied. Never a prompt, nor a text made from one.  [any-thread] */
  void (*write)(const rh_host* host, uint32_t level, const char* category, const char* message);
} rh_host_log;

#endif
