/* SPDX-License-Identifier: Apache-2.0
 * An estimate of two stages, for broken_plugin.c and its defects. */
#include "roundhouse/ext/estimate.h"

static rh_status broken_estimate(rh_engine* engine, const rh_model_source* source,
                                 const rh_image_request* request, const rh_estimate_sink* sink,
                                 rh_error* error) {
  (void)engine;
  (void)source;
  (void)request;
  (void)error;
  const rh_stage_estimate load = {sizeof load, RH_STAGE_LOAD, 1, 0, 30};
  const rh_stage_estimate denoise = {sizeof denoise, RH_STAGE_DENOISE, 1, 0, 50};
  const int backwards = is("estimates-backwards");
  sink->stage(sink->context, backwards ? &denoise : &load);
  sink->stage(sink->context, backwards ? &load : &denoise);
  if (!is("tells-nothing-held")) sink->held(sink->context, 30);
  const rh_memory_part weights = {sizeof weights, RH_STAGE_DENOISE,
                                  is("estimates-unlisted-devices") ? "tpu" : "cpu", "weights", 30};
  const rh_memory_part work = {sizeof work,
                               is("estimates-untold-stages") ? RH_STAGE_DECODE : RH_STAGE_DENOISE, "cpu",
                               "activations", is("parts-do-not-add-up") ? 21 : 20};
  sink->memory(sink->context, &weights);
  sink->memory(sink->context, &work);
  return RH_OK;
}
