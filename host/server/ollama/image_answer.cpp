// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/image_answer.h"

#include <utility>

#include "host/server/ollama/clock.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::ollama {
namespace {

std::int64_t nanoseconds(double milliseconds) {
  return static_cast<std::int64_t>(milliseconds * 1e6);
}

}  // namespace

ImageAnswer::ImageAnswer(const Services& services, http::Exchange& exchange, std::string model, bool stream,
                         bool metadata)
    : services_(services),
      exchange_(exchange),
      model_(std::move(model)),
      wants_stream_(stream),
      metadata_(metadata) {
}

ImageAnswer::Json ImageAnswer::line(bool done) const {
  Json json;
  json["model"] = model_;
  json["created_at"] = now_text();
  json["response"] = "";
  json["done"] = done;
  return json;
}

void ImageAnswer::write(const Json& json) {
  if (stream_ != nullptr && !stream_->write(json_text(json) + "\n"))
    throw Error(RH_CANCELLED, "cancelled: the client has gone");
}

void ImageAnswer::on_step(const StepEvent& event) {
  if (event.stage != "denoise") return;
  step_milliseconds_ += event.step_milliseconds;
  Json json = line(false);
  json["completed"] = event.step;
  json["total"] = event.steps;
  if (event.eta_seconds) json["eta_seconds"] = *event.eta_seconds;
  write(json);
}

void ImageAnswer::on_image(const ImageFile& image) {
  result_ = line(true);
  result_["done_reason"] = "stop";
  result_["image"] = base64_encoded(image.bytes);
  result_["engine"] = image.record.engine;
  result_["seed"] = image.record.job.seed;
  result_["width"] = image.record.job.width;
  result_["height"] = image.record.job.height;
  steps_ = image.record.job.steps;
}

void ImageAnswer::run(const GenerateRequest& request, std::optional<KeepAlive> keep_alive) {
  ImageFileEvents events;
  events.begun = [this](const GeneratePlan& plan, const LeaseReport& lease) {
    load_nanoseconds_ = nanoseconds(lease.waiting_milliseconds + lease.loading_milliseconds);
    tell_placement(exchange_, plan);
    if (wants_stream_) stream_ = &exchange_.begin(200, http::kNdjson);
  };
  events.progress = [this](const StepEvent& event) { on_step(event); };
  events.image = [this](std::uint32_t, const ImageFile& image) { on_image(image); };
  const auto notes = make_image_files(services_, exchange_, request, keep_alive, events, {{}, metadata_});
  result_["total_duration"] = nanoseconds_since(begin_);
  result_["load_duration"] = load_nanoseconds_;
  result_["eval_count"] = steps_;
  result_["eval_duration"] = nanoseconds(step_milliseconds_);
  if (!notes.empty()) result_["notes"] = notes;
  if (stream_ != nullptr) return write(result_);
  exchange_.send(200, http::kJson, json_text(result_) + "\n");
}

}  // namespace roundhouse::host::ollama
