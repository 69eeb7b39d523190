// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/image_watch.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "roundhouse/floor.hpp"

namespace conformance {
namespace {

std::uint64_t pixel_bytes(std::uint32_t format) {
  switch (format) {
    case RH_PIXELS_RGB_U8:
      return 3;
    case RH_PIXELS_GRAY_U8:
      return 1;
    case RH_PIXELS_RGB_F32:
      return 12;
    default:
      return 0;
  }
}

std::string size_text(const rh_pixels& pixels) {
  return fmt::format("{}x{}", pixels.width, pixels.height);
}

ImageWatch& watch(void* context) {
  return *static_cast<ImageWatch*>(context);
}

}  // namespace

ImageWatch::ImageWatch(Report& report, const rh_image_request& request, bool newer)
    : report_(report),
      request_(request),
      sink_({0, 0, this, &on_progress, &on_stage, &on_cancelled, &on_preview, &on_image}, newer) {
}

rh_status ImageWatch::generate(rh_model* model, const rh_image& image, const rh_image_request* request,
                               rh_error* error) {
  thread_ = std::this_thread::get_id();
  report_.step("generate");
  inside_ = true;
  const rh_status status = image.generate(model, request, sink_.get(), error);
  inside_ = false;
  report_.expect(true, "P25", "");
  if (status == RH_OK) {
    report_.expect(denoise_steps_ == request->steps, "P24",
                   fmt::format("{} steps of denoise were told, expected {}", denoise_steps_, request->steps));
    report_.expect((reported_stages_ >> RH_STAGE_DENOISE & 1U) != 0, "P24",
                   "the end of stage denoise was not told");
  }
  return status;
}

void ImageWatch::on_own_thread(const char* callback) {
  if (!inside_) report_.expect(false, "P25", std::string(callback) + " was called outside generate");
  if (std::this_thread::get_id() != thread_) {
    report_.expect(false, "P25", std::string(callback) + " was called on another thread");
  }
}

int32_t ImageWatch::on_progress(void* context, const rh_progress* progress) {
  ImageWatch& self = watch(context);
  self.on_own_thread("progress");
  if (!self.report_.expect(roundhouse::reaches_floor(progress), "P10",
                           "progress: the record is NULL or too small")) {
    return 0;
  }
  const bool next_stage = progress->stage != self.stage_;
  const bool valid = progress->stage >= RH_STAGE_ENCODE && progress->stage <= RH_STAGE_DECODE &&
                     progress->step >= 1 && progress->step <= progress->steps &&
                     (next_stage ? progress->stage > self.stage_ : progress->step > self.step_);
  self.report_.expect(valid, "P24",
                      fmt::format("progress: stage {}, step {} of {} does not follow stage {}, step {}",
                                  progress->stage, progress->step, progress->steps, self.stage_, self.step_));
  self.stage_ = progress->stage;
  self.step_ = progress->step;
  if (progress->stage == RH_STAGE_DENOISE) ++self.denoise_steps_;
  return self.stop_by == StopBy::progress ? 1 : 0;
}

void ImageWatch::on_stage(void* context, const rh_stage_report* report) {
  ImageWatch& self = watch(context);
  self.on_own_thread("stage");
  if (!self.report_.expect(roundhouse::reaches_floor(report), "P10",
                           "stage: the record is NULL or too small")) {
    return;
  }
  const bool known = report->stage <= RH_STAGE_DECODE;
  if (!self.report_.expect(known, "P24", fmt::format("stage {} is not known", report->stage))) return;
  if (report->stage == RH_STAGE_LOAD) return;  // as often as there is something to load
  const std::uint32_t bit = 1U << report->stage;
  self.report_.expect((self.reported_stages_ & bit) == 0, "P24",
                      fmt::format("the end of stage {} was told twice", report->stage));
  self.reported_stages_ |= bit;
}

int32_t ImageWatch::on_cancelled(void* context) {
  ImageWatch& self = watch(context);
  ++self.asked_;
  if (!self.inside_) self.report_.expect(false, "P25", "cancelled was called outside generate");
  return self.stop_by == StopBy::cancelled ? 1 : 0;
}

void ImageWatch::on_preview(void* context, const rh_pixels* image) {
  ImageWatch& self = watch(context);
  self.on_own_thread("preview");
  if (!self.report_.expect(roundhouse::reaches_floor(image), "P10",
                           "preview: the record is NULL or too small")) {
    return;
  }
  const std::uint32_t every = self.request_.preview_every;
  const bool due = every > 0 && self.stage_ == RH_STAGE_DENOISE && self.step_ % every == 0 &&
                   self.step_ < self.request_.steps;
  self.report_.expect(due, "P39",
                      fmt::format("a preview came after step {} of stage {}, which was not asked for",
                                  self.step_, self.stage_));
  self.report_.expect(image->width <= self.request_.width && image->height <= self.request_.height, "P39",
                      "the preview is " + size_text(*image) + ", larger than the image");
  self.values_of(image, "preview");
}

rh_status ImageWatch::on_image(void* context, const rh_pixels* image, rh_error* error) {
  ImageWatch& self = watch(context);
  self.on_own_thread("image");
  ++self.images_;
  self.look_at(image);
  if (self.answer != RH_OK && roundhouse::reaches_floor(error)) {
    error->code = self.answer;
    std::strcpy(error->message, "the checker refuses this image");
  }
  return self.answer;
}

void ImageWatch::look_at(const rh_pixels* image) {
  if (!report_.expect(roundhouse::reaches_floor(image), "P10", "image: the record is NULL or too small")) {
    return;
  }
  report_.expect(
      image->width == request_.width && image->height == request_.height, "P21",
      fmt::format("the image is {}, expected {}x{}", size_text(*image), request_.width, request_.height));
  pixels_ = values_of(image, "image");
}

std::vector<unsigned char> ImageWatch::values_of(const rh_pixels* image, const std::string& name) {
  const std::uint64_t row = image->width * pixel_bytes(image->format);
  const bool fits = row != 0 && image->data != nullptr && image->row_bytes >= row && image->height != 0 &&
                    image->size_bytes / image->height >= image->row_bytes;
  if (!report_.expect(fits, "P21",
                      "the " + name + "'s format, row_bytes and size_bytes do not fit its size")) {
    return {};
  }
  const auto* data = static_cast<const unsigned char*>(image->data);
  std::vector<unsigned char> values;
  for (std::uint32_t y = 0; y < image->height; ++y)
    values.insert(values.end(), data + y * image->row_bytes, data + y * image->row_bytes + row);
  if (image->format != RH_PIXELS_RGB_F32) return values;
  std::size_t bad = 0;
  for (std::size_t i = 0; i + sizeof(float) <= values.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, values.data() + i, sizeof value);
    bad += std::isfinite(value) ? 0U : 1U;
  }
  report_.expect(bad == 0, "P21", fmt::format("{} values of the {} are not finite", bad, name));
  return values;
}

}  // namespace conformance
