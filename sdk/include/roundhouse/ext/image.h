/* SPDX-License-Identifier: Apache-2.0
 * rh.image/1: text to image, with images as optional inputs. A model side extension
 * (rh_model.get_extension).
 *
 * Why one image a call: the host repeats the call with seed + i, so that image i of a batch is the image that
 * its seed alone gives, on every engine; between two of them it may stop, show or send what is done, and
 * memory does not grow with their number. An engine that keeps the embeddings of its last prompt loses
 * nothing.
 *
 * Why results leave through a sink of the host's: they arrive while the call is at work, in memory that stays
 * the plugin's, and nobody has to free anything. */
#ifndef ROUNDHOUSE_EXT_IMAGE_H
#define ROUNDHOUSE_EXT_IMAGE_H

#include "roundhouse/engine.h"

#define RH_IMAGE_ID "rh.image/1"

/* Samples are interleaved, rows from top to bottom, sRGB. */
enum {
  /* 3 bytes a pixel. */
  RH_PIXELS_RGB_U8 = 1,
  /* 1 byte a pixel. */
  RH_PIXELS_GRAY_U8 = 2,
  /* 3 floats a pixel, nominally 0 to 1; the host clamps and rounds half to even. The best form to send: only
   * here can the host see a NaN, which becomes an error and not a black image. */
  RH_PIXELS_RGB_F32 = 3
};

/* A borrowed image: valid for the call that hands it over. */
typedef struct rh_pixels {
  uint32_t struct_size;
  /* RH_PIXELS_* */
  uint32_t format;
  /* Both in pixels. */
  uint32_t width;
  uint32_t height;
  /* From one row to the next, at least width times the size of a pixel. */
  uint64_t row_bytes;
  /* Of all of data, at least row_bytes * height. */
  uint64_t size_bytes;
  const void* data;
} rh_pixels;

/* Loading is a stage of its own wherever it happens: opening a model, and whatever generate has to read or
 * make of the weights before a stage can begin. */
enum { RH_STAGE_LOAD = 0, RH_STAGE_ENCODE = 1, RH_STAGE_DENOISE = 2, RH_STAGE_DECODE = 3 };

/* Sent when a unit of work is done: in denoise after every step, elsewhere at least at the stage's end. */
typedef struct rh_progress {
  uint32_t struct_size;
  /* RH_STAGE_* */
  uint32_t stage;
  /* Units done in this stage, 1-based. */
  uint32_t step;
  /* Units in this stage. */
  uint32_t steps;
  /* How long this unit took. Measured by the engine: only it knows what belongs to the unit. */
  uint64_t elapsed_ns;
} rh_progress;

/* Sent once when a stage has ended (RH_STAGE_LOAD: after each time). Stages of one call follow each other,
 * never nested. */
typedef struct rh_stage_report {
  uint32_t struct_size;
  /* RH_STAGE_* */
  uint32_t stage;
  uint64_t elapsed_ns;
  /* Floating-point operations of matrix products, convolutions and attention; 0 = not counted. */
  uint64_t operations;
  /* Peak of memory beyond weights; 0 = not counted. */
  uint64_t activation_bytes;
  /* Since 1.1. Of elapsed_ns: what previews took. Their operations are among `operations`. */
  uint64_t preview_ns;
  /* Since 1.1. Of RH_STAGE_ENCODE: the tokens of the prompt, and the first ones of them that the engine
   * reads; both 0 = not counted. Where they differ, the rest has no effect, and the host says so. */
  uint32_t prompt_tokens;
  uint32_t used_prompt_tokens;
} rh_stage_report;

/* Where results go. Owned by the host, valid for the call. Only `preview` may be NULL. */
typedef struct rh_image_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Non-zero asks the engine to stop, as `cancelled` does.  [call-thread] */
  int32_t (*progress)(void* context, const rh_progress* progress);

  /* [call-thread] */
  void (*stage)(void* context, const rh_stage_report* report);

  /* Non-zero: return RH_CANCELLED soon. Asked at least once per transformer block and per block of the
   * decoder. A question and not an order: the engine stops where it can leave everything in order.
   * [any-thread] */
  int32_t (*cancelled)(void* context);

  /* The image as it would be if the steps to come changed nothing, for a person who waits: of the shape of
   * the image or nearly, and no larger. After the progress of the step that it shows, when the request asks
   * for previews; the image is the same bits with and without them. NULL: none is made.  [call-thread] */
  void (*preview)(void* context, const rh_pixels* preview);

  /* The image, exactly once per successful generate. An error from here ends generate with that same error.
   * [call-thread] */
  rh_status (*image)(void* context, const rh_pixels* image, rh_error* error);
} rh_image_sink;

/* A LoRA file and its strength; several may be given. */
typedef struct rh_lora {
  uint32_t struct_size;
  uint32_t reserved;
  /* Absolute. */
  const char* path;
  double strength;
} rh_lora;

/* One image. Borrowed for the call. The host has checked every value against the descriptor before, so that
 * no engine has to, and every engine refuses in the same words. */
typedef struct rh_image_request {
  uint32_t struct_size;
  /* Of the image, both in pixels. */
  uint32_t width;
  uint32_t height;
  /* Evaluations of the model (twice as many passes with guidance). */
  uint32_t steps;
  /* UTF-8, never NULL. */
  const char* prompt;
  /* UTF-8; NULL = none given, which means the empty prompt where guidance needs one. */
  const char* negative_prompt;
  /* 0 = off; prediction = positive + guidance * (positive - negative). */
  double guidance;
  /* 0 = off; k > 0: the guided prediction's L2 norm is at most k times the positive's. */
  double cfg_normalization;
  /* No guidance where 1 - sigma is greater than this; 1 = never truncated. */
  double cfg_truncation;
  /* Of the noise, as torch.Generator("cpu").manual_seed takes it. */
  uint64_t seed;
  /* One of the descriptor's; NULL = the engine's default. */
  const char* sampler;
  /* One of the descriptor's; NULL = the sampler's default. */
  const char* schedule;
  /* May be NULL: none. An unknown one is RH_UNKNOWN_OPTION. */
  const rh_options* options;
  /* Optional inputs; NULL or 0 unless the engine has the feature image-to-image, inpaint, control or lora.
   * All have the size of the image. mask (RH_PIXELS_GRAY_U8) comes with init_image only: pixels of 128 and
   * more are drawn anew, the others stay as they are in init_image. */
  const rh_pixels* init_image;
  const rh_pixels* mask;
  const rh_pixels* control_image;
  const rh_lora* loras;
  /* How far img2img may go from init_image: above 0, up to 1, the share of the steps that is done, counted
   * down from the last. */
  double strength;
  double control_scale;
  uint32_t lora_count;
  uint32_t reserved;
  /* Since 1.1. sink->preview after every so many steps, the last left out; 0 = none. */
  uint32_t preview_every;
  uint32_t reserved_1_1;
} rh_image_request;

typedef struct rh_image {
  uint32_t struct_size;
  uint32_t reserved;

  /* Makes one image. Returns RH_OK after sink->image was called, or an error. The same request on the same
   * engine and build gives the same image, whatever was made before: a seed means nothing otherwise.
   * [model-thread] */
  rh_status (*generate)(rh_model* model, const rh_image_request* request, const rh_image_sink* sink,
                        rh_error* error);
} rh_image;

#endif
