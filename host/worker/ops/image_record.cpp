// SPDX-License-Identifier: Apache-2.0
// An image's task in C's form, and the pixels that travel beside its JSON.
#include "host/worker/frame.h"
#include "host/worker/ops/image.h"

namespace roundhouse::host {
namespace {

const char* c_string(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

rh_pixels pixels_of(std::uint32_t format, const ImageTask& task, std::uint64_t channels,
                    const std::vector<std::uint8_t>& samples) {
  return {sizeof(rh_pixels),     format,         task.width,    task.height,
          channels * task.width, samples.size(), samples.data()};
}

}  // namespace

Message with_init(std::string json, const ImageTask& task) {
  Message message{std::move(json), {}};
  if (!task.init) return message;
  message.payload = task.init->image.rgb;
  message.payload.insert(message.payload.end(), task.init->mask.begin(), task.init->mask.end());
  return message;
}

// Decoding has left a mask of one byte where there is to be one.
void take_init(const Message& request, ImageTask& task) {
  if (!task.init) {
    if (!request.payload.empty()) throw FrameError("pixels for no image to begin with");
    return;
  }
  InitImage init = *task.init;
  const std::uint64_t pixels = std::uint64_t{task.width} * task.height;
  if (request.payload.size() != pixels * (init.mask.empty() ? 3 : 4))
    throw FrameError("an image to begin with of another size");
  const auto end = request.payload.begin() + static_cast<std::ptrdiff_t>(3 * pixels);
  init.image = {task.width, task.height, {request.payload.begin(), end}};
  init.mask.assign(end, request.payload.end());
  task.init = std::make_shared<const InitImage>(std::move(init));
}

ImageRecord::ImageRecord(const ImageTask& task) : options_(task.options) {
  if (task.init) {
    const InitImage& init = *task.init;
    init_ = pixels_of(RH_PIXELS_RGB_U8, task, 3, init.image.rgb);
    record_.init_image = &init_;
    record_.strength = init.strength;
    if (!init.mask.empty()) {
      mask_ = pixels_of(RH_PIXELS_GRAY_U8, task, 1, init.mask);
      record_.mask = &mask_;
    }
  }
  record_.struct_size = sizeof record_;
  record_.width = task.width;
  record_.height = task.height;
  record_.steps = task.steps;
  record_.prompt = task.prompt.c_str();
  record_.negative_prompt = c_string(task.negative_prompt);
  record_.guidance = task.guidance;
  record_.cfg_normalization = task.cfg_normalization;
  record_.cfg_truncation = task.cfg_truncation;
  record_.seed = task.seed;
  record_.sampler = c_string(task.sampler);
  record_.schedule = c_string(task.schedule);
  record_.options = options_.list();
  record_.preview_every = task.preview_every;
}

}  // namespace roundhouse::host
