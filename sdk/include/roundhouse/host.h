/* SPDX-License-Identifier: Apache-2.0
 * What a host offers to a plugin. */
#ifndef ROUNDHOUSE_HOST_H
#define ROUNDHOUSE_HOST_H

#include "roundhouse/base.h"

/* Owned by the host; valid from init until after deinit. */
typedef struct rh_host {
  uint32_t struct_size;
  uint32_t abi_version; /* RH_ABI_VERSION of the host */
  void* data;           /* the host's own; a plugin hands it back and never looks inside */
  const char* name;     /* "roundhouse" */
  const char* version;  /* "0.1.0" */

  /* Returns the host side of an extension (rh_host_log for "rh.log/1"), valid as long as the host, or NULL
   * when this host has none; a plugin then does without it.  [any-thread] */
  const void* (*get_extension)(const struct rh_host* host, const char* id);
} rh_host;

#endif
