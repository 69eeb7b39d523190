// SPDX-License-Identifier: Apache-2.0
// Runs rh.convert/1, believing nothing that comes back unchecked.
#include <cmath>

#include "host/loading/text.h"
#include "host/worker/engine_call.h"
#include "host/worker/engine_error.h"
#include "host/worker/engine_work.h"
#include "host/worker/system_state.h"
#include "roundhouse/ext/convert.h"
#include "roundhouse/floor.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumTensors = 100'000;  // more than any model has
constexpr std::size_t kMaximumText = 1024;
constexpr std::uint32_t kMaximumRank = 8;

// What the sink's context points to.
struct Call {
  const Watch& watch;
  const ConvertProgress& seen;
  ConvertResult result = {};
  KeptFailure failure = {};

  bool stopped() const { return failure.failed() || is_cancelled(watch); }
};

Call& call_of(void* context) {
  return *static_cast<Call*>(context);
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(RH_ENGINE_BROKEN, what + " (rule P10)");
}

// A text of a record; NULL is refused unless it may be.
std::string text_of(const char* text, const char* name) {
  if (text == nullptr) refuse(std::string("convert: ") + name + " is NULL");
  return cleaned_text(text, kMaximumText);
}

std::int32_t on_cancelled(void* context) {
  const Call& call = call_of(context);
  if (call.watch.alive) call.watch.alive();
  return call.stopped() ? 1 : 0;
}

void on_progress(void* context, const rh_convert_progress* progress) {
  Call& call = call_of(context);
  call.failure.keep([&] {
    if (!reaches_floor(progress)) refuse("convert: a progress record is too small");
    if (call.seen)
      call.seen({text_of(progress->file, "file"), cleaned_text(progress->tensor, kMaximumText),
                 progress->done_bytes, progress->total_bytes});
  });
}

void on_tensor(void* context, const rh_convert_tensor* tensor) {
  Call& call = call_of(context);
  call.failure.keep([&] {
    if (!reaches_floor(tensor)) refuse("convert: a tensor record is too small");
    if (tensor->rank > kMaximumRank || (tensor->rank > 0 && tensor->shape == nullptr))
      refuse("convert: a tensor of rank " + std::to_string(tensor->rank));
    if (!std::isfinite(tensor->squares) || !std::isfinite(tensor->squares_of_errors))
      refuse("convert: an error that is no number");
    if (call.result.tensors.size() >= kMaximumTensors) refuse("convert: tensors without end");
    call.result.tensors.push_back({text_of(tensor->file, "file"),
                                   text_of(tensor->name, "name"),
                                   text_of(tensor->from, "from"),
                                   text_of(tensor->to, "to"),
                                   {tensor->shape, tensor->shape + tensor->rank},
                                   tensor->size_bytes,
                                   tensor->elements,
                                   tensor->squares,
                                   tensor->squares_of_errors});
  });
}

}  // namespace

ConvertResult EngineWork::convert(const ConvertTask& job, const Watch& watch, const ConvertProgress& seen) {
  return with_named_errors(manifest_.id, "convert", [&] {
    load();
    const auto& extension = engine_->extension<rh_convert>(RH_CONVERT_ID);
    Call call{watch, seen};
    const OptionRecords options(job.options);
    const std::string source = job.source.string(), target = job.target.string();
    const rh_convert_request request{sizeof request,   0,
                                     source.c_str(),   target.c_str(),
                                     job.type.c_str(), job.format.empty() ? nullptr : job.format.c_str(),
                                     options.list()};
    const rh_convert_sink sink{sizeof sink, 0, &call, on_progress, on_tensor, on_cancelled};
    run_call(watch, "convert", [&] {
      const Answer answer = engine_->call("convert", [&](rh_engine* engine, rh_error* error) {
        return extension.run(engine, &request, &sink, error);
      });
      if (!call.failure.failed()) answer.check();
    });
    call.failure.rethrow();
    call.result.peak_memory_bytes = peak_memory_bytes();
    return std::move(call.result);
  });
}

}  // namespace roundhouse::host
