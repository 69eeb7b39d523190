// SPDX-License-Identifier: Apache-2.0
// rh.image/1 for a plugin in C++: the request as a value and the sink that takes progress and the image.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roundhouse/error.hpp"
#include "roundhouse/ext/image.h"
#include "roundhouse/floor.hpp"
#include "roundhouse/options.hpp"

namespace roundhouse {

struct Lora {
  std::string path;
  double strength = 1;
};

// One image to make; the fields mean what rh_image_request says. Views and images are the host's and end
// with the call.
struct ImageRequest {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t steps = 0;
  std::string_view prompt;
  std::optional<std::string_view> negative_prompt;
  double guidance = 0;
  double cfg_normalization = 0;
  double cfg_truncation = 1;
  std::uint64_t seed = 0;
  std::string_view sampler;   // empty = the engine's default
  std::string_view schedule;  // empty = the sampler's default
  const rh_pixels* init_image = nullptr;
  const rh_pixels* mask = nullptr;
  const rh_pixels* control_image = nullptr;
  double strength = 0;
  double control_scale = 0;
  std::vector<Lora> loras;
  std::uint32_t preview_every = 0;  // 0 = none; see Sink::wants_preview
};

namespace detail {

inline std::string_view view_of(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// The image (NULL stays NULL) after a check that its rows lie within its data.
inline const rh_pixels* checked_pixels(const rh_pixels* pixels, const char* name) {
  if (pixels == nullptr) return nullptr;
  checked(pixels, name);
  const std::uint64_t pixel_bytes = pixels->format == RH_PIXELS_RGB_U8    ? 3
                                    : pixels->format == RH_PIXELS_GRAY_U8 ? 1
                                    : pixels->format == RH_PIXELS_RGB_F32 ? 12
                                                                          : 0;
  const bool fits = pixel_bytes != 0 && pixels->data != nullptr && pixels->height != 0 &&
                    pixels->row_bytes >= pixels->width * pixel_bytes &&
                    pixels->size_bytes / pixels->height >= pixels->row_bytes;
  if (!fits) throw Error(RH_INVALID_ARGUMENT, std::string(name) + ": the rows do not fit the data");
  return pixels;
}

inline ImageRequest read_request(const rh_image_request* record) {
  const rh_image_request& from = checked(record, "request");
  if (from.prompt == nullptr) throw Error(RH_INVALID_ARGUMENT, "request.prompt: NULL, expected a text");
  ImageRequest request;
  request.width = from.width;
  request.height = from.height;
  request.steps = from.steps;
  request.prompt = from.prompt;
  if (from.negative_prompt != nullptr) request.negative_prompt = from.negative_prompt;
  request.guidance = from.guidance;
  request.cfg_normalization = from.cfg_normalization;
  request.cfg_truncation = from.cfg_truncation;
  request.seed = from.seed;
  request.sampler = view_of(from.sampler);
  request.schedule = view_of(from.schedule);
  request.init_image = checked_pixels(from.init_image, "request.init_image");
  request.mask = checked_pixels(from.mask, "request.mask");
  request.control_image = checked_pixels(from.control_image, "request.control_image");
  request.strength = from.strength;
  request.control_scale = from.control_scale;
  for (std::uint32_t i = 0; i < from.lora_count; ++i) {
    checked(from.loras, "request.loras");
    const rh_lora& lora = checked(&list_item(from.loras, i), "request.loras");
    if (lora.path == nullptr) throw Error(RH_INVALID_ARGUMENT, "request.loras: a path is NULL");
    request.loras.push_back({lora.path, lora.strength});
  }
  if (RH_HAS_FIELD(&from, rh_image_request, preview_every)) request.preview_every = from.preview_every;
  return request;
}

}  // namespace detail

// The host's ear during one generate. Every function but `cancelled` belongs to the thread of generate.
class Sink {
 public:
  // Borrows all three for the call.
  Sink(const rh_image_sink* sink, const ImageRequest& request, const Options& options)
      : sink_(checked(sink, "sink")), request_(request), options_(options) {}

  // Whether to stop. Ask at least once per transformer block. [any-thread]
  bool cancelled() const { return sink_.cancelled(sink_.context) != 0; }

  // Throws CANCELLED when the host asks to stop.
  void check_cancelled() const {
    if (cancelled()) throw Error(RH_CANCELLED, "cancelled");
  }

