/* SPDX-License-Identifier: Apache-2.0
 * For plugins in C: what each of them would write again. plugin.hpp is its counterpart in C++.
 *
 * Not part of the ABI: all of it is compiled into the plugin, nothing of it crosses, and a plugin may do
 * without. The messages are those of the C++ glue. */
#ifndef ROUNDHOUSE_PLUGIN_H
#define ROUNDHOUSE_PLUGIN_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "roundhouse/roundhouse.h"

/* C has no nullptr. NOLINTBEGIN(modernize-use-nullptr,modernize-redundant-void-arg) */

/* ---- static lists ---- */

#define RH_LIMIT(name, minimum, maximum, multiple_of) \
  { sizeof(rh_limit), 0, name, minimum, maximum, multiple_of }

/* Initialises an rh_facts, rh_limits or rh_options, which are laid out alike, to borrow all of an array. */
#define RH_LIST(array) \
  { sizeof(rh_facts), (uint32_t)(sizeof(array) / sizeof((array)[0])), array }

/* ---- failing ---- */

/* How much of a text of `length` bytes is left when a character that was cut at its end is taken away. */
static inline size_t rh_whole_characters(const char* text, size_t length) {
  size_t lead = length;
  while (lead > 0 && length - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0u) == 0x80u)
    --lead;
  if (lead == 0) return length;
  const unsigned char first = (unsigned char)text[lead - 1];
  const size_t needed = first >= 0xF0u ? 4 : first >= 0xE0u ? 3 : first >= 0xC0u ? 2 : 1;
  return length - (lead - 1) < needed ? lead - 1 : length;
}

/* Writes code and message, as printf does, and returns the code: `return rh_fail(error, RH_..., "...")`. */
__attribute__((format(printf, 3, 4))) static inline rh_status rh_fail(rh_error* error, rh_status code,
                                                                      const char* format, ...) {
  va_list values;
  va_start(values, format);
  const int length = vsnprintf(error->message, sizeof error->message, format, values);
  va_end(values);
  const size_t room = sizeof error->message - 1;
  if (length > 0 && (size_t)length > room) error->message[rh_whole_characters(error->message, room)] = '\0';
  return error->code = code;
}

/* ---- options ---- */

/* Option `index` of the list, whose records may be longer than this header knows. */
static inline const rh_option* rh_option_at(const rh_options* options, uint32_t index) {
  return (const rh_option*)((const char*)options->items + (size_t)options->items->struct_size * index);
}

/* RH_UNKNOWN_OPTION for the first option whose name is not among `known`, which ends with NULL (and may be
 * NULL: none is known); `reader` names the engine in the message. `options` may be NULL. Call it before the
 * work begins, in create_engine, open_model and every request. */
static inline rh_status rh_check_options(const rh_options* options, const char* const* known,
                                         const char* reader, rh_error* error) {
  for (uint32_t i = 0; options != NULL && i < options->count; ++i) {
    const char* name = rh_option_at(options, i)->name;
    const char* const* match = known;
    while (match != NULL && *match != NULL && strcmp(*match, name) != 0)
      ++match;
    if (match != NULL && *match != NULL) continue;
    return rh_fail(error, RH_UNKNOWN_OPTION, "option '%s' is not known to engine '%s'", name, reader);
  }
  return RH_OK;
}

/* The option of that name, the last one when there are several; NULL when it was not given. Look at its type
 * before its value. `options` may be NULL. */
static inline const rh_option* rh_find_option(const rh_options* options, const char* name) {
  for (uint32_t i = options == NULL ? 0 : options->count; i > 0; --i) {
    if (strcmp(rh_option_at(options, i - 1)->name, name) == 0) return rh_option_at(options, i - 1);
  }
  return NULL;
}

/* ---- one image ---- */

/* What generate was given, and when it last reported. Lives on the stack of generate. */
typedef struct rh_image_run {
  const rh_image_request* request;
  const rh_image_sink* sink;
  rh_error* error;
  uint64_t reported_ns;
  uint64_t stage_began_ns;
  uint64_t preview_ns;
} rh_image_run;

