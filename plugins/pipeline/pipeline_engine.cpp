// SPDX-License-Identifier: Apache-2.0
#include "plugins/pipeline/pipeline_engine.h"

#include <algorithm>
#include <utility>

#include "engines/architectures/architectures.h"
#include "engines/decoding/open_text.h"
#include "engines/kernels/rate.h"
#include "engines/pipeline/find_tokenizer.h"
#include "engines/pipeline/inspection.h"
#include "engines/pipeline/open_pipeline.h"
#include "engines/sampling/sampler.h"
#include "engines/tensor/quantise.h"
#include "plugins/pipeline/convert_run.h"
#include "plugins/pipeline/init_image.h"
#include "plugins/pipeline/sink_run.h"
#include "plugins/pipeline/text_model.h"
#include "plugins/pipeline/tokenize_extension.h"
#include "plugins/pipeline/trace_run.h"
#include "plugins/pipeline/weight_choices.h"

namespace roundhouse::pipeline {
namespace {

engines::ImageRequest translate(const ImageRequest& from) {
  engines::ImageRequest to;
  to.prompt = from.prompt;
  to.negative_prompt = from.negative_prompt.value_or("");
  to.width = from.width;
  to.height = from.height;
  to.steps = from.steps;
  to.guidance = from.guidance;
  to.cfg_normalization = from.cfg_normalization;
  to.cfg_truncation = from.cfg_truncation;
  to.seed = from.seed;
  if (!from.sampler.empty()) to.sampler = from.sampler;
  to.schedule = from.schedule;
  to.init = translate_init(from);
  return to;
}

// An engine without these features says so rather than ignoring the input.
void refuse_other_inputs(const ImageRequest& request) {
  if (request.control_image != nullptr)
    throw Error(RH_CAPABILITY_UNSUPPORTED, "the engine does not do control");
  if (!request.loras.empty()) throw Error(RH_LORA_UNSUPPORTED_ENGINE, "the engine takes no LoRA");
}

// Of one network, where it is not that of the option "weights".
std::optional<Weights> stage_weights(Options& options, const char* name) {
  if (options.string(name, "").empty()) return std::nullopt;
  return choice(options, name, weight_choices());
}

engines::PipelineOptions read_options(const ModelSource& source, int threads) {
  using engines::Residency;
  using engines::VaeTiling;
  engines::PipelineOptions options;
  options.threads = threads;
  options.memory.limit = source.memory_limit_bytes;
  options.weights = choice(source.options, "weights", weight_choices());
  options.encoder_weights = stage_weights(source.options, "dtype_te");
  options.denoiser_weights = stage_weights(source.options, "dtype_dit");
  choice<bool>(source.options, "dtype_vae", {{"f32", true}});  // its sums need no less, and it is small
  options.memory.residency = choice<Residency>(
      source.options, "residency",
      {{"auto", Residency::automatic}, {"all", Residency::all}, {"staged", Residency::staged}});
  options.memory.vae_tiling =
      choice<VaeTiling>(source.options, "vae_tiling",
                        {{"auto", VaeTiling::automatic}, {"on", VaeTiling::on}, {"off", VaeTiling::off}});
  return options;
}

// The types of stored weights by their names in the group "dtype", with what products then read.
const std::vector<std::pair<std::string, engines::Dtype>>& stored_types() {
  static const auto types = [] {
    std::vector<std::pair<std::string, engines::Dtype>> all;
    for (std::size_t i = 0; i < engines::kDtypes; ++i) {
      const auto dtype = static_cast<engines::Dtype>(i);
      all.emplace_back(engines::name_of(dtype), dtype);
    }
    for (const char* float8 : {"f8_e4m3", "f8_e5m2"})  // become bf16 when they are read
      all.emplace_back(float8, engines::Dtype::bf16);
    return all;
  }();
  return types;
}

// One of the descriptor's group "convert".
engines::Dtype dtype_named(const std::string& name) {
  for (std::size_t i = 0; i < engines::kDtypes; ++i) {
    const auto dtype = static_cast<engines::Dtype>(i);
    if (engines::can_be_made(dtype) && engines::name_of(dtype) == name) return dtype;
  }
  throw Error(RH_CAPABILITY_UNSUPPORTED, "type '" + name + "' is not one that the engine writes");
}

bool wants_gguf(const std::string& format, engines::Dtype type) {
  if (format.empty()) return engines::is_quantised(type);
  if (format == "gguf" || format == "safetensors") return format == "gguf";
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              "format '" + format + "' is not written, expected safetensors or gguf");
}

// The file that a message begins with, as far as there is one of that name in the model.
std::string named_file(const std::filesystem::path& directory, const std::string& message) {
  const std::string file = message.substr(0, message.find(": "));
  std::error_code unreadable;
  return file.size() < message.size() && std::filesystem::is_regular_file(directory / file, unreadable)
             ? file
             : std::string();
}

// Stops the estimate when the host's loading sink says so.
class SourceRun : public engines::QuietRun {
 public:
  explicit SourceRun(LoadSink& sink) : sink_(sink) {}
  bool cancelled() override { return sink_.cancelled(); }

