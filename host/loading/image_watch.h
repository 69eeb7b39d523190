// SPDX-License-Identifier: Apache-2.0
// Stands between a plugin and the caller's sink for one generate: checks what comes, passes on what is sound,
// keeps exceptions of the caller from crossing the plugin.
#pragma once

#include <string>

#include "host/loading/sink_watch.h"
#include "roundhouse/ext/image.h"

namespace roundhouse::host {

// Made on the thread that calls generate; lives for the call.
class ImageWatch : public SinkWatch {
 public:
  ImageWatch(std::string engine, const rh_image_request& request, const rh_image_sink& sink);

  const rh_image_sink* sink() const { return &own_; }

  // After a success: throws when a callback was misused, or when there was no image.
  void check_complete() const;

 private:
  static std::int32_t on_progress(void* context, const rh_progress* progress);
  static void on_stage(void* context, const rh_stage_report* report);
  static std::int32_t on_cancelled(void* context);
  static void on_preview(void* context, const rh_pixels* image);
  static rh_status on_image(void* context, const rh_pixels* image, rh_error* error);

  void take_image(const rh_pixels* image);

  const rh_image_request& request_;
  const rh_image_sink& caller_;
  rh_image_sink own_;
  bool has_image_ = false;
};

}  // namespace roundhouse::host