  // Unit `step` of `steps` (1-based) of a stage (RH_STAGE_*) is done. Throws CANCELLED when the host asks to
  // stop, UNKNOWN_OPTION when an option of the request was not read by now. Without elapsed_ns the time since
  // the previous report counts.
  void progress(std::uint32_t stage, std::uint32_t step, std::uint32_t steps,
                std::optional<std::uint64_t> elapsed_ns = {}) {
    options_.refuse_unread();
    const std::uint64_t measured = lap(last_report_);
    const rh_progress record{sizeof record, stage, step, steps, elapsed_ns.value_or(measured)};
    if (sink_.progress(sink_.context, &record) != 0 || cancelled()) {
      throw Error(RH_CANCELLED, "cancelled during " + stage_name(stage) + ", step " + std::to_string(step) +
                                    " of " + std::to_string(steps));
    }
  }

  // A stage has ended. Without elapsed_ns the time since the previous stage ended counts; 0 operations or
  // bytes = not counted. `preview_ns` of the time were previews. Of an encoder that reads the first `used` of
  // a prompt's `tokens`.
  void stage(std::uint32_t stage, std::optional<std::uint64_t> elapsed_ns = {}, std::uint64_t operations = 0,
             std::uint64_t activation_bytes = 0, std::uint64_t preview_ns = 0, std::uint32_t tokens = 0,
             std::uint32_t used = 0) {
    options_.refuse_unread();
    const std::uint64_t measured = lap(last_stage_);
    const rh_stage_report record{
        sizeof record, stage, elapsed_ns.value_or(measured), operations, activation_bytes, preview_ns,
        tokens,        used};
    sink_.stage(sink_.context, &record);
  }

  // Whether the host wants to see how the image looks after that step, the progress of which was told.
  bool wants_preview(std::uint32_t step) const {
    return sink_.preview != nullptr && request_.preview_every > 0 && step % request_.preview_every == 0 &&
           step < request_.steps;
  }

  // width * height * 3 values, as for image(); no side longer than the image's. After wants_preview.
  void preview(std::uint32_t width, std::uint32_t height, std::span<const float> rgb) {
    const rh_pixels image = pixels(width, height, rgb);
    sink_.preview(sink_.context, &image);
  }

  // The image, once: width * height * 3 values, interleaved, rows from the top, nominally 0 to 1. Throws
  // what the host answers, PIPELINE_ERROR for a value that is not finite, ENGINE_INTERNAL for an image of
  // the wrong size or a second one.
  void image(std::span<const float> rgb) {
    options_.refuse_unread();
    if (delivered_) throw Error(RH_ENGINE_INTERNAL, "a second image was made, expected one");
    const rh_pixels image = pixels(request_.width, request_.height, rgb);
    std::size_t bad = 0;
    for (const float value : rgb)
      bad += std::isfinite(value) ? 0U : 1U;
    if (bad != 0) {
      throw Error(RH_PIPELINE_ERROR,
                  "decode: " + std::to_string(bad) + " values of the image are not finite");
    }
    delivered_ = true;
    rh_error error{sizeof error, RH_OK, {}};
    const rh_status status = sink_.image(sink_.context, &image, &error);
    if (status != RH_OK) throw Error(status, error.message);
  }

  bool delivered() const { return delivered_; }

 private:
  static std::string stage_name(std::uint32_t stage) {
    if (stage == RH_STAGE_ENCODE) return "encode";
    if (stage == RH_STAGE_DENOISE) return "denoise";
    return stage == RH_STAGE_DECODE ? "decode" : "stage " + std::to_string(stage);
  }

  static rh_pixels pixels(std::uint32_t width, std::uint32_t height, std::span<const float> rgb) {
    const std::uint64_t row_bytes = std::uint64_t{width} * 3 * sizeof(float);
    if (rgb.size_bytes() != row_bytes * height) {
      throw Error(RH_ENGINE_INTERNAL, "the image has " + std::to_string(rgb.size()) + " values, expected " +
                                          std::to_string(row_bytes / sizeof(float) * height));
    }
    return {sizeof(rh_pixels), RH_PIXELS_RGB_F32, width, height, row_bytes, rgb.size_bytes(), rgb.data()};
  }

  using Clock = std::chrono::steady_clock;

  // Nanoseconds since `last`, which becomes now.
  static std::uint64_t lap(Clock::time_point& last) {
    const Clock::duration passed = Clock::now() - last;
    last += passed;
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(passed).count());
  }

  const rh_image_sink& sink_;
  const ImageRequest& request_;
  const Options& options_;
  Clock::time_point last_report_ = Clock::now();
  Clock::time_point last_stage_ = last_report_;
  bool delivered_ = false;
};

}  // namespace roundhouse