 private:
  LoadSink& sink_;
};

class PipelineModel : public ImageModel {
 public:
  PipelineModel(const std::string& directory, engines::Kernels& kernels,
                const engines::PipelineOptions& options)
      : pipeline_(engines::open_pipeline(engines::architectures(), directory, kernels, options)) {}

  Facts describe() const override { return pipeline_->describe(); }

  void generate(const ImageRequest& request, Options&, Sink& sink) override {
    refuse_other_inputs(request);
    const engines::ImageRequest image_request = translate(request);
    SinkRun run(sink, tokens_of(image_request));
    const auto image = pipeline_->generate(image_request, run);
    sink.image(image.rgb);
  }

 private:
  // Of the prompt, or of the negative one where that alone is cut.
  engines::TokenCount tokens_of(const engines::ImageRequest& request) const {
    const engines::TokenCount positive = pipeline_->count_tokens(request.prompt);
    if (request.guidance <= 0 || positive.given > positive.used) return positive;
    const engines::TokenCount negative = pipeline_->count_tokens(request.negative_prompt);
    return negative.given > negative.used ? negative : positive;
  }

  std::unique_ptr<engines::ImagePipeline> pipeline_;
};

}  // namespace

const std::vector<std::pair<std::string, Weights>>& weight_choices() {
  using engines::Dtype;
  static const std::vector<std::pair<std::string, Weights>> choices = {{"stored", std::nullopt},
                                                                       {"q8_0", Dtype::q8_0},
                                                                       {"q4_0", Dtype::q4_0},
                                                                       {"q4_k", Dtype::q4_K},
                                                                       {"q6_k", Dtype::q6_K}};
  return choices;
}

Descriptor common_descriptor() {
  Descriptor descriptor;
  descriptor.vendor = "Roundhouse";
  descriptor.version = "0.1.0";
  descriptor.capabilities = {
      {"task", "text-to-image"},
      {"task", "text-generation"},
      {"task", "embedding"},
      {"feature", "negative-prompt"},
      {"feature", "guidance"},
      {"feature", "cfg-normalization"},
      {"feature", "cfg-truncation"},
      {"feature", "seed"},
      {"feature", "progress"},
      {"feature", "cancel"},
      {"feature", "image-to-image"},
      {"feature", "inpaint"},
      {"device", "cpu"},
  };
  const engines::Architectures known = engines::architectures();
  const auto add_architecture = [&](std::string_view id, const std::string& task) {
    if (!contains(descriptor.capabilities, "architecture", std::string(id)))
      descriptor.capabilities.emplace_back("architecture", id);
    descriptor.capabilities.emplace_back("architecture." + task, id);
  };
  for (const engines::Architecture& architecture : known)
    add_architecture(architecture.id, "text-to-image");
  for (const std::string_view architecture : engines::decoding::text_architectures())
    add_architecture(architecture, "text-generation");
  for (const auto* architectures :
       {&engines::decoding::text_architectures(), &engines::decoding::encoder_architectures()}) {
    for (const std::string_view architecture : *architectures)
      add_architecture(architecture, "embedding");
  }
  for (const std::string_view format : engines::weight_formats(known))
    descriptor.capabilities.emplace_back("weight-format", std::string(format));
  for (const auto& [word, dtype] : weight_choices())
    descriptor.capabilities.emplace_back("weights", word);
  for (std::size_t i = 0; i < engines::kDtypes; ++i) {
    const auto dtype = static_cast<engines::Dtype>(i);
    if (engines::can_be_made(dtype))
      descriptor.capabilities.emplace_back("convert", std::string(engines::name_of(dtype)));
  }
  for (const auto& [name, dtype] : stored_types())
    descriptor.capabilities.emplace_back("dtype", name);
  // "schedule.euler": the schedules that this sampler can follow, so that a host can refuse a pair before it
  // starts an engine.
  for (const auto& sampler : engines::sampler_names()) {
    descriptor.capabilities.emplace_back("sampler", sampler);
    for (const auto& schedule : engines::schedule_names(sampler)) {
      descriptor.capabilities.emplace_back("schedule." + sampler, schedule);
    }
  }
  for (const auto& schedule : engines::schedule_names())
    descriptor.capabilities.emplace_back("schedule", schedule);
  descriptor.limits = {
      {"width", 16, 2048, 16}, {"height", 16, 2048, 16}, {"steps", 1, 50, 1}, {"guidance", 0, 20, 0}};
  return descriptor;
}

