// SPDX-License-Identifier: Apache-2.0
// Requests to POST /generate, and its answers as the record of a run.
#include "host/cli/generate_remote.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/cli/daemon_client.h"
#include "host/images/read_image.h"
#include "host/session/values.h"
#include "host/transport/base64.h"

namespace roundhouse::host {
namespace {

template <typename Value>
void put(OrderedJson& body, const char* name, const std::optional<Value>& value) {
  if (value) body[name] = *value;
}

// A directory is the daemon's to read, whose working directory is another.
std::string model_reference(const std::string& text) {
  std::error_code error;
  if (text.find('/') == std::string::npos || !std::filesystem::is_directory(text, error)) return text;
  return std::filesystem::absolute(text).lexically_normal().string();
}

OrderedJson body_of(const GenerateFlags& flags, const GenerateRequest& request) {
  OrderedJson body;
  body["prompt"] = request.prompt;
  body["exact"] = true;
  const ImageEncoding encoding = image_encoding(flags);
  body["format"] = name_of(encoding.format);
  put(body, "quality", encoding.quality);
  body["stream"] = true;
  body["metadata"] = !flags.no_metadata;
  put(body, "negative_prompt", request.negative_prompt);
  if (flags.init_image)
    body["init_image"] = base64_encoded(read_image_file("--init-image", *flags.init_image));
  if (flags.mask) body["mask"] = base64_encoded(read_image_file("--mask", *flags.mask));
  put(body, "strength", request.strength);
  if (request.model) body["model"] = model_reference(*request.model);
  put(body, "engine", request.engine);
  put(body, "steps", request.steps);
  put(body, "width", request.width);
  put(body, "height", request.height);
  put(body, "aspect", request.aspect);
  put(body, "guidance", request.guidance);
  put(body, "cfg_normalization", request.cfg_normalization);
  put(body, "cfg_truncation", request.cfg_truncation);
  if (request.refuse_long_prompt) body["long_prompt"] = "error";
  put(body, "seed", request.seed);
  put(body, "sampler", request.sampler);
  put(body, "schedule", request.schedule);
  put(body, "weights", request.weights);
  body["device"] = request.device;
  body["allow_cpu"] = request.allow_cpu;
  return body;
}

Facts facts_of(const OrderedJson& object) {
  Facts facts;
  for (const auto& [key, value] : object.items())
    facts.emplace_back(key, value.get<std::string>());
  return facts;
}

std::optional<std::string> text_or_null(const OrderedJson& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<std::string>());
}

// What one run of images has in common, from the answer to the first.
void take_run(const OrderedJson& result, RunRecord& record) {
  ImageTask& job = record.plan.job;
  job.seed = result.at("seed").get<std::uint64_t>();
  job.width = result.at("image").at("width").get<std::uint32_t>();
  job.height = result.at("image").at("height").get<std::uint32_t>();
  job.steps = result.at("steps").get<std::uint32_t>();
  job.guidance = result.at("guidance").get<double>();
  job.cfg_normalization = result.at("cfg_normalization").get<double>();
  job.cfg_truncation = result.at("cfg_truncation").get<double>();
  job.sampler = text_or_null(result.at("sampler"));
  job.schedule = text_or_null(result.at("schedule"));
  record.engine = record.plan.engine = record.opened.engine.id = result.at("engine").get<std::string>();
  record.plan.device = result.at("device").get<std::string>();
  if (const auto name = result.at("model_name").get<std::string>(); !name.empty())
    record.plan.model = ModelReference{name, {}, RemoteEngineModel{name}};
  record.opened.engine.version = result.at("engine_version").get<std::string>();
  record.opened.engine.facts = facts_of(result.at("facts").at("engine"));
  record.opened.model = facts_of(result.at("facts").at("model"));
  record.load_milliseconds = result.at("timings_ms").at("load").get<double>();
}

SavedImage image_of(const OrderedJson& result) {
  SavedImage image;
  image.seed = result.at("seed").get<std::uint64_t>();
  for (const OrderedJson& stage : result.at("stages")) {
    StageTiming timing;
    timing.stage = stage.at("stage").get<std::string>();
    timing.milliseconds = stage.at("ms").get<double>();
    timing.peak_memory_bytes = stage.at("peak_memory_bytes").get<std::uint64_t>();
    image.stages.push_back(timing);
  }
  for (const OrderedJson& step : result.at("step_ms"))
    image.step_milliseconds.push_back(step.get<double>());
  return image;
}

// Throws SOURCE_REJECTED unless the file is of the format and the size that were asked for.
std::string file_of(const OrderedJson& result, const GenerateRequest& request, ImageFormat format) {
  const OrderedJson& image = result.at("image");
  const auto check = [&](const char* side, const std::optional<std::int64_t>& asked) {
    const auto made = image.at(side).get<std::int64_t>();
    if (!asked || *asked == made) return;
    throw Error(RH_SOURCE_REJECTED,
                fmt::format("{}: the daemon's image has {} pixels, expected {}", side, made, *asked));
  };
  check("width", request.width);
  check("height", request.height);
  const auto bytes = base64_decoded(image.at("base64").get_ref<const std::string&>());
  if (!bytes) throw Error(RH_SOURCE_REJECTED, "the daemon's image is not base64");
  try {
    read_image_texts(*bytes, "the daemon's image");
  } catch (const Error& error) {
    throw Error(RH_SOURCE_REJECTED, error.what());
  }
  if (format_of_bytes(*bytes) != format) {
    throw Error(RH_SOURCE_REJECTED,
                fmt::format("the daemon's image is of another format, expected {}", name_of(format)),
                "the daemon may be of an older version");
  }
  return *bytes;
}

class RemoteRun {
 public:
  RemoteRun(const GenerateFlags& flags, const GenerateRequest& request, RunRecord& record,
            ProgressView& progress, const RemoteSaved& saved)
      : request_(request),
        record_(record),
        progress_(progress),
        saved_(saved),
        format_(image_encoding(flags).format),
        client_(flags.daemon, DaemonClient::kPatient),
        body_(body_of(flags, request)) {}

