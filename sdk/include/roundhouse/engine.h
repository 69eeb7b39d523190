/* SPDX-License-Identifier: Apache-2.0
 * Factory -> engine -> model: three nested lifetimes, each with a begin and an end.
 *
 *   get_factory ── descriptor(i)            static data, no weights, no threads
 *        └─ create_engine ── engine.destroy          threads, device, library state
 *              └─ open_model ── model.close          weights
 *                    └─ extension calls              work
 *
 * Everything opened is closed before its parent ends. Why three: they cost differently. Descriptors are read
 * at every `roundhouse engines`, an engine claims threads or a device, a model claims memory; each can be had
 * without paying for the next.
 *
 * Thread tags stand at every function. These name guarantees given by the host:
 *   [plugin-thread]  never two calls at once into this plugin
 *   [engine-thread]  never two calls at once for the same engine; different engines may run side by side
 *   [model-thread]   never more calls at once for the same model than it takes; different models may run side
 *                    by side. A model takes one call at a time, and all its calls come from one same thread,
 *                    unless it has rh.concurrency/1: then as many as that says, each on a thread of its own.
 *                    close is called while no other call of the model is under way
 *   [any-thread]     at any time, from any thread, between the enclosing begin and end
 * and this one a duty of the plugin, at the functions of a sink:
 *   [call-thread]    only from inside the call that the sink came with, on the thread of that call
 * At a sink's function [any-thread] means any thread, but no longer than that call. */
#ifndef ROUNDHOUSE_ENGINE_H
#define ROUNDHOUSE_ENGINE_H

#include "roundhouse/host.h"

#define RH_ENGINE_FACTORY_ID "rh.engine-factory/1"

/* An inclusive bound: the named quantity (width, height, steps, guidance, prompt-bytes) lies in [minimum,
 * maximum] and, where multiple_of is not 0, is a multiple of it. */
typedef struct rh_limit {
  uint32_t struct_size;
  uint32_t reserved;
  const char* name;
  double minimum;
  double maximum;
  double multiple_of;
} rh_limit;

/* A borrowed list, spaced as rh_facts is. */
typedef struct rh_limits {
  uint32_t struct_size;
  uint32_t count;
  /* May be NULL when count is 0. */
  const rh_limit* items;
} rh_limits;

enum { RH_MATURITY_STABLE = 1, RH_MATURITY_EXPERIMENTAL = 2, RH_MATURITY_TEACHING = 3 };

/* Static data of one engine; valid from get_factory until deinit. All strings are UTF-8 and not empty. */
typedef struct rh_engine_descriptor {
  uint32_t struct_size;
  /* RH_MATURITY_* */
  uint32_t maturity;
  /* [a-z0-9][a-z0-9._-]{0,62}, not "auto", unique among a machine's engines, as in the manifest. */
  const char* id;
  /* For people. */
  const char* name;
  const char* vendor;
  const char* version;
  /* One sentence. */
  const char* description;
  /* Pairs of group and value, such as {"task", "text-to-image"}. Groups in use: task (text-to-image,
   * text-generation, embedding: what rh.image/1, rh.text/1 and rh.embedding/1 do), architecture (the
   * _class_name of a model_index.json, or an entry of a config.json's architectures), architecture.<task>
   * (those of them that the engine runs for that task; all where the group is missing), weight-format, dtype,
   * feature, sampler, schedule, schedule.<sampler> (those that the sampler can follow), weights (what
   * the model option "weights" may say: "stored", "q8_0"), convert (the types that rh.convert/1 writes),
   * device. A host ignores groups that it does not know. Never NULL.
   *
   * Why data and not functions: the manifest says the same in JSON, so that a host lists engines, and refuses
   * what none can do, without loading anything; and a new group needs no new field. */
  const rh_facts* capabilities;
  /* May be NULL: no limits. */
  const rh_limits* limits;
  /* Automatic routing prefers the higher one among engines that can do the request. */
  int32_t score;
  uint32_t reserved;
} rh_engine_descriptor;

/* How an engine is started. Borrowed for the call. */
typedef struct rh_engine_config {
  uint32_t struct_size;
  /* The thread budget, at least 1; also told by rh.threads/1. */
  uint32_t threads;
  /* One of the descriptor's devices; never NULL. */
  const char* device;
  /* May be NULL: none. An unknown one is RH_UNKNOWN_OPTION. */
  const rh_options* options;
} rh_engine_config;

