/* SPDX-License-Identifier: Apache-2.0
 * A conversion that writes one tensor of four bytes, for broken_plugin.c and its defects. */
#include "roundhouse/ext/convert.h"
#include "tests/sdk/broken_estimate.h"

static FILE* create_in(const char* directory, const char* name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return fopen(path, "wb");
}

static rh_status broken_convert(rh_engine* engine, const rh_convert_request* request,
                                const rh_convert_sink* sink, rh_error* error) {
  static int32_t made;
  (void)engine;
  if (!is("takes-every-type") && strcmp(request->type, "f32") != 0)
    return rh_fail(error, RH_CAPABILITY_UNSUPPORTED, "type '%s' is not f32", request->type);
  if (request->options != NULL && request->options->count > 0 && !is("drops-convert-options"))
    return rh_fail(error, RH_UNKNOWN_OPTION, "option '%s' is not known", request->options->items[0].name);
  if (!is("converts-without-asking") && sink->cancelled(sink->context) != 0)
    return rh_fail(error, RH_CANCELLED, "stopped");
  if (is("writes-into-the-source")) fclose(create_in(request->source, "mine"));
  if (is("writes-beside-the-target")) fclose(create_in(request->target, "../mine"));
  FILE* file = create_in(request->target, "weights.bin");
  const int32_t value = is("converts-unsteadily") ? ++made : 1;
  fwrite(&value, sizeof value, 1, file);
  fclose(file);
  const uint64_t shape[] = {1};
  const rh_convert_tensor tensor = {
      sizeof tensor, 1, "weights.bin", "w", "f32", "f32", shape, sizeof value, 1, 1, 0};
  sink->tensor(sink->context, &tensor);
  if (is("tells-tensors-twice")) sink->tensor(sink->context, &tensor);
  const uint64_t total = is("never-ends-its-progress") ? 8 : 4;
  const rh_convert_progress progress = {sizeof progress, 0, "weights.bin", "w", 4, total};
  sink->progress(sink->context, &progress);
  return RH_OK;
}

static const void* broken_engine_extension(rh_engine* engine, const char* id) {
  (void)engine;
  static const rh_convert convert = {sizeof convert, 0, broken_convert};
  static const rh_estimate estimate = {sizeof estimate, 0, broken_estimate};
  if (strcmp(id, RH_ESTIMATE_ID) == 0) return &estimate;
  static const rh_rates rates = {sizeof rates, 0, broken_rated_weights, broken_measure};
  if (strcmp(id, RH_RATES_ID) == 0) return &rates;
  static const rh_inspect inspect = {sizeof inspect, 0, broken_inspect};
  if (strcmp(id, RH_INSPECT_ID) == 0) return &inspect;
  return strcmp(id, RH_CONVERT_ID) == 0 && !is("promises-conversions") ? &convert : NULL;
}
