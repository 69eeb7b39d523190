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
  std::string png;                 // with its metadata inside
  std::vector<std::string> notes;  // on this image: a prompt that is not read to its end
};

// encode_png, as a text of bytes.
std::string png_file(const Image& picture, const PngTexts& texts);

// Says in the fields X-Roundhouse-Engine and X-Roundhouse-Model of the answer what does it. Once, from
// `begun`.
void tell_engine(http::Exchange& exchange, const GeneratePlan& plan);

struct PictureEvents {
  // An engine works on the request, which no other can get any more: its first word was heard. Once, before
  // all others. A worker may die before that, and `lease` is then that of the next.
  std::function<void(const GeneratePlan& plan, const LeaseReport& lease)> begun;
  std::function<void(const StepEvent&)> progress;
  std::function<void(std::uint32_t image, const PreviewEvent&)> preview;
  std::function<void(std::uint32_t image, const PictureFile&)> picture;
};

// generate_pictures with its pictures as files, which carry what made them where `metadata` says so. Returns
// the notes on the request.
std::vector<std::string> make_picture_files(const Services& services, http::Exchange& exchange,
                                            const GenerateRequest& request,
                                            std::optional<KeepAlive> keep_alive, const PictureEvents& events,
                                            bool metadata, PreviewRate previews = {});

}  // namespace roundhouse::host
