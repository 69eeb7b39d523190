// SPDX-License-Identifier: Apache-2.0
// From a body to an image, with news on the way.
#include "host/server/native/image_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/images/encode_image.h"
#include "host/log/to_error.h"
#include "host/server/http/http_error.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host {
namespace {

using Json = nlohmann::ordered_json;

// Where the stages lie on the way from 0 to 100, as the pixel-art server's clients know them.
constexpr double kLoadingFrom = 5, kLoadingTo = 25, kEncoding = 30, kStepsFrom = 40, kStepsTo = 75;
constexpr double kDecoding = 80, kDrawn = 90, kPacked = 95, kSending = 98;
constexpr std::uint32_t kStepsUntilEta = 3;

std::string_view bytes_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Four bytes a pixel, the last one opaque.
std::vector<std::uint8_t> rgba_of(const Image& image) {
  std::vector<std::uint8_t> rgba;
  rgba.reserve(image.rgb.size() / 3 * 4);
  for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3)
    rgba.insert(rgba.end(), {image.rgb[i], image.rgb[i + 1], image.rgb[i + 2], 255});
  return rgba;
}

Json image_json(const Image& image, const std::string& mode, const std::vector<std::uint8_t>& bytes) {
  return {{"base64", base64_encoded(bytes_of(bytes))},
          {"width", image.width},
          {"height", image.height},
          {"mode", mode}};
}

Json facts_json(const Facts& facts) {
  Json json = Json::object();
  for (const auto& [key, value] : facts)
    json[key] = value;
  return json;
}

// How long everything took, and how much memory.
void add_figures(Json& json, const Generation& generation) {
  const ImageResult& result = generation.images.at(0).result;
  json["timings_ms"] = {{"waiting", generation.lease.waiting_milliseconds},
                        {"load", generation.lease.loading_milliseconds}};
  json["stages"] = Json::array();
  for (const StageTiming& stage : result.stages) {
    if (stage.stage != "load") json["timings_ms"][stage.stage] = stage.milliseconds;
    json["stages"].push_back(
        {{"stage", stage.stage}, {"ms", stage.milliseconds}, {"peak_memory_bytes", stage.peak_memory_bytes}});
  }
  json["step_ms"] = result.step_milliseconds;
  json["peak_memory_bytes"] = std::max(result.peak_memory_bytes, generation.lease.opened.peak_memory_bytes);
}

// With a queue of none, "full" is what the pixel-art server calls busy.
[[noreturn]] void rethrow_busy(const Services& services, const Error& error) {
  if (error.code() == RH_QUEUE_FULL && services.pool.limits().queue == 0) {
    throw http::HttpError(409, RH_QUEUE_FULL, "another generation in progress");
  }
  throw;
}

}  // namespace

ImageJob::ImageJob(const Services& services, ProgressTable& table, http::Exchange& exchange)
    : services_(services), table_(table), exchange_(exchange) {
}

void ImageJob::run() {
  native_ = read_native_request(exchange_.request(), services_);
  exchange_.notes()["generation_id"] = native_.id;
  table_.begin(native_.id, [this] { exchange_.cancel(); });
  try {
    exchange_.header("X-Generation-Id", native_.id);
    make();
  } catch (const std::exception& exception) {
    const Error error = to_error(exception);
    const bool cancelled = error.code() == RH_CANCELLED;
    table_.end(native_.id, cancelled ? ProgressState::cancelled : ProgressState::error, error.what());
    rethrow_busy(services_, error);
  }
  table_.end(native_.id, ProgressState::completed, "done");
}

void ImageJob::make() {
  const Generation generation =
      generate_images(services_, exchange_, native_.request, native_.keep_alive, events(),
                      PreviewRate{native_.stream ? native_.preview_every : 0, 0});
  advance(kDrawn, "drawn");
  const Json answer = result(generation);
  advance(kSending, "sending");
  if (stream_ != nullptr) {
    write(answer);
  } else {
    exchange_.send(200, http::kJson, json_text(answer) + "\n");
  }
}

GenerationEvents ImageJob::events() {
  GenerationEvents events;
  events.planned = [this](const GeneratePlan& plan) {
    if (native_.stream) stream_ = &exchange_.begin(200, http::kNdjson);
    table_.update(native_.id, [&](ProgressRecord& record) {
      record.width = plan.job.width;
      record.height = plan.job.height;
      record.total_steps = plan.job.steps;
    });
    tell();
  };
  events.queued = [this](const QueuedEvent& event) {
    const std::string before = std::to_string(event.position);
    advance(0, event.position == 0 ? "waiting, next in the queue" : "waiting, " + before + " before");
  };
  events.loading = [this](const LoadingEvent& event) {
    advance(kLoadingFrom + (kLoadingTo - kLoadingFrom) * event.fraction, "loading the model");
  };
  events.loaded = [this](const LeaseReport&) { advance(kLoadingTo, "the model is loaded"); };
  events.progress = [this](const StepEvent& event) { on_step(event); };
  events.preview = [this](std::uint32_t, const PreviewEvent& event) { on_preview(event); };
  return events;
}

