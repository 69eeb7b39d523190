/* SPDX-License-Identifier: Apache-2.0
 * The teaching plugin: a complete engine in plain C. Copy this folder and put your own work in generate();
 * leave out texts.c where your engine only draws. */
#define _POSIX_C_SOURCE 199309L /* a clock that nobody sets */
#include <stdlib.h>

#include "card.h"
#include "roundhouse/plugin.h"
#include "texts.h"

/* ---- what the host knows before it starts anything; testcard.json is made of it ---- */

static const rh_fact abilities[] = {RH_FACT("task", "text-to-image"), RH_FACT("task", "text-generation"),
                                    RH_FACT("task", "embedding"),     RH_FACT("feature", "modelless"),
                                    RH_FACT("feature", "seed"),       RH_FACT("feature", "cancel"),
                                    RH_FACT("device", "cpu")};
static const rh_facts capabilities = RH_LIST(abilities);
static const rh_limit bounds[] = {RH_LIMIT("width", 16, 2048, 16), RH_LIMIT("height", 16, 2048, 16),
                                  RH_LIMIT("steps", 1, 50, 1)};
static const rh_limits limits = RH_LIST(bounds);
static const rh_engine_descriptor testcard = {
    .struct_size = sizeof testcard,
    .maturity = RH_MATURITY_TEACHING,
    .id = "testcard",
    .name = "Test card",
    .vendor = "Roundhouse",
    .version = "1.0.0",
    .description = "Draws a test card and echoes texts without a model, to show how a plugin is made.",
    .capabilities = &capabilities,
    .limits = &limits};

/* This engine takes no options; one that does names them here, and reads them with rh_find_option. */
static rh_status refuse_options(const rh_options* options, rh_error* error) {
  return rh_check_options(options, NULL, testcard.id, error);
}

/* ---- the work: one image, drawn in as many bands as there are steps ---- */

static rh_status generate(rh_model* model, const rh_image_request* request, const rh_image_sink* sink,
                          rh_error* error) {
  (void)model;
  rh_status status = refuse_options(request->options, error);
  if (status != RH_OK) return status;
  const uint32_t width = request->width, height = request->height, steps = request->steps;
  rh_image_run run = rh_begin_image(request, sink, error);
  float* rgb = calloc((size_t)width * height, 3 * sizeof *rgb); /* previews show what is not drawn yet */
  if (rgb == NULL) return rh_fail(error, RH_OUT_OF_MEMORY, "no memory for the image");
  for (uint32_t step = 1; status == RH_OK && step <= steps; ++step) {
    card_band(width, height, request->seed, step, steps, rgb);
    status = rh_step_done(&run, RH_STAGE_DENOISE, step, steps);
    if (status == RH_OK && rh_wants_preview(&run, step)) rh_show_preview(&run, width, height, rgb);
  }
  if (status == RH_OK) {
    rh_stage_done(&run, RH_STAGE_DENOISE);
    status = rh_deliver_image(&run, rgb);
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
  static const rh_facts facts = RH_LIST(items);
  return &facts;
}

static const void* model_extension(rh_model* model, const char* id) {
  (void)model;
  static const rh_image image = {sizeof image, 0, generate};
  if (strcmp(id, RH_IMAGE_ID) == 0) return &image;
  if (strcmp(id, RH_TEXT_ID) == 0) return &testcard_text;
  return strcmp(id, RH_EMBEDDING_ID) == 0 ? &testcard_embedding : NULL;
}

static rh_status open_model(rh_engine* engine, const rh_model_source* source, rh_model** model,
                            rh_error* error) {
  (void)engine;
  const rh_status status = refuse_options(source->options, error);
  if (status != RH_OK) return status;
  *model = malloc(sizeof **model);
  if (*model == NULL) return rh_fail(error, RH_OUT_OF_MEMORY, "no memory for a model");
  **model = (rh_model){sizeof **model, 0, NULL, close_model, describe_model, model_extension};
  return RH_OK;
}

/* ---- an engine ---- */

static void destroy(rh_engine* engine) {
  free(engine);
}

static const rh_facts* describe(rh_engine* engine) {
  (void)engine;
  static const rh_fact items[] = {RH_FACT("device", "cpu"), RH_FACT("threads", "1")};
  static const rh_facts facts = RH_LIST(items);
  return &facts;
}

static rh_status begin(const rh_host* host, const rh_engine_config* config, rh_engine** engine,
                       rh_error* error) {
  (void)host; /* keep it to log or to ask for the thread budget */
  const rh_status status = refuse_options(config->options, error);
  if (status != RH_OK) return status;
  *engine = malloc(sizeof **engine);
  if (*engine == NULL) return rh_fail(error, RH_OUT_OF_MEMORY, "no memory for an engine");
  **engine = (rh_engine){sizeof **engine, 0, NULL, destroy, describe, open_model, rh_no_engine_extension};
  return RH_OK;
}

RH_PLUGIN_OF_ONE_ENGINE(testcard, begin);
