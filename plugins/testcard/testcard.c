/* SPDX-License-Identifier: Apache-2.0
 * The teaching plugin: a complete engine in plain C. Copy this folder and put your own work in generate(). */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "card.h"
#include "roundhouse/roundhouse.h"

__attribute__((format(printf, 3, 4))) static rh_status fail(rh_error* error, rh_status code,
                                                            const char* format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(error->message, sizeof error->message, format, values);
  va_end(values);
  return error->code = code;
}

/* This engine takes no options; one that does looks for its names here first. */
static rh_status refuse_options(const rh_options* options, rh_error* error) {
  if (options == NULL || options->count == 0) return RH_OK;
  return fail(error, RH_UNKNOWN_OPTION, "option '%s' is not known to engine 'testcard'",
              options->items[0].name);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the work: one picture, drawn in as many bands as there are steps ---- */

static rh_pixels pixels_of(const rh_image_request* request, const float* rgb) {
  const uint64_t row_bytes = (uint64_t)request->width * 3 * sizeof(float);
  const rh_pixels pixels = {sizeof pixels,
                            RH_PIXELS_RGB_F32,
                            request->width,
                            request->height,
                            row_bytes,
                            row_bytes * request->height,
                            rgb};
  return pixels;
}

/* An older host has no preview_every. */
static int wants_preview(const rh_image_request* request, const rh_image_sink* sink, uint32_t step) {
  return sink->preview != NULL && RH_HAS_FIELD(request, rh_image_request, preview_every) &&
         request->preview_every != 0 && step % request->preview_every == 0 && step < request->steps;
}

static rh_status generate(rh_model* model, const rh_image_request* request, const rh_image_sink* sink,
                          rh_error* error) {
  (void)model;
  rh_status status = refuse_options(request->options, error);
  if (status != RH_OK) return status;
  const size_t size_bytes = (size_t)request->width * 3 * sizeof(float) * request->height;
  const uint64_t begin = now_ns();
  float* rgb = calloc(1, size_bytes); /* previews show what is not drawn yet */
  if (rgb == NULL) return fail(error, RH_OUT_OF_MEMORY, "no memory for the picture");
  uint32_t y = 0;
  for (uint32_t step = 1; status == RH_OK && step <= request->steps; ++step) {
    const uint64_t step_begin = now_ns();
    for (; y < (uint64_t)request->height * step / request->steps; ++y) {
      card_row(request->width, request->height, request->seed, y, rgb + (size_t)request->width * 3 * y);
    }
    const rh_progress done = {sizeof done, RH_STAGE_DENOISE, step, request->steps, now_ns() - step_begin};
    if (sink->progress(sink->context, &done) || sink->cancelled(sink->context)) {
      status = fail(error, RH_CANCELLED, "cancelled during denoise, step %u of %u", step, request->steps);
    } else if (wants_preview(request, sink, step)) {
      const rh_pixels preview = pixels_of(request, rgb);
      sink->preview(sink->context, &preview);
    }
  }
  if (status == RH_OK) {
    const rh_stage_report report = {sizeof report, RH_STAGE_DENOISE, now_ns() - begin, 0, 0, 0};
    sink->stage(sink->context, &report);
    const rh_pixels picture = pixels_of(request, rgb);
    status = sink->image(sink->context, &picture, error);
  }
  free(rgb);
  return status;
}

/* ---- a model: nothing to open, because the card needs no weights ---- */

static void close_model(rh_model* model) {
  free(model);
}

static const rh_facts* describe_model(rh_model* model) {
  (void)model;
  static const rh_fact items[] = {RH_FACT("architecture", "testcard"), RH_FACT("dtype.denoise", "f32")};
  static const rh_facts facts = {sizeof facts, 2, items};
  return &facts;
}

static const void* model_extension(rh_model* model, const char* id) {
  (void)model;
  static const rh_image image = {sizeof image, 0, generate};
  return strcmp(id, RH_IMAGE_ID) == 0 ? &image : NULL;
}

static rh_status open_model(rh_engine* engine, const rh_model_source* source, rh_model** model,
                            rh_error* error) {
  (void)engine;
  const rh_status status = refuse_options(source->options, error);
  if (status != RH_OK) return status;
  *model = malloc(sizeof **model);
  if (*model == NULL) return fail(error, RH_OUT_OF_MEMORY, "no memory for a model");
  **model = (rh_model){sizeof **model, 0, NULL, close_model, describe_model, model_extension};
  return RH_OK;
}

/* ---- the engine ---- */

static void destroy_engine(rh_engine* engine) {
  free(engine);
}

static const rh_facts* describe_engine(rh_engine* engine) {
  (void)engine;
  static const rh_fact items[] = {RH_FACT("device", "cpu"), RH_FACT("threads", "1")};
  static const rh_facts facts = {sizeof facts, 2, items};
  return &facts;
}

static const void* engine_extension(rh_engine* engine, const char* id) {
  (void)engine;
  (void)id;
  return NULL;
}

static rh_status create_engine(const char* id, const rh_engine_config* config, rh_engine** engine,
                               rh_error* error) {
  if (strcmp(id, "testcard") != 0) return fail(error, RH_ENGINE_NOT_FOUND, "engine '%s' is not here", id);
  if (strcmp(config->device, "cpu") != 0) {
    return fail(error, RH_UNSUPPORTED_DEVICE, "device '%s' is not available, expected cpu", config->device);
  }
  const rh_status status = refuse_options(config->options, error);
  if (status != RH_OK) return status;
  *engine = malloc(sizeof **engine);
  if (*engine == NULL) return fail(error, RH_OUT_OF_MEMORY, "no memory for an engine");
  **engine =
      (rh_engine){sizeof **engine, 0, NULL, destroy_engine, describe_engine, open_model, engine_extension};
  return RH_OK;
}

/* ---- what the host sees first ---- */

static uint32_t count(void) {
  return 1;
}

static const rh_engine_descriptor* descriptor(uint32_t index) {
  static const rh_fact able[] = {RH_FACT("task", "text-to-image"), RH_FACT("feature", "modelless"),
                                 RH_FACT("feature", "seed"), RH_FACT("feature", "cancel"),
                                 RH_FACT("device", "cpu")};
  static const rh_facts capabilities = {sizeof capabilities, 5, able};
  static const rh_limit bounds[] = {{sizeof(rh_limit), 0, "width", 16, 2048, 16},
                                    {sizeof(rh_limit), 0, "height", 16, 2048, 16},
                                    {sizeof(rh_limit), 0, "steps", 1, 50, 1}};
  static const rh_limits limits = {sizeof limits, 3, bounds};
  static const rh_engine_descriptor testcard = {
      sizeof testcard,
      RH_MATURITY_TEACHING,
      "testcard",
      "Test card",
      "Roundhouse",
      "1.0.0",
      "Draws a test card without a model, to show how a plugin is made.",
      &capabilities,
      &limits,
      0,
      0};
  return index == 0 ? &testcard : NULL;
}

static const void* get_factory(const char* id) {
  static const rh_engine_factory factory = {sizeof factory, 0, count, descriptor, create_engine};
  return strcmp(id, RH_ENGINE_FACTORY_ID) == 0 ? &factory : NULL;
}

static rh_status init(const rh_host* host, rh_error* error) {
  (void)host; /* keep it to log or to ask for the thread budget */
  (void)error;
  return RH_OK;
}

static void deinit(void) {
}

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = {sizeof rh_plugin_entry, RH_ABI_VERSION, init, deinit,
                                                      get_factory};