void ImageJob::on_step(const StepEvent& event) {
  if (event.stage == "load") return;  // told by `loading`
  if (event.stage == "encode") return advance(kEncoding, "reading the prompt", &event);
  if (event.stage == "decode") {
    table_.update(native_.id, [&](ProgressRecord& record) { record.eta_seconds = event.eta_seconds; });
    return advance(kDecoding, "decoding", &event);
  }
  table_.update(native_.id, [&](ProgressRecord& record) {
    const double part = event.steps == 0 ? 1 : static_cast<double>(event.step) / event.steps;
    record.progress = kStepsFrom + (kStepsTo - kStepsFrom) * part;
    record.message = fmt::format("step {} of {}", event.step, event.steps);
    record.current_step = event.step;
    record.total_steps = event.steps;
    if (event.step < kStepsUntilEta) return;
    record.eta_seconds = event.eta_seconds;
    if (event.seconds_per_step > 0) record.seconds_per_step = event.seconds_per_step;
  });
  tell(&event);
}

void ImageJob::on_preview(const PreviewEvent& event) {
  Json line;
  line["event"] = "preview";
  line["generation_id"] = native_.id;
  line["current_step"] = event.step;
  line["total_steps"] = event.steps;
  line["image"] = image_json(event.image, "png", encode_image(event.image, {}, {}));
  write(line);
}

void ImageJob::advance(double progress, const std::string& message, const StepEvent* step) {
  table_.update(native_.id, [&](ProgressRecord& record) {
    record.progress = progress;
    record.message = message;
  });
  tell(step);
}

void ImageJob::tell(const StepEvent* step) {
  if (stream_ == nullptr) return;
  const auto record = table_.find(native_.id);
  if (!record) return;
  Json line;
  line["event"] = "progress";
  line.update(progress_json(*record, table_.now()));
  if (step != nullptr) {
    line["stage"] = step->stage;
    line["stage_step"] = step->step;
    line["stage_steps"] = step->steps;
    line["stage_step_ms"] = step->step_milliseconds;
  }
  write(line);
}

void ImageJob::write(const Json& line) {
  if (stream_ == nullptr || stream_->write(json_text(line) + "\n")) return;
  throw Error(RH_CANCELLED, "the client left");
}

Json ImageJob::result(const Generation& generation) const {
  const FinishedImage& image = generation.images.at(0);
  const ImageMetadata record = generation.record(0, services_.version);
  Json json;
  if (native_.stream) json["event"] = "result";
  json["success"] = true;
  json["image"] = file_json(image.result.image, record);
  json["seed"] = image.seed;
  json["prompt"] = native_.prompt;
  json["generation_time"] = generation.seconds;
  json["generation_id"] = native_.id;
  json["engine"] = generation.plan.engine;
  json["engine_version"] = record.engine_version;
  json["model_name"] = name_of(generation.plan.model);
  json["device"] = generation.plan.device;
  json["prompt_used"] = record.job.prompt;
  json["steps"] = record.job.steps;
  json["guidance"] = record.job.guidance;
  json["cfg_normalization"] = record.job.cfg_normalization;
  json["cfg_truncation"] = record.job.cfg_truncation;
  json["sampler"] = record.sampler ? Json(*record.sampler) : Json();
  json["schedule"] = record.schedule ? Json(*record.schedule) : Json();
  json["facts"] = {{"engine", facts_json(generation.lease.opened.engine.facts)},
                   {"model", facts_json(record.facts)}};
  add_figures(json, generation);
  json["notes"] = native_.notes;
  for (const std::string& note : generation.plan.notes)
    json["notes"].push_back(note);
  return json;
}

Json ImageJob::file_json(const Image& image, const ImageMetadata& record) const {
  std::vector<std::uint8_t> bytes;
  if (native_.encoding) {
    bytes = encode_image(image, *native_.encoding, native_.metadata ? metadata_texts(record) : ImageTexts{});
  } else {
    bytes = rgba_of(image);
  }
  Json json = image_json(image, native_.encoding ? name_of(native_.encoding->format) : "rgba", bytes);
  json["fit_mode"] = native_.fit_mode;
  json["preserve_aspect"] = native_.preserve_aspect;
  return json;
}

}  // namespace roundhouse::host
