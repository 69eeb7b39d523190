/* SPDX-License-Identifier: Apache-2.0
 * What a host offers to a plugin.
 *
 * Why a record and not symbols of the host: a plugin links to nothing, so that anything can host it: the
 * program, the conformance checker, a test of twenty lines. */
#ifndef ROUNDHOUSE_HOST_H
#define ROUNDHOUSE_HOST_H

#include "roundhouse/base.h"

/* Owned by the host; valid from init until after deinit. */
typedef struct rh_host {
  uint32_t struct_size;
  /* RH_ABI_VERSION of the host. */
  uint32_t abi_version;
  /* The host's own; a plugin hands the record back and never looks inside. */
  void* data;
  /* "roundhouse" */
  const char* name;
  /* "0.1.0" */
  const char* version;

  /* Returns the host side of an extension (rh_host_log for "rh.log/1"), valid as long as the host, or NULL
   * when this host has none; a plugin then does without it.  [any-thread] */
  const void* (*get_extension)(const struct rh_host* host, const char* id);
} rh_host;

#endif