PipelineEngine::PipelineEngine(const EngineConfig& config, std::unique_ptr<engines::Kernels> kernels)
    : host_(config.host), threads_(static_cast<int>(config.threads)), kernels_(std::move(kernels)) {
}

Facts PipelineEngine::describe() const {
  return kernels_->describe();
}

std::unique_ptr<Model> PipelineEngine::open(const ModelSource& source) {
  source.sink.check_cancelled();
  std::unique_ptr<Model> model;
  if (is_text_model(source.directory))
    model = open_text_model(source, *kernels_, threads_);
  else
    model = std::make_unique<PipelineModel>(source.directory, *kernels_, read_options(source, threads_));
  source.sink.progress(1);
  return model;
}

Estimate PipelineEngine::estimate(const ModelSource& source, const ImageRequest& request, Options&) {
  refuse_other_inputs(request);
  SourceRun run(source.sink);
  const engines::ImageCost cost =
      engines::estimate_image(engines::architectures(), source.directory, *kernels_,
                              read_options(source, threads_), translate(request), run);
  const auto told = [](const std::vector<engines::MemoryPart>& parts) {
    std::vector<MemoryPart> memory;
    for (const engines::MemoryPart& part : parts)
      memory.push_back({part.name, part.bytes});
    return memory;
  };
  Estimate estimate;
  estimate.held_bytes = cost.held_bytes;
  estimate.held_memory = told(cost.held_parts);
  for (const engines::StageCost& stage : cost.stages) {
    estimate.stages.push_back({static_cast<std::uint32_t>(stage.stage),
                               static_cast<std::uint64_t>(stage.seconds * 1e9), stage.operations,
                               stage.peak_bytes, told(stage.parts)});
  }
  return estimate;
}

void PipelineEngine::inspect(const ModelSource& source, InspectSink& sink) {
  if (is_text_model(source.directory)) {
    inspect_text_model(source, threads_, [&](rh_status code, const std::string& message) {
      sink.problem(code, named_file(source.directory, message), message);
    });
    return;
  }
  const engines::PipelineOptions options = read_options(source, threads_);
  engines::inspect_pipeline(
      engines::architectures(), source.directory, options,
      [&](const engines::Error& error) {
        sink.problem(error.code(), named_file(source.directory, error.what()), error.what());
      },
      [&] { return sink.cancelled(); });
}

void PipelineEngine::trace(const ModelSource& source, const ImageRequest& request, Options&,
                           TraceSink& sink) {
  refuse_other_inputs(request);
  const auto pipeline = engines::open_pipeline(engines::architectures(), source.directory, *kernels_,
                                               read_options(source, threads_));
  TraceRun run(sink);
  run.show(pipeline->generate(translate(request), run, run.taps()));
}

void PipelineEngine::convert(const ConvertRequest& request, Options& options, ConvertSink& sink) {
  options.refuse_unread();  // there are none
  engines::conversion::ConversionRequest conversion;
  conversion.source = request.source;
  conversion.target = request.target;
  conversion.type = dtype_named(request.type);
  conversion.gguf = wants_gguf(request.format, conversion.type);
  engines::ThreadPool pool(threads_);
  ConvertRun run(sink);
  engines::conversion::convert_model(conversion, engines::weight_classes(), pool, run);
}

const std::vector<std::string>& PipelineEngine::rated_weights() const {
  static const auto names = [] {
    std::vector<std::string> all;
    for (const auto& [name, dtype] : stored_types())
      all.push_back(name);
    return all;
  }();
  return names;
}

double PipelineEngine::measure_rate(const std::string& weights, double seconds) {
  const auto type =
      std::ranges::find(stored_types(), weights, &std::pair<std::string, engines::Dtype>::first);
  return engines::linear_rate(*kernels_, type->second, seconds);
}

const engines::Tokenizer& PipelineEngine::tokenizer_of(const std::string& directory) {
  if (!tokenizer_ || tokenizer_directory_ != directory) {
    tokenizer_.reset();
    tokenizer_ = engines::find_tokenizer(directory);
    tokenizer_directory_ = directory;
  }
  return *tokenizer_;
}

const void* PipelineEngine::extension(std::string_view id) {
  if (id == RH_ESTIMATE_ID) return estimate_extension<PipelineEngine>();
  if (id == RH_INSPECT_ID) return inspect_extension<PipelineEngine>();
  if (id == RH_RATES_ID) return rates_extension<PipelineEngine>();
  if (id == RH_TOKENIZE_ID) return TokenizeExtension<PipelineEngine>::get();
  if (id == RH_TRACE_ID) return trace_extension<PipelineEngine>();
  return id == RH_CONVERT_ID ? convert_extension<PipelineEngine>() : nullptr;
}

}  // namespace roundhouse::pipeline
