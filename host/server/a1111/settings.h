// SPDX-License-Identifier: Apache-2.0
// What a client of that world sets once for all its requests: the model, and with it the engine.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "host/server/http/router.h"
#include "host/server/image_files.h"
#include "host/server/json_fields.h"
#include "host/server/services.h"
#include "host/session/session.h"

namespace roundhouse::host::a1111 {

// Any thread.
class Settings {
 public:
  // A reference as model_selector.h has them; empty: the default model.
  std::string checkpoint() const;
  void set_checkpoint(std::string reference);
  // samples_format, jpeg_quality and enable_pnginfo.
  ImageFileForm form() const;
  void set_form(const ImageFileForm& form);

 private:
  mutable std::mutex mutex_;
  ImageFileForm form_;
  std::string checkpoint_;
};

// Sets model and engine of `request`.
void take_checkpoint(const std::string& reference, GenerateRequest& request);
// The same from sd_model_checkpoint and engine of `options`, where they are there.
// Throws INVALID_ARGUMENT for other types.
void take_options(const JsonFields& options, GenerateRequest& request);
// Changes what samples_format (png, jpg, jpeg, webp), jpeg_quality and enable_pnginfo of `options` say.
// Throws INVALID_ARGUMENT for other values.
void take_form(const JsonFields& options, ImageFileForm& form);
// Whether one of the above reads the option of that name.
bool is_read_option(std::string_view name);
// Throws what place_model throws unless there is such a model.
void check_checkpoint(const Services& services, const std::string& reference);

// GET and POST /sdapi/v1/options, POST unload-checkpoint and reload-checkpoint.
void add_settings_routes(http::Router& router, const Services& services,
                         const std::shared_ptr<Settings>& settings);

}  // namespace roundhouse::host::a1111
