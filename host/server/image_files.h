// SPDX-License-Identifier: Apache-2.0
// Images while they are made, for dialects that answer with each as soon as it is finished.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/images/image_format.h"
#include "host/server/generation.h"
#include "host/server/pool_request.h"

namespace roundhouse::host {

// A finished image as a file, and what made it.
struct ImageFile {
  ImageMetadata record;
  std::string bytes;               // with its metadata inside
  std::vector<std::string> notes;  // on this image: a prompt that is not read to its end
};

// What images become, and whether they carry what made them.
struct ImageFileForm {
  ImageEncoding encoding;
  bool metadata = true;
};

// encode_image, as a text of bytes.
std::string image_file(const Image& image, const ImageEncoding& encoding, const ImageTexts& texts);

struct ImageFileEvents {
  // An engine works on the request, which no other can get any more: its first word was heard. Once, before
  // all others. A worker may die before that, and `lease` is then that of the next.
  std::function<void(const GeneratePlan& plan, const LeaseReport& lease)> begun;
  std::function<void(const StepEvent&)> progress;
  std::function<void(std::uint32_t image, const PreviewEvent&)> preview;
  std::function<void(std::uint32_t image, const ImageFile&)> image;
};

// generate_images with its images as files. Returns the notes on the request.
std::vector<std::string> make_image_files(const Services& services, http::Exchange& exchange,
                                          const GenerateRequest& request, std::optional<KeepAlive> keep_alive,
                                          const ImageFileEvents& events, const ImageFileForm& form,
                                          PreviewRate previews = {});

}  // namespace roundhouse::host
