/* SPDX-License-Identifier: Apache-2.0
 * The one symbol that a plugin exports, as
 *
 *   RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = {sizeof rh_plugin_entry, RH_ABI_VERSION, ...};
 *
 * Why data and not a function: the host reads size and version before it runs any code of the plugin, so that
 * a plugin of another ABI is refused with words instead of a crash.
 * Why one symbol: everything else is reached through it, so that two plugins in a process, or two copies of
 * one library in two plugins, never take each other's functions. */
#ifndef ROUNDHOUSE_ENTRY_H
#define ROUNDHOUSE_ENTRY_H

#include "roundhouse/host.h"

/* The host finds this data symbol with dlsym and checks struct_size and abi_version before it calls anything.
 * The name stays when the major version changes: the host has to find the plugin that it refuses. */
#define RH_PLUGIN_ENTRY_SYMBOL "rh_plugin_entry"

typedef struct rh_plugin_entry_v1 {
  uint32_t struct_size;
  /* RH_ABI_VERSION that the plugin was compiled with. */
  uint32_t abi_version;

  /* Called once after loading, before everything else. `host` stays valid until deinit has returned. On
   * failure the host calls nothing else, not even deinit, and reports the error. What a plugin needs to set
   * up is set up here and not while it is loaded: loading cannot fail with a reason.  [plugin-thread] */
  rh_status (*init)(const rh_host* host, rh_error* error);

  /* Called once after a successful init, when every engine is destroyed.  [plugin-thread]
   *
   * The library is never unloaded (no dlclose): threads, exit handlers and thread-local objects of the
   * libraries that a plugin brings along may still point into it. The worker process ends instead, which also
   * gives back all memory. */
  void (*deinit)(void); /* NOLINT(modernize-redundant-void-arg) */

  /* The factory with that id (RH_ENGINE_FACTORY_ID), or NULL when the plugin has none: other kinds of
   * factories may come without another symbol. Static, valid until deinit.  [plugin-thread] */
  const void* (*get_factory)(const char* id);
} rh_plugin_entry_v1;

#endif
