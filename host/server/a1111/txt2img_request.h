// SPDX-License-Identifier: Apache-2.0
// A request for images in the words of that world.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/server/a1111/settings.h"

namespace roundhouse::host::a1111 {

struct Txt2ImgRequest {
  GenerateRequest request;  // of all images together
  std::uint32_t batch_size = 1, n_iter = 1;
  bool send_images = true;
  ImageFileForm form;         // the kind of file
  bool keep_options = false;  // override_settings stay
  std::string checkpoint;     // of override_settings; empty: none
  std::vector<std::string> notes;
};

// A cfg_scale of 1 is that world's "off", as a guidance of 0 is ours; below 1 there is no less than off.
double guidance_of_cfg_scale(double cfg_scale);
double cfg_scale_of_guidance(double guidance);

// Numbers and truths that clients send as text, as themselves: that world takes both.
JsonFields with_plain_values(const JsonFields& fields);

// Throws INVALID_ARGUMENT for wrong types and ranges, CAPABILITY_UNSUPPORTED for what no engine does (a
// second pass, face restoration, tiling, variations, scripts), LORA_UNSUPPORTED_ENGINE for a LoRA in the
// prompt, and what resolving the model throws. Sides are rounded down to what the model's multiple allows, as
// there.
Txt2ImgRequest read_txt2img(const JsonFields& fields, const Services& services, const Settings& settings);

}  // namespace roundhouse::host::a1111
