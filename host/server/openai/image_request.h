// SPDX-License-Identifier: Apache-2.0
// A request for images in OpenAI's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/residency/keep_alive.h"
#include "host/server/image_files.h"
#include "host/server/json_fields.h"
#include "host/session/session.h"

namespace roundhouse::host::openai {

struct ImageRequest {
  GenerateRequest request;
  std::optional<KeepAlive> keep_alive;
  std::string quality = "medium";    // low, medium or high
  std::optional<std::string> alias;  // the name of a model of OpenAI's, in place of which the default runs
  ImageFileForm form;                // the kind of file
  bool by_address = false;           // images as url, not as b64_json
  // A size that the model cannot draw becomes one that it can: with no model named, clients send a size by
  // habit.
  bool fit = false;
  bool stream = false;
  std::uint32_t partial_images = 0;
};

// Refuses with INVALID_ARGUMENT what has the wrong type or range. `exists` says
// whether there is a model of that name, which then comes before OpenAI's.
ImageRequest read_image_request(const JsonFields& fields,
                                const std::function<bool(const std::string&)>& exists);

// Models that clients ask for by themselves: every dall-e-*, gpt-image-* and chatgpt-image-*, with a date or
// without.
bool is_openai_model(const std::string& name);

// Steps for a quality: half of the model's own for low, half as many again for high, 1 to 50.
std::uint32_t steps_of_quality(const std::string& quality, std::uint32_t usual);

}  // namespace roundhouse::host::openai
