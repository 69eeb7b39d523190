// SPDX-License-Identifier: Apache-2.0
// The watched sink.
#include "host/loading/image_watch.h"

#include <fmt/format.h>

#include <utility>

#include "host/loading/pixels.h"
#include "host/loading/plugin_error.h"

namespace roundhouse::host {
namespace {

ImageWatch& watch(void* context) {
  return *static_cast<ImageWatch*>(context);
}

void check_stage(const std::string& engine, const char* callback, std::uint32_t stage) {
  if (stage <= RH_STAGE_DECODE) return;
  throw broken(engine, rule::kProgress,
               fmt::format("{} told of stage {}, expected RH_STAGE_*", callback, stage));
}

}  // namespace

ImageWatch::ImageWatch(std::string engine, const rh_image_request& request, const rh_image_sink& sink)
    : SinkWatch(std::move(engine)),
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

std::int32_t ImageWatch::on_progress(void* context, const rh_progress* progress) {
  ImageWatch& self = watch(context);
  const bool sound = self.keep_misuse([&] {
    self.check_thread("progress");
    check_record(self.engine(), rule::kRecords, "progress: the record", progress);
    check_stage(self.engine(), "progress", progress->stage);
  });
  if (!sound) return 0;
  std::int32_t stop = 1;  // when the caller throws, or has refused the image
  self.keep_refusal([&] {
    const rh_progress known = known_part(*progress);
    const std::int32_t answer = self.caller_.progress(self.caller_.context, &known);
    if (!self.refused()) stop = answer;
  });
  return stop;
}

void ImageWatch::on_stage(void* context, const rh_stage_report* report) {
  ImageWatch& self = watch(context);
  const bool sound = self.keep_misuse([&] {
    self.check_thread("stage");
    check_record(self.engine(), rule::kRecords, "stage: the record", report);
    check_stage(self.engine(), "stage", report->stage);
  });
  if (!sound) return;
  self.keep_refusal([&] {
    const rh_stage_report known = known_part(*report);
    self.caller_.stage(self.caller_.context, &known);
  });
}

std::int32_t ImageWatch::on_cancelled(void* context) {
  ImageWatch& self = watch(context);
  return self.ask_cancelled(self.caller_.cancelled, self.caller_.context);
}

void ImageWatch::on_preview(void* context, const rh_pixels* image) {
  ImageWatch& self = watch(context);
  const bool sound = self.keep_misuse([&] {
    self.check_thread("preview");
    check_pixels(self.engine(), "the preview", image);
    check_preview(self.engine(), known_part(*image), self.request_);
  });
  if (!sound) return;
  self.keep_refusal([&] {
    const rh_pixels known = known_part(*image);
    self.caller_.preview(self.caller_.context, &known);
  });
}

void ImageWatch::take_image(const rh_pixels* image) {
  check_thread("image");
  if (has_image_) throw broken(engine(), rule::kOneImage, "generate handed over more than one image");
  check_pixels(engine(), "the image", image);
  const rh_pixels known = known_part(*image);
  check_image(engine(), known, request_);
  has_image_ = true;
  rh_error refusal{sizeof(rh_error), RH_OK, ""};
  const rh_status status = caller_.image(caller_.context, &known, &refusal);
  check_taken("the image", status, refusal);
}

rh_status ImageWatch::on_image(void* context, const rh_pixels* image, rh_error* error) {
  return watch(context).answer(error, [&] { watch(context).take_image(image); });
}

void ImageWatch::check_complete() const {
  rethrow_misuse();
  if (!has_image_) throw broken(engine(), rule::kOneImage, "generate returned success without an image");
}

}  // namespace roundhouse::host
