/* SPDX-License-Identifier: Apache-2.0
 * The one symbol that a plugin exports. */
#ifndef ROUNDHOUSE_ENTRY_H
#define ROUNDHOUSE_ENTRY_H

#include "roundhouse/host.h"

/* The host finds this data symbol with dlsym and checks struct_size and abi_version before it calls anything.
 */
#define RH_PLUGIN_ENTRY_SYMBOL "rh_plugin_entry"

typedef struct rh_plugin_entry_v1 {
  uint32_t struct_size;
  uint32_t abi_version; /* RH_ABI_VERSION that the plugin was compiled with */

  /* Called once after loading, before everything else. `host` stays valid until deinit has returned. On
   * failure the host calls nothing else, not even deinit, and reports the error.  [plugin-thread] */
  rh_status (*init)(const rh_host* host, rh_error* error);

  /* Called once after a successful init, when every engine is destroyed. The library is not unloaded
   * afterwards: the worker process ends.  [plugin-thread] */
  void (*deinit)(void); /* NOLINT(modernize-redundant-void-arg) */

  /* The factory with that id (RH_ENGINE_FACTORY_ID), or NULL when the plugin has none.  [plugin-thread] */
  const void* (*get_factory)(const char* id);
} rh_plugin_entry_v1;

/* A plugin defines:  RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = { sizeof rh_plugin_entry,
 * RH_ABI_VERSION, ... }; */

#endif
