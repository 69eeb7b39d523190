// SPDX-License-Identifier: Apache-2.0
// Pictures while they are made, for dialects that answer with each as soon as it is finished.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/server/generation.h"

namespace roundhouse::host {

// A finished picture as a file, and what made it.
struct PictureFile {
  PictureRecord record;
  std::string png;  // with its metadata inside
};

// encode_png, as a text of bytes.
std::string png_file(const Image& picture, const PngTexts& texts);

// Says in the fields X-Roundhouse-Engine and X-Roundhouse-Model of the answer what does it. Once, from
// `begun`.
void tell_engine(http::Exchange& exchange, const GeneratePlan& plan);

struct PictureEvents {
  // An engine has the model; `plan` is what it will do. Before all others.
  std::function<void(const GeneratePlan& plan)> begun;
  std::function<void(const StepEvent&)> progress;
  std::function<void(std::uint32_t image, const PreviewEvent&)> preview;
  std::function<void(std::uint32_t image, const PictureFile&)> picture;
};

// generate_pictures with its pictures as files. Returns the notes on the request.
std::vector<std::string> make_picture_files(const Services& services, http::Exchange& exchange,
                                            const GenerateRequest& request,
                                            std::optional<KeepAlive> keep_alive, const PictureEvents& events,
                                            PreviewRate previews = {});

}  // namespace roundhouse::host
