// SPDX-License-Identifier: Apache-2.0
// `roundhouse generate`: a prompt in, images and a summary out.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/app/generate.h"
#include "host/cli/command.h"
#include "host/cli/engine_run.h"
#include "host/cli/generate_estimate.h"
#include "host/cli/generate_options.h"
#include "host/cli/generate_remote.h"
#include "host/cli/generate_summary.h"
#include "host/cli/interrupt.h"
#include "host/cli/progress_view.h"
#include "host/cli/text.h"
#include "host/output/image_file.h"
#include "host/session/random_seed.h"
#include "host/text/elapsed.h"
#include "host/worker/redaction.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

constexpr const char* kFilePrefix = "z-image";

// One run: what the session tells goes to the screen, the log, the files and the record.
class GenerateRun {
 public:
  GenerateRun(const Program& program, const GenerateFlags& flags, bool json)
      : program_(program), flags_(flags), json_(json), engines_(program, flags, json) {}

  // Refuses, or runs and fills the record.
  void run() {
    if (flags_.daemon.server) refuse_local_flags(flags_);
    encoding_ = image_encoding(flags_);
    const GenerateRequest request = to_request(flags_);  // may wait for standard input
    record_.plan.job.prompt = request.prompt;
    record_.plan.job.negative_prompt = request.negative_prompt;
    const std::atomic<bool>& cancelled = watch_interrupts();
    if (flags_.daemon.server) return run_remotely(request);
    engines_.begin(request.model);
    const ModelCatalogue models = program_.models();
    if (!flags_.estimate) check_output_directory(flags_.output_directory);
    record_.plan =
        engines_.plan([&] { return make_plan(request, engines_.registry(), models, random_seed); });
    engines_.prepare_process(record_.plan, flags_.prompt_file == "-" ? &request.prompt : nullptr);
    engines_.explain();
    if (flags_.estimate) {
      estimate(cancelled);
    } else {
      execute(cancelled);
    }
  }

  void print_summary() const {
    if (flags_.estimate) return print_estimate();
    if (!json_) {
      print(summary_text(record_, terminal_width(STDOUT_FILENO)));
      return;
    }
    OrderedJson json = summary_json(record_);
    if (flags_.explain) json["explain"] = verdicts_json(record_.plan.decision);
    print_json(json);
  }

  // What is worth knowing beside an error: files that were finished before it, and what routing said.
  OrderedJson partial_json() const {
    OrderedJson json = OrderedJson::object();
    if (!record_.images.empty()) {
      json["files"] = OrderedJson::array();
      for (const SavedImage& image : record_.images)
        json["files"].push_back(image.file.string());
    }
    if (flags_.explain && !engines_.decision().verdicts.empty())
      json["explain"] = verdicts_json(engines_.decision());
    return json;
  }

  std::string loggable(const std::string& message) const {
    return flags_.log_prompts ? message : without_prompts(message, record_.plan.job);
  }

 private:
  void estimate(const std::atomic<bool>& cancelled) {
    OneWorker worker(engines_.registry(), client(), engines_.factory());
    estimate_ = estimate_plan(record_.plan, worker, cancelled);
  }

  ClientOptions client() const {
    ClientOptions options = engines_.client();
    options.device = record_.plan.device;
    return options;
  }

  void print_estimate() const {
    if (json_) {
      print_json(estimate_json(record_.plan, estimate_));
    } else {
      print(estimate_text(record_.plan, estimate_, terminal_width(STDOUT_FILENO)));
    }
  }

  void execute(const std::atomic<bool>& cancelled) {
    const GeneratePlan& plan = record_.plan;
    ProgressView progress(ProgressView::style_for_standard_error(json_), plan.images);
    engines_.before_log = [&] { progress.clear(); };
    log_start();
    progress.note("loading " + (name_of(plan.model).empty() ? "" : name_of(plan.model) + " on ") +
                  plan.engine);
    record_.start_milliseconds = program_.milliseconds_since_start();
    const auto begin = std::chrono::steady_clock::now();
    GenerateEvents events;
    events.loaded = [&](const LeaseReport& lease) {
      record_.load_milliseconds = milliseconds_since(begin);
      record_.opened = lease.opened;
      record_.peak_memory_bytes = std::max(record_.peak_memory_bytes, lease.opened.peak_memory_bytes);
      log("weights", "loaded", {{"load_ms", record_.load_milliseconds}});
    };
    events.progress = [&](const StepEvent& event) { progress.step(event); };
    events.saved = [&](const SavedImage& image) { keep(image); };
    OneWorker worker(engines_.registry(), client(), engines_.factory());
    const LeaseReport result = generate_files(plan, worker, save_options(), cancelled, events);
    engines_.before_log = {};
    progress.clear();
    record_.engine = result.placement.engine;
    record_.opened = result.opened;
    record_.notes = result.notes;
    record_.total_milliseconds = program_.milliseconds_since_start();
  }

