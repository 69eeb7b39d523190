// SPDX-License-Identifier: Apache-2.0
// Stands between a plugin and the caller's sink for one generate: checks what comes, passes on what is sound,
// keeps exceptions of the caller from crossing the plugin.
#pragma once

#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "roundhouse/ext/image.h"

namespace roundhouse::host {

// Made on the thread that calls generate; lives for the call.
class ImageWatch {
 public:
  ImageWatch(std::string engine, const rh_image_request& request, const rh_image_sink& sink);
  ImageWatch(const ImageWatch&) = delete;
  ImageWatch& operator=(const ImageWatch&) = delete;

  const rh_image_sink* sink() const { return &own_; }

  // Throws what the caller's functions threw, the refusal of an image (by this watch or by the caller's
  // sink): they come before what the plugin says of it.
  void rethrow_refusal() const;
  // After a success: throws when a callback was misused, or when there was no image.
  void check_complete() const;

 private:
  static std::int32_t on_progress(void* context, const rh_progress* progress);
  static void on_stage(void* context, const rh_stage_report* report);
  static std::int32_t on_cancelled(void* context);
  static void on_preview(void* context, const rh_pixels* image);
  static rh_status on_image(void* context, const rh_pixels* image, rh_error* error);

  void check_thread(const char* callback) const;
  void take_image(const rh_pixels* image);
  // Runs one callback; what it throws is kept. False: it threw.
  template <class Work>
  bool keep(std::exception_ptr ImageWatch::*slot, Work&& work);
  bool refused() const;

  std::string engine_;
  const rh_image_request& request_;
  const rh_image_sink& caller_;
  rh_image_sink own_;
  std::thread::id thread_ = std::this_thread::get_id();
  bool has_image_ = false;

  mutable std::mutex mutex_;  // `cancelled` comes from any thread, and so may what must not
  std::exception_ptr refusal_;
  std::exception_ptr misuse_;
};

}  // namespace roundhouse::host