/* Nanoseconds since some moment. */
static inline uint64_t rh_now_ns(void) {
  struct timespec now;
#ifdef CLOCK_MONOTONIC
  clock_gettime(CLOCK_MONOTONIC, &now);
#else /* ISO C without POSIX: the time of day, which may be set while it is measured */
  timespec_get(&now, TIME_UTC);
#endif
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Begins the clock of the steps and stages to come. Borrows all three, as generate does. */
static inline rh_image_run rh_begin_image(const rh_image_request* request, const rh_image_sink* sink,
                                          rh_error* error) {
  const uint64_t now = rh_now_ns();
  const rh_image_run run = {request, sink, error, now, now, 0};
  return run;
}

/* Tells that unit `step` of `steps` (1-based) of a stage is done, and asks whether to go on: RH_CANCELLED
 * when not. Between two of them ask sink->cancelled, once per transformer block. */
static inline rh_status rh_step_done(rh_image_run* run, uint32_t stage, uint32_t step, uint32_t steps) {
  static const char* const names[] = {"load", "encode", "denoise", "decode"};
  const uint64_t now = rh_now_ns();
  const rh_progress done = {sizeof done, stage, step, steps, now - run->reported_ns};
  run->reported_ns = now;
  const int32_t stop = run->sink->progress(run->sink->context, &done);
  if (stop == 0 && run->sink->cancelled(run->sink->context) == 0) return RH_OK;
  return rh_fail(run->error, RH_CANCELLED, "cancelled during %s, step %u of %u",
                 stage < 4 ? names[stage] : "work", step, steps);
}

/* Tells that a stage has ended. */
static inline void rh_stage_done(rh_image_run* run, uint32_t stage) {
  const uint64_t now = rh_now_ns();
  const rh_stage_report report = {
      sizeof report, stage, now - run->stage_began_ns, 0, 0, run->preview_ns, 0, 0};
  run->stage_began_ns = now;
  run->preview_ns = 0;
  run->sink->stage(run->sink->context, &report);
}

/* width * height * 3 values, interleaved, rows from the top, nominally 0 to 1. */
static inline rh_pixels rh_rgb(uint32_t width, uint32_t height, const float* rgb) {
  const uint64_t row_bytes = (uint64_t)width * 3 * sizeof(float);
  const rh_pixels pixels = {sizeof pixels, RH_PIXELS_RGB_F32,  width, height,
                            row_bytes,     row_bytes * height, rgb};
  return pixels;
}

/* Whether to make a preview after that denoising step, the progress of which was told. An older host never
 * wants one. */
static inline int rh_wants_preview(const rh_image_run* run, uint32_t step) {
  return run->sink->preview != NULL && RH_HAS_FIELD(run->request, rh_image_request, preview_every) &&
         run->request->preview_every != 0 && step % run->request->preview_every == 0 &&
         step < run->request->steps;
}

/* Shows a preview of values as rh_rgb takes them; no side longer than the image's. After rh_wants_preview. */
static inline void rh_show_preview(rh_image_run* run, uint32_t width, uint32_t height, const float* rgb) {
  const uint64_t begin = rh_now_ns();
  const rh_pixels pixels = rh_rgb(width, height, rgb);
  run->sink->preview(run->sink->context, &pixels);
  run->preview_ns += rh_now_ns() - begin;
}

/* Hands over the image, once, of values as rh_rgb takes them. Return what it returns. */
static inline rh_status rh_deliver_image(rh_image_run* run, const float* rgb) {
  const rh_pixels pixels = rh_rgb(run->request->width, run->request->height, rgb);
  return run->sink->image(run->sink->context, &pixels, run->error);
}

/* ---- a plugin with one engine ---- */

/* For an engine without extensions of the engine side. */
static inline const void* rh_no_engine_extension(rh_engine* engine, const char* id) {
  (void)engine;
  (void)id;
  return NULL;
}

/* RH_ENGINE_NOT_FOUND for another id than the descriptor's, RH_UNSUPPORTED_DEVICE for a device that it does
 * not list. */
static inline rh_status rh_check_engine(const rh_engine_descriptor* engine, const char* id,
                                        const char* device, rh_error* error) {
  if (strcmp(id, engine->id) != 0) {
    return rh_fail(error, RH_ENGINE_NOT_FOUND, "engine '%s' is not in this plugin", id);
  }
  for (uint32_t i = 0; i < engine->capabilities->count; ++i) {
    const rh_fact* fact = &engine->capabilities->items[i];
    if (strcmp(fact->key, "device") == 0 && strcmp(fact->value, device) == 0) return RH_OK;
  }
  return rh_fail(error, RH_UNSUPPORTED_DEVICE, "device '%s' is not one of engine '%s'", device, id);
}

/* Defines rh_plugin_entry, and what leads from it to the one engine of a plugin. `engine_descriptor` is a
 * static rh_engine_descriptor; `begin` makes an engine of it and is called with its id and one of its devices
 * only:
 *
 *   rh_status begin(const rh_host* host, const rh_engine_config* config, rh_engine** engine, rh_error*
 * error);
 *
 * `host` may be kept until the engine is destroyed. */
#define RH_PLUGIN_OF_ONE_ENGINE(engine_descriptor, begin)                                               \
  static const rh_host* rh_plugin_host;                                                                 \
  static rh_status rh_plugin_init(const rh_host* host, rh_error* error) {                               \
    (void)error;                                                                                        \
    rh_plugin_host = host;                                                                              \
    return RH_OK;                                                                                       \
  }                                                                                                     \
  static void rh_plugin_deinit(void) {                                                                  \
    rh_plugin_host = NULL;                                                                              \
  }                                                                                                     \
  static uint32_t rh_plugin_count(void) {                                                               \
    return 1;                                                                                           \
  }                                                                                                     \
  static const rh_engine_descriptor* rh_plugin_descriptor(uint32_t index) {                             \
    return index == 0 ? &(engine_descriptor) : NULL;                                                    \
  }                                                                                                     \
  static rh_status rh_plugin_create(const char* id, const rh_engine_config* config, rh_engine** engine, \
                                    rh_error* error) {                                                  \
    const rh_status status = rh_check_engine(&(engine_descriptor), id, config->device, error);          \
    return status == RH_OK ? begin(rh_plugin_host, config, engine, error) : status;                     \
  }                                                                                                     \
  static const void* rh_plugin_factory(const char* id) {                                                \
    static const rh_engine_factory factory = {sizeof factory, 0, rh_plugin_count, rh_plugin_descriptor, \
                                              rh_plugin_create};                                        \
    return strcmp(id, RH_ENGINE_FACTORY_ID) == 0 ? &factory : NULL;                                     \
  }                                                                                                     \
  RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = {sizeof rh_plugin_entry, RH_ABI_VERSION,         \
                                                        rh_plugin_init, rh_plugin_deinit, rh_plugin_factory}

/* NOLINTEND(modernize-use-nullptr,modernize-redundant-void-arg) */

#endif