  // The same by a daemon.
  void run_remotely(const GenerateRequest& request) {
    check_output_directory(flags_.output_directory);
    record_.plan.images = static_cast<std::uint32_t>(request.images);
    ProgressView progress(ProgressView::style_for_standard_error(json_), record_.plan.images);
    record_.start_milliseconds = program_.milliseconds_since_start();
    generate_remotely(flags_, request, record_, progress,
                      [this](std::uint32_t index, SavedImage image, std::string_view bytes) {
                        save_file(save_options(), index, {bytes.begin(), bytes.end()}, image);
                        keep(image);
                      });
    record_.total_milliseconds = program_.milliseconds_since_start();
  }

  SaveOptions save_options() const {
    return {flags_.output_directory, kFilePrefix,      wall_start_, encoding_,
            !flags_.no_metadata,     program_version()};
  }

  void keep(const SavedImage& image) {
    record_.peak_memory_bytes = std::max(record_.peak_memory_bytes, image.peak_memory_bytes);
    log_image(image);
    record_.images.push_back(image);
  }

  // A JSON line names its category and carries the engine; a text line begins "[GEN][engine]".
  void log(const std::string& category, const std::string& message, nlohmann::json fields,
           std::uint32_t level = RH_LOG_INFO) const {
    const bool json_lines = program_.options.log_file.has_value();
    if (json_lines) fields["engine"] = record_.plan.engine;
    engines_.log().write(level, json_lines ? category : record_.plan.engine, message, fields);
  }

  void log_start() const {
    const ImageTask& job = record_.plan.job;
    nlohmann::json fields = {{"model", name_of(record_.plan.model)},
                             {"width", job.width},
                             {"height", job.height},
                             {"steps", job.steps},
                             {"seed", job.seed},
                             {"images", record_.plan.images}};
    if (flags_.log_prompts) {
      fields["prompt"] = job.prompt;
      if (job.negative_prompt) fields["negative_prompt"] = *job.negative_prompt;
    }
    log("pipeline", "generate", std::move(fields));
    log("pipeline", "plan",
        {{"device", record_.plan.device},
         {"architecture", architecture_of(record_.plan.model)},
         {"verdicts", verdicts_json(record_.plan.decision)}},
        RH_LOG_DEBUG);
  }

  void log_image(const SavedImage& image) const {
    nlohmann::json fields = {
        {"seed", image.seed}, {"width", record_.plan.job.width}, {"height", record_.plan.job.height}};
    for (const StageTiming& stage : image.stages) {
      fields[stage.stage + "_ms"] = stage.milliseconds;
      log("pipeline", "stage ended", {{"stage", stage.stage}, {"ms", stage.milliseconds}}, RH_LOG_DEBUG);
    }
    log("pipeline", "image", std::move(fields));
    log("io", "saved",
        {{"file", image.file.string()}, {"bytes", image.bytes}, {"save_ms", image.save_milliseconds}});
  }

  const Program& program_;
  const GenerateFlags& flags_;
  const bool json_;
  EngineRun engines_;
  const std::chrono::system_clock::time_point wall_start_ = std::chrono::system_clock::now();
  ImageEncoding encoding_;
  RunRecord record_;
  EstimateResult estimate_;
};

class GenerateCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("generate", "Make images from a prompt");
    declare_generate_flags(command, flags_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    run_.emplace(program, flags_, json());
    run_->run();
    run_->print_summary();
    return 0;
  }

  OrderedJson partial() const override { return run_ ? run_->partial_json() : OrderedJson::object(); }
  std::string loggable(const std::string& message) const override {
    return run_ ? run_->loggable(message) : message;
  }

 private:
  GenerateFlags flags_;
  std::optional<GenerateRun> run_;
};

}  // namespace

std::unique_ptr<Command> make_generate_command() {
  return std::make_unique<GenerateCommand>();
}

}  // namespace roundhouse::host
