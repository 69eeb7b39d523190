// SPDX-License-Identifier: Apache-2.0
// Messages to JSON and back.
#include "host/worker/protocol.h"

#include "host/worker/message_json.h"

namespace roundhouse::host {

using Json = nlohmann::json;

// Found by nlohmann through the arguments' namespace; the types are declared elsewhere, their JSON is only
// this protocol's.
static void to_json(Json& json, const Limit& limit) {
  json = Json::array({limit.minimum, limit.maximum, limit.multiple_of});
}
static void from_json(const Json& json, Limit& limit) {
  limit = {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>()};
}
static void to_json(Json& json, const EnvironmentRule& rule) {
  json = Json::array({rule.name, rule.value, rule.computed});
}
static void from_json(const Json& json, EnvironmentRule& rule) {
  rule = {json.at(0).get<std::string>(), json.at(1).get<std::string>(), json.at(2).get<std::string>()};
}
static void to_json(Json& json, const StageTiming& stage) {
  json = Json::array({stage.stage, stage.milliseconds, stage.operations, stage.activation_bytes,
                      stage.peak_memory_bytes, stage.preview_milliseconds});
}
static void from_json(const Json& json, StageTiming& stage) {
  stage = {json.at(0).get<std::string>(),   json.at(1).get<double>(),        json.at(2).get<std::uint64_t>(),
           json.at(3).get<std::uint64_t>(), json.at(4).get<std::uint64_t>(), json.at(5).get<double>()};
}
static void to_json(Json& json, const StageEstimate& stage) {
  json = Json::array({stage.stage, stage.milliseconds, stage.operations, stage.peak_memory_bytes});
}
static void from_json(const Json& json, StageEstimate& stage) {
  stage = {json.at(0).get<std::string>(), json.at(1).get<double>(), json.at(2).get<std::uint64_t>(),
           json.at(3).get<std::uint64_t>()};
}
namespace {

Json optional_text(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

std::optional<std::string> optional_text(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<std::string>();
}

Json manifest_json(const EngineManifest& manifest) {
  return {{"file", manifest.file.string()},
          {"library", manifest.library.string()},
          {"id", manifest.id},
          {"name", manifest.name},
          {"vendor", manifest.vendor},
          {"version", manifest.version},
          {"description", manifest.description},
          {"maturity", manifest.maturity},
          {"abi_major", manifest.abi_major},
          {"abi_minor", manifest.abi_minor},
          {"score", manifest.score},
          {"capabilities", manifest.capabilities},
          {"limits", manifest.limits},
          {"environment", manifest.environment},
          {"network", manifest.network}};
}

EngineManifest manifest_of(const Json& json) {
  EngineManifest manifest;
  manifest.file = member<std::string>(json, "file");
  manifest.library = member<std::string>(json, "library");
  manifest.id = member<std::string>(json, "id");
  manifest.name = member<std::string>(json, "name");
  manifest.vendor = member<std::string>(json, "vendor");
  manifest.version = member<std::string>(json, "version");
  manifest.description = member<std::string>(json, "description");
  manifest.maturity = member<std::string>(json, "maturity");
  manifest.abi_major = member<std::uint32_t>(json, "abi_major");
  manifest.abi_minor = member<std::uint32_t>(json, "abi_minor");
  manifest.score = member<std::int32_t>(json, "score");
  manifest.capabilities = member<Capabilities>(json, "capabilities");
  manifest.limits = member<Limits>(json, "limits");
  manifest.environment = member<std::vector<EnvironmentRule>>(json, "environment");
  manifest.network = member<bool>(json, "network");
  return manifest;
}

Json open_json(const ModelSource& job) {
  return {{"directory", job.directory.string()},
          {"architecture", job.architecture},
          {"memory_limit_bytes", job.memory_limit_bytes},
          {"options", job.options}};
}

ModelSource open_of(const Json& json) {
  return {member<std::string>(json, "directory"), member<std::string>(json, "architecture"),
          member<std::uint64_t>(json, "memory_limit_bytes"),
          member<std::vector<EngineOption>>(json, "options")};
}

Json job_json(const ImageTask& job) {
  return {{"prompt", job.prompt},
          {"negative_prompt", optional_text(job.negative_prompt)},
          {"width", job.width},
          {"height", job.height},
          {"steps", job.steps},
          {"guidance", job.guidance},
          {"cfg_normalization", job.cfg_normalization},
          {"cfg_truncation", job.cfg_truncation},
          {"seed", job.seed},
          {"sampler", optional_text(job.sampler)},
          {"schedule", optional_text(job.schedule)},
          {"preview_every", job.preview_every},
          {"options", job.options}};
}

ImageTask job_of(const Json& json) {
  ImageTask job;
  job.prompt = member<std::string>(json, "prompt");
  job.negative_prompt = optional_text(json.at("negative_prompt"));
  job.width = member<std::uint32_t>(json, "width");
  job.height = member<std::uint32_t>(json, "height");
  job.steps = member<std::uint32_t>(json, "steps");
  job.guidance = member<double>(json, "guidance");
  job.cfg_normalization = member<double>(json, "cfg_normalization");
  job.cfg_truncation = member<double>(json, "cfg_truncation");
  job.seed = member<std::uint64_t>(json, "seed");
  job.sampler = optional_text(json.at("sampler"));
  job.schedule = optional_text(json.at("schedule"));
  job.preview_every = member<std::uint32_t>(json, "preview_every");
  job.options = member<std::vector<EngineOption>>(json, "options");
  return job;
}

}  // namespace

std::string encode(const ProbeMessage& message) {
  return message_text({{"manifest", manifest_json(message.manifest)},
                       {"threads", message.threads},
                       {"device", message.device},
                       {"options", message.options}});
}

template <>
ProbeMessage decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ProbeMessage{manifest_of(json.at("manifest")), member<std::uint32_t>(json, "threads"),
                        member<std::string>(json, "device"),
                        member<std::vector<EngineOption>>(json, "options")};
  });
}