  void run() {
    const auto images = static_cast<std::uint32_t>(request_.images);
    for (image_ = 0; image_ < images; ++image_) {
      std::optional<OrderedJson> result;
      client_.stream("/generate", body_, [&](const OrderedJson& line) { read(line, result); });
      if (!result) {
        throw Error(RH_SOURCE_REJECTED, client_.url().shown() + ": the answer ended without an image",
                    "the daemon may have ended; its log says why");
      }
      guarded([&] { finish(*result); });
    }
  }

 private:
  // What is of another type than it should be is the daemon's fault.
  template <typename Function>
  void guarded(const Function& function) const {
    try {
      function();
    } catch (const OrderedJson::exception& exception) {
      throw Error(RH_SOURCE_REJECTED,
                  client_.url().shown() + ": the answer cannot be read: " + exception.what());
    }
  }

  void read(const OrderedJson& line, std::optional<OrderedJson>& result) {
    guarded([&] {
      const auto event = line.at("event").get<std::string>();
      if (event == "result") result = line;
      if (event == "progress") tell(line);
    });
  }

  void tell(const OrderedJson& line) {
    if (line.contains("stage")) {
      StepEvent event;
      event.stage = line.at("stage").get<std::string>();
      event.step = line.at("stage_step").get<std::uint32_t>();
      event.steps = line.at("stage_steps").get<std::uint32_t>();
      event.step_milliseconds = line.at("stage_step_ms").get<double>();
      event.image = image_;
      progress_.step(event);
      return;
    }
    constexpr double kLoaded = 25;  // what comes later is told by the steps
    const auto message = line.at("message").get<std::string>();
    if (message == told_ || message == "waiting" || line.at("progress").get<double>() >= kLoaded) return;
    told_ = message;
    progress_.note(message);
  }

  void finish(const OrderedJson& result) {
    const std::string bytes = file_of(result, request_, format_);
    if (image_ == 0) {
      take_run(result, record_);
      body_["engine"] = record_.engine;
    }
    record_.peak_memory_bytes =
        std::max(record_.peak_memory_bytes, result.at("peak_memory_bytes").get<std::uint64_t>());
    for (const OrderedJson& note : result.at("notes")) {
      const auto text = note.get<std::string>();
      if (std::find(record_.notes.begin(), record_.notes.end(), text) == record_.notes.end())
        record_.notes.push_back(text);
    }
    saved_(image_, image_of(result), bytes);
    body_["seed"] = (record_.plan.job.seed + image_ + 1) & INT64_MAX;
  }

  const GenerateRequest& request_;
  RunRecord& record_;
  ProgressView& progress_;
  const RemoteSaved& saved_;
  const ImageFormat format_;
  DaemonClient client_;
  OrderedJson body_;
  std::uint32_t image_ = 0;
  std::string told_;
};

}  // namespace

void refuse_local_flags(const GenerateFlags& flags) {
  const std::pair<bool, const char*> local[] = {
      {flags.threads.has_value(), "--threads"},
      {flags.memory_limit.has_value(), "--memory-limit"},
      {!flags.options.empty(), "--option"},
      {!flags.model_options.empty(), "--model-option"},
      {!flags.engine_options.empty(), "--engine-option"},
      {flags.dtype_te.has_value(), "--dtype-te"},
      {flags.dtype_dit.has_value(), "--dtype-dit"},
      {flags.dtype_vae.has_value(), "--dtype-vae"},
      {flags.in_process, "--in-process"},
      {flags.explain, "--explain"},
      {flags.estimate, "--estimate"},
      {flags.pull, "--pull"},
  };
  for (const auto& [given, name] : local) {
    if (!given) continue;
    throw Error(RH_INVALID_ARGUMENT, std::string(name) + ": cannot be given together with --server",
                "leave it out: 'roundhouse serve --help' lists what a daemon is told at its start");
  }
}

void generate_remotely(const GenerateFlags& flags, const GenerateRequest& request, RunRecord& record,
                       ProgressView& progress, const RemoteSaved& saved) {
  check_values(request);
  RemoteRun(flags, request, record, progress, saved).run();
}

}  // namespace roundhouse::host
