// SPDX-License-Identifier: Apache-2.0
// The watched sink.
#include "host/loading/image_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/loading/pixels.h"
#include "host/loading/plugin_error.h"
#include "host/loading/text.h"
#include "roundhouse/guard.hpp"

namespace roundhouse::host {
namespace {

ImageWatch& watch(void* context) {
  return *static_cast<ImageWatch*>(context);
}

// As much of a checked record as both sides know; what the plugin's SDK did not have yet is 0.
template <class Record>
Record known_part(const Record& record) {
  Record copy{};
  std::memcpy(&copy, &record, std::min<std::size_t>(record.struct_size, sizeof copy));
  copy.struct_size = sizeof copy;
  return copy;
}

void check_stage(const std::string& engine, const char* callback, std::uint32_t stage) {
  if (stage <= RH_STAGE_DECODE) return;
  throw broken(engine, rule::kProgress,
               fmt::format("{} told of stage {}, expected RH_STAGE_*", callback, stage));
}

}  // namespace

ImageWatch::ImageWatch(std::string engine, const rh_image_request& request, const rh_image_sink& sink)
    : engine_(std::move(engine)),
      request_(request),
      caller_(sink),
      own_{sizeof(rh_image_sink),
           0,
           this,
           &on_progress,
           &on_stage,
           &on_cancelled,
           sink.preview == nullptr ? nullptr : &on_preview,
           &on_image} {
}

template <class Work>
bool ImageWatch::keep(std::exception_ptr ImageWatch::*slot, Work&& work) {
  try {
    work();
    return true;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!(this->*slot)) this->*slot = std::current_exception();
    return false;
  }
}

bool ImageWatch::refused() const {
  const std::lock_guard lock(mutex_);
  return refusal_ != nullptr;
}

void ImageWatch::check_thread(const char* callback) const {
  if (std::this_thread::get_id() == thread_) return;
  throw broken(engine_, rule::kThread, std::string(callback) + " was called on another thread");
}

std::int32_t ImageWatch::on_progress(void* context, const rh_progress* progress) {
  ImageWatch& self = watch(context);
  const bool sound = self.keep(&ImageWatch::misuse_, [&] {
    self.check_thread("progress");
    check_record(self.engine_, rule::kRecords, "progress: the record", progress);
    check_stage(self.engine_, "progress", progress->stage);
  });
  if (!sound) return 0;
  std::int32_t stop = 1;  // when the caller throws, or has refused the image
  self.keep(&ImageWatch::refusal_, [&] {
    const rh_progress known = known_part(*progress);
    const std::int32_t answer = self.caller_.progress(self.caller_.context, &known);
    if (!self.refused()) stop = answer;
  });
  return stop;
}

void ImageWatch::on_stage(void* context, const rh_stage_report* report) {
  ImageWatch& self = watch(context);
  const bool sound = self.keep(&ImageWatch::misuse_, [&] {
    self.check_thread("stage");
    check_record(self.engine_, rule::kRecords, "stage: the record", report);
    check_stage(self.engine_, "stage", report->stage);
  });
  if (!sound) return;
  self.keep(&ImageWatch::refusal_, [&] {
    const rh_stage_report known = known_part(*report);
    self.caller_.stage(self.caller_.context, &known);
  });
}

std::int32_t ImageWatch::on_cancelled(void* context) {
  ImageWatch& self = watch(context);
  if (self.refused()) return 1;
  std::int32_t stop = 1;
  self.keep(&ImageWatch::refusal_, [&] { stop = self.caller_.cancelled(self.caller_.context); });
  return stop;
}

void ImageWatch::on_preview(void* context, const rh_pixels* image) {
  ImageWatch& self = watch(context);
  const bool sound = self.keep(&ImageWatch::misuse_, [&] {
    self.check_thread("preview");
    check_pixels(self.engine_, "the preview", image);
    check_preview(self.engine_, known_part(*image), self.request_);
  });
  if (!sound) return;
  self.keep(&ImageWatch::refusal_, [&] {
    const rh_pixels known = known_part(*image);
    self.caller_.preview(self.caller_.context, &known);
  });
}

void ImageWatch::take_image(const rh_pixels* image) {
  check_thread("image");
  if (has_image_) throw broken(engine_, rule::kOneImage, "generate handed over more than one image");
  check_pixels(engine_, "the image", image);
  const rh_pixels known = known_part(*image);
  check_image(engine_, known, request_);
  has_image_ = true;
  rh_error refusal{sizeof(rh_error), RH_OK, ""};
  const rh_status status = caller_.image(caller_.context, &known, &refusal);
  if (status == RH_OK) return;
  const std::string message = cleaned_text(refusal.message, sizeof refusal.message);
  throw Error(is_known(status) ? status : RH_INTERNAL,
              message.empty() ? "the image was refused without a message" : message);
}

rh_status ImageWatch::on_image(void* context, const rh_pixels* image, rh_error* error) {
  ImageWatch& self = watch(context);
  return guard(error, [&] {
    try {
      self.take_image(image);
    } catch (...) {
      const std::lock_guard lock(self.mutex_);
      if (!self.refusal_) self.refusal_ = std::current_exception();
      throw;
    }
  });
}

void ImageWatch::rethrow_refusal() const {
  const std::lock_guard lock(mutex_);
  if (refusal_) std::rethrow_exception(refusal_);
}

void ImageWatch::check_complete() const {
  const std::lock_guard lock(mutex_);
  if (misuse_) std::rethrow_exception(misuse_);
  if (!has_image_) throw broken(engine_, rule::kOneImage, "generate returned success without an image");
}

}  // namespace roundhouse::host