std::string encode(const ModelSource& job) {
  return message_text(open_json(job));
}

template <>
ModelSource decode(const std::string& text) {
  return read_message(text, open_of);
}

std::string encode(const ImageTask& job) {
  return message_text(job_json(job));
}

template <>
ImageTask decode(const std::string& text) {
  return read_message(text, job_of);
}

std::string encode(const EstimateMessage& message) {
  return message_text({{"model", open_json(message.model)}, {"job", job_json(message.job)}});
}

template <>
EstimateMessage decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return EstimateMessage{open_of(json.at("model")), job_of(json.at("job"))};
  });
}

std::string encode(const Estimate& estimate) {
  return message_text({{"stages", estimate.stages}, {"held_memory_bytes", estimate.held_memory_bytes}});
}

template <>
Estimate decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return Estimate{member<std::vector<StageEstimate>>(json, "stages"),
                    member<std::uint64_t>(json, "held_memory_bytes")};
  });
}

std::string encode(const RateMessage& message) {
  return message_text({{"product", message.product},
                       {"m", message.m},
                       {"n", message.n},
                       {"k", message.k},
                       {"seconds", message.seconds}});
}

template <>
RateMessage decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return RateMessage{member<std::string>(json, "product"), member<std::uint32_t>(json, "m"),
                       member<std::uint32_t>(json, "n"), member<std::uint32_t>(json, "k"),
                       member<double>(json, "seconds")};
  });
}

std::string encode(const LogMessage& message) {
  return message_text(
      {{"level", message.level}, {"category", message.category}, {"message", message.message}});
}

template <>
LogMessage decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return LogMessage{member<std::uint32_t>(json, "level"), member<std::string>(json, "category"),
                      member<std::string>(json, "message")};
  });
}

std::string encode(const EngineReport& report) {
  return message_text(Json(report));
}

template <>
EngineReport decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return json.get<EngineReport>(); });
}

std::string encode(const OpenResult& result) {
  return message_text({{"engine", result.engine},
                       {"model", result.model},
                       {"load_milliseconds", result.load_milliseconds},
                       {"peak_memory_bytes", result.peak_memory_bytes}});
}

template <>
OpenResult decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return OpenResult{member<EngineReport>(json, "engine"), member<Facts>(json, "model"),
                      member<double>(json, "load_milliseconds"),
                      member<std::uint64_t>(json, "peak_memory_bytes")};
  });
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

std::string encode(const ProgressEvent& event) {
  return message_text({{"stage", event.stage},
                       {"step", event.step},
                       {"steps", event.steps},
                       {"milliseconds", event.milliseconds},
                       {"fraction", event.fraction}});
}

template <>
ProgressEvent decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ProgressEvent{member<std::string>(json, "stage"), member<std::uint32_t>(json, "step"),
                         member<std::uint32_t>(json, "steps"), member<double>(json, "milliseconds"),
                         member<double>(json, "fraction")};
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

std::string encode(const Error& error) {
  const bool own_hint = error.hint() != hint(error.code());
  return message_text({{"code", error.code()},
                       {"message", error.what()},
                       {"hint", own_hint ? std::string(error.hint()) : std::string()}});
}

template <>
Error decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    const auto code = member<rh_status>(json, "code");
    return Error(code != RH_OK && is_known(code) ? code : RH_ENGINE_INTERNAL,
                 member<std::string>(json, "message"), member<std::string>(json, "hint"));
  });
}

std::string encode(double rate) {
  return message_text({{"rate", rate}});
}

template <>
double decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return member<double>(json, "rate"); });
}

}  // namespace roundhouse::host
