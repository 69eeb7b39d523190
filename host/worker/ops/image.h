// SPDX-License-Identifier: Apache-2.0
// Making an image (rh.image/1).
#pragma once

#include "host/task/events.h"
#include "host/task/image_task.h"
#include "host/worker/engine_call.h"
#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"
#include "roundhouse/ext/image.h"

namespace roundhouse::host {

// The host's end. Throws CAPABILITY_UNSUPPORTED when the model makes no images.
ImageResult generate(EngineClient& client, const ImageTask& task, const CallEvents& events = {});

// The worker's.
Message work_generate(LoadedEngine& engine, const Message& request, CallContext& call);

// A request with this JSON, whose payload are the pixels of the task's image to begin with, then its mask.
Message with_init(std::string json, const ImageTask& task);
// The reverse: puts the pixels of the payload into the task that was decoded from the JSON. Throws FrameError
// for a payload of another size.
void take_init(const Message& request, ImageTask& task);

// A task in C's form. Borrows what it was made of.
class ImageRecord {
 public:
  explicit ImageRecord(const ImageTask& task);
  ImageRecord(const ImageRecord&) = delete;
  ImageRecord& operator=(const ImageRecord&) = delete;
  const rh_image_request& get() const { return record_; }

 private:
  OptionRecords options_;
  rh_pixels init_{}, mask_{};
  rh_image_request record_{};
};

// "encode" for RH_STAGE_ENCODE.
std::string stage_name(std::uint32_t stage);

std::string encode(const ImageTask& task);
std::string encode(const ImageResult& result);  // without the samples: they are the payload
std::string encode(const PreviewEvent& event);  // likewise
template <>
ImageTask decode(const std::string& json);
template <>
ImageResult decode(const std::string& json);
template <>
PreviewEvent decode(const std::string& json);

}  // namespace roundhouse::host