/* How the host follows and stops the opening of a model. Owned by the host, valid for the call. */
typedef struct rh_load_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* `fraction` in [0, 1], never falling. May be NULL: nobody is shown how far it is.  [call-thread] */
  void (*progress)(void* context, double fraction);

  /* Non-zero: stop and return RH_CANCELLED. May be NULL: the opening cannot be cancelled.  [any-thread] */
  int32_t (*cancelled)(void* context);
} rh_load_sink;

/* What model to open, and how. Borrowed for the call. */
typedef struct rh_model_source {
  uint32_t struct_size;
  uint32_t reserved;
  /* Absolute path of a model directory; NULL for an engine with the feature "modelless". */
  const char* directory;
  /* As the host read it, such as "ZImagePipeline"; NULL when directory is. */
  const char* architecture;
  /* What the model and its work may take together; 0 = no limit is known. Told here because an engine decides
   * while it opens what it keeps and what it streams; one that cannot meet it returns RH_OUT_OF_MEMORY. */
  uint64_t memory_limit_bytes;
  /* How to hold the weights. May be NULL: none. An unknown one is RH_UNKNOWN_OPTION. */
  const rh_options* options;
  /* May be NULL: nobody listens. */
  const rh_load_sink* sink;
} rh_model_source;

/* An open model. The plugin owns it from open_model until close.
 *
 * Why the functions are in the record: a plugin with two kinds of models gives each its own, and the host
 * needs no table of kinds. */
typedef struct rh_model {
  uint32_t struct_size;
  uint32_t reserved;
  /* The plugin's own. */
  void* data;

  /* Frees the model and all that was allocated for it. Never fails.  [model-thread] */
  void (*close)(struct rh_model* model);

  /* What this model is: "architecture", and one "dtype.<stage>" per stage ("dtype.encode" = "bf16 weights,
   * f32 products, f32 sums"). The list lives until close.  [any-thread] */
  const rh_facts* (*describe)(struct rh_model* model);

  /* The model side of an extension (rh_image for "rh.image/1"), valid until close, or NULL: the model cannot
   * do it and the host answers CAPABILITY_UNSUPPORTED.  [any-thread] */
  const void* (*get_extension)(struct rh_model* model, const char* id);
} rh_model;

/* An engine in use. The plugin owns it from create_engine until destroy. */
typedef struct rh_engine {
  uint32_t struct_size;
  uint32_t reserved;
  /* The plugin's own. */
  void* data;

  /* Ends the engine; all its models are closed before. Never fails.  [engine-thread] */
  void (*destroy)(struct rh_engine* engine);

  /* What is in use now: "device", "threads", "simd", and whatever else helps a person ("blas", "blas.core").
   * The list lives until destroy.  [any-thread] */
  const rh_facts* (*describe)(struct rh_engine* engine);

  /* Opens a model; on success *model is the plugin's until model->close.  [engine-thread] */
  rh_status (*open_model)(struct rh_engine* engine, const rh_model_source* source, rh_model** model,
                          rh_error* error);

  /* The engine side of an extension, valid until destroy, or NULL when it has none.  [any-thread] */
  const void* (*get_extension)(struct rh_engine* engine, const char* id);
} rh_engine;

/* What get_factory(RH_ENGINE_FACTORY_ID) returns; static, valid until deinit. */
typedef struct rh_engine_factory {
  uint32_t struct_size;
  uint32_t reserved;

  /* The number of engines in this plugin, at least 1.  [plugin-thread] */
  uint32_t (*count)(void); /* NOLINT(modernize-redundant-void-arg) */

  /* Descriptor of engine `index` < count(), or NULL beyond. Touches no weights, starts no thread.
   * [plugin-thread] */
  const rh_engine_descriptor* (*descriptor)(uint32_t index);

  /* Begins the engine with that id; on success *engine is the plugin's until engine->destroy.
   * [plugin-thread] */
  rh_status (*create_engine)(const char* id, const rh_engine_config* config, rh_engine** engine,
                             rh_error* error);
} rh_engine_factory;

#endif
