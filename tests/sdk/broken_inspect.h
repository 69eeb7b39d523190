/* SPDX-License-Identifier: Apache-2.0
 * An inspection that finds nothing, for broken_plugin.c and its defects. */
#include "roundhouse/ext/inspect.h"

static rh_status broken_inspect(rh_engine* engine, const rh_model_source* source, const rh_inspect_sink* sink,
                                rh_error* error) {
  (void)engine;
  if (source->options != NULL && source->options->count > 0 && !is("drops-inspect-options"))
    return rh_fail(error, RH_UNKNOWN_OPTION, "option '%s' is not known", source->options->items[0].name);
  if (!is("inspects-without-asking") && sink->cancelled(sink->context) != 0)
    return rh_fail(error, RH_CANCELLED, "stopped");
  const rh_problem problem = {sizeof problem, RH_MODEL_INVALID, "config.json", "is not to be liked"};
  const rh_problem silent = {sizeof silent, RH_MODEL_INVALID, NULL, NULL};
  if (is("finds-fault-with-what-it-opens")) sink->problem(sink->context, &problem);
  if (is("finds-what-it-does-not-say")) sink->problem(sink->context, &silent);
  return RH_OK;
}
