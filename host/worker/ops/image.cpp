// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/image.h"

#include <fmt/format.h>

#include "host/worker/image_of.h"
#include "host/worker/message_json.h"
#include "host/worker/ops/task_json.h"
#include "host/worker/progress_rate.h"
#include "host/worker/redaction.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {

using Json = nlohmann::json;

static void to_json(Json& json, const StageTiming& stage) {
  json = Json::array({stage.stage, stage.milliseconds, stage.operations, stage.activation_bytes,
                      stage.peak_memory_bytes, stage.preview_milliseconds, stage.prompt_tokens,
                      stage.used_prompt_tokens});
}
static void from_json(const Json& json, StageTiming& stage) {
  stage = {json.at(0).get<std::string>(),   json.at(1).get<double>(),        json.at(2).get<std::uint64_t>(),
           json.at(3).get<std::uint64_t>(), json.at(4).get<std::uint64_t>(), json.at(5).get<double>(),
           json.at(6).get<std::uint32_t>(), json.at(7).get<std::uint32_t>()};
}

namespace {

Json optional_text(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

std::optional<std::string> optional_text(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<std::string>();
}

// More than any sensible engine sends; beyond it reports are dropped, so that none can fill the memory.
constexpr std::size_t kMaximumReports = 65536;

// ---- host ----

// Hears the events of one call.
class Listener {
 public:
  Listener(const ImageTask& task, const CallEvents& events) : task_(task), events_(events) {}

  void take(Message& event, bool stopping) {
    if (!event.payload.empty()) {
      const PreviewEvent preview = preview_of(event);
      if (!stopping && events_.preview) events_.preview(preview);
      return;
    }
    last_ = decode<ProgressEvent>(event.json);
    if (!stopping && events_.progress) events_.progress(*last_);
  }

  std::string position() const {
    if (!last_ || last_->steps == 0) return "";
    return fmt::format("{}, after step {} of {}", last_->stage, last_->step, last_->steps);
  }

 private:
  // No larger than the image.
  PreviewEvent preview_of(Message& event) const {
    auto preview = decode<PreviewEvent>(event.json);
    Image& image = preview.image;
    if (task_.preview_every == 0 || image.width == 0 || image.height == 0 || image.width > task_.width ||
        image.height > task_.height ||
        event.payload.size() != std::uint64_t{3} * image.width * image.height) {
      throw FrameError("a preview of another size");
    }
    image.rgb = std::move(event.payload);
    return preview;
  }

  const ImageTask& task_;
  const CallEvents& events_;
  std::optional<ProgressEvent> last_;
};

void read_answer(Message& answer, const ImageTask& task, ImageResult& result) {
  result = decode<ImageResult>(answer.json);
  if (result.image.width != task.width || result.image.height != task.height ||
      answer.payload.size() != std::uint64_t{3} * task.width * task.height) {
    throw FrameError("an image of another size");
  }
  result.image.rgb = std::move(answer.payload);
}

}  // namespace

ImageResult generate(EngineClient& client, const ImageTask& asked, const CallEvents& events) {
  ImageTask task = asked;
  if (!events.preview) task.preview_every = 0;
  const std::uint64_t samples = std::uint64_t{3} * task.width * task.height;
  Listener listener(task, events);
  ImageResult result;
  client.call({.operation = "generate",
               .request = with_init(encode(task), task),
               .maximum_answer = samples,
               .maximum_event = task.preview_every > 0 ? samples : 0,
               .private_texts = private_texts(task),
               .answer = [&](Message& answer) { read_answer(answer, task, result); },
               .event = [&](Message& event, bool stopping) { listener.take(event, stopping); },
               .position = [&] { return listener.position(); }});
  return result;
}

// ---- worker ----

std::string stage_name(std::uint32_t stage) {
  switch (stage) {
    case RH_STAGE_LOAD:
      return "load";
    case RH_STAGE_ENCODE:
      return "encode";
    case RH_STAGE_DENOISE:
      return "denoise";
    case RH_STAGE_DECODE:
      return "decode";
    default:
      return fmt::format("stage {}", stage);
  }
}

namespace {

double milliseconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

// What the sink's context points to. The functions below may throw: the loading room's watch keeps it from
// crossing the plugin.
struct Generation {
  CallContext& call;
  const ImageTask& task;
  ImageResult result = {};
  StretchPeak peak = {};
  std::uint32_t step = 0;        // the last one told
  std::int64_t stage = -1;       // the one at work; none yet
  std::uint32_t stage_step = 0;  // its furthest step
  std::uint32_t previews = 0;
  ProgressRate rate = {};
};

Generation& generation_of(void* context) {
  return *static_cast<Generation*>(context);
}

std::int32_t on_cancelled(void* context) {
  Generation& generation = generation_of(context);
  generation.peak.look();
  return asks_to_stop(generation.call) ? 1 : 0;
}

// A report that goes no further than those before is as good as silence, and is not passed on.
bool advances(Generation& generation, const rh_progress& progress) {
  if (progress.stage == generation.stage && progress.step <= generation.stage_step) return false;
  generation.stage = progress.stage;
  generation.stage_step = progress.step;
  return true;
}

std::int32_t on_progress(void* context, const rh_progress* progress) {
  Generation& generation = generation_of(context);
  const double elapsed = milliseconds(progress->elapsed_ns);
  auto& steps = generation.result.step_milliseconds;
  if (progress->stage == RH_STAGE_DENOISE && steps.size() < kMaximumReports) steps.push_back(elapsed);
  if (progress->stage == RH_STAGE_DENOISE) generation.step = progress->step;
  if (!advances(generation, *progress)) return generation.call.is_cancelled() ? 1 : 0;
  if (!generation.rate.allows()) return on_cancelled(context);
  generation.call.send(
      {encode(ProgressEvent{stage_name(progress->stage), progress->step, progress->steps, elapsed, 0})});
  return on_cancelled(context);
}

void on_stage(void* context, const rh_stage_report* report) {
  Generation& generation = generation_of(context);
  if (generation.result.stages.size() >= kMaximumReports) return;
  const std::uint64_t peak = generation.peak.take();
  generation.result.stages.push_back({stage_name(report->stage), milliseconds(report->elapsed_ns),
                                      report->operations, report->activation_bytes, peak,
                                      milliseconds(report->preview_ns), report->prompt_tokens,
                                      report->used_prompt_tokens});
  const auto note = long_prompt_note(generation.result.stages.back(), generation.task.negative_prompt);
  if (note && generation.task.refuse_long_prompt) throw Error(RH_INVALID_ARGUMENT, "prompt: " + *note);
}

// More than there are steps are dropped.
void on_preview(void* context, const rh_pixels* pixels) {
  Generation& generation = generation_of(context);
  if (generation.previews >= generation.task.steps) return;
  ++generation.previews;
  PreviewEvent event{generation.step, generation.task.steps, image_of(*pixels)};
  generation.call.send({encode(event), std::move(event.image.rgb)});
}

rh_status on_image(void* context, const rh_pixels* pixels, rh_error* /*error*/) {
  generation_of(context).result.image = image_of(*pixels);
  return RH_OK;
}

}  // namespace

Message work_generate(LoadedEngine& engine, const Message& request, CallContext& call) {
  auto task = decode<ImageTask>(request.json);
  take_init(request, task);
  Plugin::Model& model = engine.model();
  Generation generation{call, task};
  const ImageRecord record(task);
  rh_image_sink sink{};
  sink.struct_size = sizeof sink;
  sink.context = &generation;
  sink.progress = on_progress;
  sink.stage = on_stage;
  sink.cancelled = on_cancelled;
  sink.image = on_image;
  if (task.preview_every > 0) sink.preview = on_preview;
  run_call(call, "generate", [&] { model.generate(record.get(), sink); });
  generation.result.peak_memory_bytes = peak_memory_bytes();
  return {encode(generation.result), std::move(generation.result.image.rgb)};
}

// ---- messages ----

void to_json(Json& json, const ImageTask& task) {
  json = {{"prompt", task.prompt},
          {"negative_prompt", optional_text(task.negative_prompt)},
          {"width", task.width},
          {"height", task.height},
          {"steps", task.steps},
          {"guidance", task.guidance},
          {"cfg_normalization", task.cfg_normalization},
          {"cfg_truncation", task.cfg_truncation},
          {"seed", task.seed},
          {"sampler", optional_text(task.sampler)},
          {"schedule", optional_text(task.schedule)},
          {"preview_every", task.preview_every},
          {"refuse_long_prompt", task.refuse_long_prompt},
          {"options", task.options},
          {"init", task.init ? Json{{"strength", task.init->strength}, {"mask", !task.init->mask.empty()}}
                             : Json(nullptr)}};
}

void from_json(const Json& json, ImageTask& task) {
  task.prompt = member<std::string>(json, "prompt");
  task.negative_prompt = optional_text(json.at("negative_prompt"));
  task.width = member<std::uint32_t>(json, "width");
  task.height = member<std::uint32_t>(json, "height");
  task.steps = member<std::uint32_t>(json, "steps");
  task.guidance = member<double>(json, "guidance");
  task.cfg_normalization = member<double>(json, "cfg_normalization");
  task.cfg_truncation = member<double>(json, "cfg_truncation");
  task.seed = member<std::uint64_t>(json, "seed");
  task.sampler = optional_text(json.at("sampler"));
  task.schedule = optional_text(json.at("schedule"));
  task.preview_every = member<std::uint32_t>(json, "preview_every");
  task.refuse_long_prompt = member<bool>(json, "refuse_long_prompt");
  task.options = member<std::vector<EngineOption>>(json, "options");
  if (const Json& init = json.at("init"); !init.is_null()) {
    InitImage image;
    image.strength = member<double>(init, "strength");
    if (member<bool>(init, "mask")) image.mask.resize(1);  // until take_init
    task.init = std::make_shared<const InitImage>(std::move(image));
  }
}

std::string encode(const ImageTask& task) {
  return message_text(task);
}

template <>
ImageTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return json.get<ImageTask>(); });
}

std::string encode(const ImageResult& result) {
  return message_text({{"width", result.image.width},
                       {"height", result.image.height},
                       {"stages", result.stages},
                       {"step_milliseconds", result.step_milliseconds},
                       {"peak_memory_bytes", result.peak_memory_bytes}});
}

template <>
ImageResult decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    ImageResult result;
    result.image.width = member<std::uint32_t>(json, "width");
    result.image.height = member<std::uint32_t>(json, "height");
    result.stages = member<std::vector<StageTiming>>(json, "stages");
    result.step_milliseconds = member<std::vector<double>>(json, "step_milliseconds");
    result.peak_memory_bytes = member<std::uint64_t>(json, "peak_memory_bytes");
    return result;
  });
}

std::string encode(const PreviewEvent& event) {
  return message_text({{"step", event.step},
                       {"steps", event.steps},
                       {"width", event.image.width},
                       {"height", event.image.height}});
}

template <>
PreviewEvent decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return PreviewEvent{
        member<std::uint32_t>(json, "step"), member<std::uint32_t>(json, "steps"),
        Image{member<std::uint32_t>(json, "width"), member<std::uint32_t>(json, "height"), {}}};
  });
}

}  // namespace roundhouse::host
