// SPDX-License-Identifier: Apache-2.0
// A sink that watches one generate: what it was told, when and on which thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "sdk/conformance/subject.h"

namespace conformance {

// When the host asks to stop.
enum class StopBy { nothing, progress, cancelled };

class ImageWatch {
 public:
  ImageWatch(Report& report, const rh_image_request& request, bool newer);

  StopBy stop_by = StopBy::nothing;
  rh_status answer = RH_OK;  // what the sink's image function returns

  // Runs generate and checks what can be checked whatever the result is (P24, P25).
  rh_status generate(rh_model* model, const rh_image& image, const rh_image_request* request,
                     rh_error* error);

  unsigned images() const { return images_; }
  unsigned asked() const { return asked_; }
  const std::vector<unsigned char>& pixels() const { return pixels_; }

 private:
  static int32_t on_progress(void* context, const rh_progress* progress);
  static void on_stage(void* context, const rh_stage_report* report);
  static int32_t on_cancelled(void* context);
  static void on_preview(void* context, const rh_pixels* image);
  static rh_status on_image(void* context, const rh_pixels* image, rh_error* error);

  void on_own_thread(const char* callback);
  void look_at(const rh_pixels* image);
  // The samples without gaps between rows; empty when they cannot be read.
  std::vector<unsigned char> values_of(const rh_pixels* image, const std::string& name);

  Report& report_;
  const rh_image_request& request_;
  HostRecord<rh_image_sink> sink_;
  std::thread::id thread_;
  std::atomic<bool> inside_{false};
  std::atomic<unsigned> asked_{0};
  unsigned images_ = 0;
  std::uint32_t stage_ = 0;
  std::uint32_t step_ = 0;
  std::uint32_t denoise_steps_ = 0;
  std::uint32_t reported_stages_ = 0;  // a bit a stage
  std::vector<unsigned char> pixels_;
};

}  // namespace conformance
