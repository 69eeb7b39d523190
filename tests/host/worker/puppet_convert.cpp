// SPDX-License-Identifier: Apache-2.0
#include "puppet_convert.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace {

rh_status fail(rh_error* error, rh_status status, const char* message) {
  error->code = status;
  std::snprintf(error->message, sizeof error->message, "%s", message);
  return status;
}

void tell(const rh_convert_sink* sink, const std::string& type, std::uint64_t done, std::uint64_t total) {
  const char* file = type == "no file" ? nullptr : "transformer/w.safetensors";
  const rh_convert_progress progress{sizeof progress, 0, file, "w", done, total};
  sink->progress(sink->context, &progress);
}

rh_status run(rh_engine*, const rh_convert_request* request, const rh_convert_sink* sink, rh_error* error) {
  const std::string type = request->type;
  if (type == "exit") std::exit(3);
  if (type == "kill yourself") raise(SIGKILL);
  if (type == "hang") sleep(60);
  if (type == "fail") return fail(error, RH_CONVERSION_FAILED, "tensor 'w': element 3 is nan");
  if (type == "cancelled by nobody") return fail(error, RH_CANCELLED, "stopped");
  for (std::uint64_t i = 0; type == "slow" && i < 1000; ++i) {
    usleep(10'000);
    tell(sink, type, i, 1000);
    if (sink->cancelled(sink->context) != 0) return fail(error, RH_CANCELLED, "stopped");
  }
  const std::uint64_t shape[]{2, 3};
  const rh_convert_tensor tensor{sizeof tensor,
                                 type == "huge rank" ? 1'000'000U : 2U,
                                 "transformer/w.safetensors",
                                 "w\xff\n",
                                 "bf16",
                                 "q8_0",
                                 shape,
                                 12,
                                 6,
                                 4,
                                 type == "no number" ? std::numeric_limits<double>::quiet_NaN() : 0.25};
  for (std::uint64_t i = 0; i < (type == "endless" ? 1'000'000U : 1U); ++i)
    sink->tensor(sink->context, &tensor);
  tell(sink, type, 12, 12);
  return RH_OK;
}

}  // namespace

const rh_convert* puppet_convert() {
  static constexpr rh_convert convert{sizeof(rh_convert), 0, run};
  return &convert;
}
