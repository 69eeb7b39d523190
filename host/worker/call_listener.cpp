// SPDX-License-Identifier: Apache-2.0
// From frames to the caller's functions.
#include "host/worker/call_listener.h"

#include "host/worker/convert_protocol.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {
namespace {

[[noreturn]] void refuse() {
  throw FrameError("a message that does not belong to its call");
}

PreviewEvent preview_of(const Frame& frame, const ImageTask& job) {
  auto preview = decode<PreviewEvent>(frame.json);
  const Image& picture = preview.image;
  if (picture.width == 0 || picture.height == 0 || picture.width > job.width || picture.height > job.height ||
      frame.payload.size() != std::uint64_t{3} * picture.width * picture.height) {
    throw FrameError("a preview of another size");
  }
  preview.image.rgb = frame.payload;
  return preview;
}

}  // namespace

bool SilentListener::take(const Frame& frame, bool /*stopping*/) {
  if (frame.type != FrameType::progress) refuse();
  return true;
}

bool EventListener::take(const Frame& frame, bool stopping) {
  if (frame.type == FrameType::preview && job_ != nullptr) {
    const PreviewEvent preview = preview_of(frame, *job_);
    return stopping || events_.show(preview);
  }
  if (frame.type != FrameType::progress) refuse();
  last_ = decode<ProgressEvent>(frame.json);
  return stopping || events_.tell(*last_);
}

bool ConvertListener::take(const Frame& frame, bool stopping) {
  if (frame.type != FrameType::converting) refuse();
  const auto event = decode<ConvertEvent>(frame.json);
  return stopping || seen_.tell(event);
}

}  // namespace roundhouse::host
