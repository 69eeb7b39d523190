/* SPDX-License-Identifier: Apache-2.0
 * rh.image/1: text to image, with picture inputs as optional fields. A model side extension
 * (rh_model.get_extension). */
#ifndef ROUNDHOUSE_EXT_IMAGE_H
#define ROUNDHOUSE_EXT_IMAGE_H

#include "roundhouse/engine.h"

#define RH_IMAGE_ID "rh.image/1"

/* Samples are interleaved, rows from top to bottom, sRGB. */
enum {
  RH_PIXELS_RGB_U8 = 1,  /* 3 bytes a pixel */
  RH_PIXELS_GRAY_U8 = 2, /* 1 byte a pixel */
  RH_PIXELS_RGB_F32 =
      3 /* 3 floats a pixel, nominally 0 to 1; the host clamps, rounds half to even, and refuses NaN */
};

/* A borrowed picture: valid for the call that hands it over. */
typedef struct rh_pixels {
  uint32_t struct_size;
  uint32_t format; /* RH_PIXELS_* */
  uint32_t width;  /* in pixels */
  uint32_t height;
  uint64_t row_bytes;  /* from one row to the next, at least width times the size of a pixel */
  uint64_t size_bytes; /* of all of data, at least row_bytes * height */
  const void* data;
} rh_pixels;

/* Loading is a stage of its own wherever it happens: opening a model, and whatever generate has to read or
 * make of the weights before a stage can begin. */
enum { RH_STAGE_LOAD = 0, RH_STAGE_ENCODE = 1, RH_STAGE_DENOISE = 2, RH_STAGE_DECODE = 3 };

/* Sent when a unit of work is done: in denoise after every step, elsewhere at least at the stage's end. */
typedef struct rh_progress {
  uint32_t struct_size;
  uint32_t stage;      /* RH_STAGE_* */
  uint32_t step;       /* units done in this stage, 1-based */
  uint32_t steps;      /* units in this stage */
  uint64_t elapsed_ns; /* how long this unit took */
} rh_progress;

/* Sent once when a stage has ended (RH_STAGE_LOAD: after each time). Stages of one call follow each other,
 * never nested. */
typedef struct rh_stage_report {
  uint32_t struct_size;
  uint32_t stage; /* RH_STAGE_* */
  uint64_t elapsed_ns;
  uint64_t operations; /* floating-point operations of matrix products, convolutions and attention; 0 = not
                          counted */
  uint64_t activation_bytes; /* peak of memory beyond weights; 0 = not counted */
  /* Since 1.1. */
  uint64_t preview_ns; /* of elapsed_ns: what previews took; their operations are among `operations` */
} rh_stage_report;

/* Where results go. Owned by the host, valid for the call. Every function but `cancelled` is called only from
 * inside generate, on its thread; `cancelled` from any thread inside generate. Only `preview` may be NULL:
 * then none is made. */
typedef struct rh_image_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;
  /* Non-zero asks the engine to stop, as `cancelled` does. */
  int32_t (*progress)(void* context, const rh_progress* progress);
  void (*stage)(void* context, const rh_stage_report* report);
  /* Non-zero: return RH_CANCELLED soon. Asked at least once per transformer block and per block of the
   * decoder. */
  int32_t (*cancelled)(void* context);
  /* The picture as it would be if the steps to come changed nothing, for a person who waits: of the shape of
   * the picture or nearly, and no larger. After the progress of the step that it shows, when the request asks
   * for previews; the picture is the same bits with and without them. */
  void (*preview)(void* context, const rh_pixels* picture);
  /* The picture, exactly once per successful generate. An error from here ends generate with that same error.
   */
  rh_status (*image)(void* context, const rh_pixels* picture, rh_error* error);
} rh_image_sink;

/* A LoRA file and its strength; several may be given. */
typedef struct rh_lora {
  uint32_t struct_size;
  uint32_t reserved;
  const char* path;
  double strength;
} rh_lora;

/* One picture. Borrowed for the call. The host has checked every value against the descriptor before. */
typedef struct rh_image_request {
  uint32_t struct_size;
  uint32_t width; /* of the picture, in pixels */
  uint32_t height;
  uint32_t steps;     /* evaluations of the model (twice as many passes with guidance) */
  const char* prompt; /* UTF-8, never NULL */
  const char*
      negative_prompt; /* UTF-8; NULL = none given, which means the empty prompt where guidance needs one */
  double guidance;     /* 0 = off; prediction = positive + guidance * (positive - negative) */
  double cfg_normalization;  /* 0 = off; k > 0: the guided prediction's L2 norm is at most k times the
                                positive's */
  double cfg_truncation;     /* no guidance where 1 - sigma is greater than this; 1 = never truncated */
  uint64_t seed;             /* of the noise, as torch.Generator("cpu").manual_seed takes it */
  const char* sampler;       /* one of the descriptor's; NULL = the engine's default */
  const char* schedule;      /* one of the descriptor's; NULL = the sampler's default */
  const rh_options* options; /* may be NULL; an unknown one is RH_UNKNOWN_OPTION */
  /* Optional inputs; NULL or 0 unless the engine has the feature image-to-image, inpaint, control or lora. */
  const rh_pixels* init_image;
  const rh_pixels* mask;
  const rh_pixels* control_image;
  const rh_lora* loras;
  double strength; /* of img2img, 0 to 1 */
  double control_scale;
  uint32_t lora_count;
  uint32_t reserved;
  /* Since 1.1. */
  uint32_t preview_every; /* sink->preview after every so many steps, the last left out; 0 = none */
  uint32_t reserved_1_1;
} rh_image_request;

typedef struct rh_image {
  uint32_t struct_size;
  uint32_t reserved;
  /* Makes one picture. Returns RH_OK after sink->image was called, or an error. The same request on the same
   * engine and build gives the same picture.  [model-thread] */
  rh_status (*generate)(rh_model* model, const rh_image_request* request, const rh_image_sink* sink,
                        rh_error* error);
} rh_image;

#endif
