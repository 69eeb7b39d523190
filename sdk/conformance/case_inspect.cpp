// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

namespace fs = std::filesystem;

struct Problem {
  rh_status code;
  std::string message;
};

// What one look tells.
class InspectWatch {
 public:
  InspectWatch(Report& report, std::string call, bool stop = false)
      : report_(report), call_(std::move(call)), stop_(stop) {}

  rh_status run(rh_engine* engine, const rh_inspect& inspect, const rh_model_source& source,
                rh_error* error) {
    const rh_inspect_sink sink{
        sizeof sink, 0, this,
        [](void* context, const rh_problem* problem) { static_cast<InspectWatch*>(context)->add(problem); },
        [](void* context) -> int32_t { return static_cast<InspectWatch*>(context)->stop_ ? 1 : 0; }};
    report_.step("inspect.model");
    return inspect.model(engine, &source, &sink, error);
  }

  const std::vector<Problem>& problems() const { return problems_; }

 private:
  void add(const rh_problem* problem) {
    const bool complete = roundhouse::reaches_floor(problem) && problem->code != RH_OK &&
                          is_text(problem->message) && (problem->file == nullptr || is_text(problem->file));
    report_.expect(complete, "P42", call_ + ": a problem without code or message, or that is not UTF-8");
    if (complete) problems_.push_back({problem->code, problem->message});
  }

  Report& report_;
  const std::string call_;
  const bool stop_;
  std::vector<Problem> problems_;
};

std::string shown(const Problem& problem) {
  return fmt::format("{} '{}'", problem.code, problem.message);
}

// A directory without anything in it, gone with the object.
class EmptyDirectory {
 public:
  EmptyDirectory() {
    std::string pattern = (fs::temp_directory_path() / "conformance-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Stop{};
    path_ = pattern;
  }
  ~EmptyDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  EmptyDirectory(const EmptyDirectory&) = delete;
  EmptyDirectory& operator=(const EmptyDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Inspections {
 public:
  Inspections(Report& report, const Subject& subject, const rh_engine_descriptor& descriptor,
              rh_engine* engine, const rh_inspect& inspect)
      : report_(report),
        source_(source_of(subject, descriptor)),
        id_(descriptor.id),
        engine_(engine),
        inspect_(inspect) {}

  void run() {
    const std::string call = id_ + ": inspect of the model";
    InspectWatch sound(report_, call);
    ErrorSlot error;
    report_.expect(sound.run(engine_, inspect_, source_, error.get()) == RH_OK, "P42",
                   call + " failed: " + error.message());
    for (const Problem& problem : sound.problems())
      report_.expect(false, "P42", call + " that can be opened tells " + shown(problem));
    compare_with_open_model();
    refuse_option();
    stop();
  }

 private:
  // A directory that cannot be opened: both say the same.
  void compare_with_open_model() {
    const std::string call = id_ + ": inspect of an empty directory";
    const EmptyDirectory empty;
    rh_model_source source = source_;
    source.directory = empty.path().c_str();
    rh_model* model = nullptr;
    ErrorSlot refusal, error;
    report_.step("open_model");
    const rh_status status = engine_->open_model(engine_, &source, &model, refusal.get());
    InspectWatch watch(report_, call);
    report_.expect(watch.run(engine_, inspect_, source, error.get()) == RH_OK, "P42",
                   call + " failed: " + error.message());
    if (status == RH_OK) return model->close(model);
    const Problem expected{status, refusal.message()};
    const std::string found = watch.problems().empty() ? "nothing" : shown(watch.problems().front());
    report_.expect(found == shown(expected), "P42",
                   call + " tells " + found + " first, open_model " + shown(expected));
  }

  void refuse_option() {
    const std::string call = id_ + ": inspect with an unknown option";
    const rh_option option{sizeof option, RH_OPTION_INTEGER, "conformance-unknown", nullptr, 1, 0};
    const rh_options options{sizeof options, 1, &option};
    rh_model_source source = source_;
    source.options = &options;
    InspectWatch watch(report_, call);
    ErrorSlot error;
    const rh_status status = watch.run(engine_, inspect_, source, error.get());
    report_.expect(status == RH_UNKNOWN_OPTION, "P14", fmt::format("{} returned {}", call, status));
    if (status != RH_OK) error.expect_told(report_, status, call);
  }

  void stop() {
    const std::string call = id_ + ": inspect that is asked to stop";
    InspectWatch watch(report_, call, true);
    ErrorSlot error;
    const rh_status status = watch.run(engine_, inspect_, source_, error.get());
    report_.expect(status == RH_CANCELLED, "P42", fmt::format("{} returned {}", call, status));
    if (status != RH_OK) error.expect_told(report_, status, call);
  }

  Report& report_;
  const rh_model_source source_;
  const std::string id_;
  rh_engine* const engine_;
  const rh_inspect& inspect_;
};

}  // namespace

void check_inspections(const Subject& subject, Report& report) {
  Life life(subject, report);
  for (const rh_engine_descriptor* descriptor : life.descriptors()) {
    const EngineUse engine(life, *descriptor);
    const auto* inspect =
        static_cast<const rh_inspect*>(engine.get()->get_extension(engine.get(), RH_INSPECT_ID));
    if (inspect == nullptr) continue;
    report.require(roundhouse::reaches_floor(inspect) && inspect->model != nullptr, "P10",
                   std::string(descriptor->id) + ": rh_inspect is too small or has no model");
    if (subject.model_directory.empty()) continue;
    Inspections(report, subject, *descriptor, engine.get(), *inspect).run();
  }
}

}  // namespace conformance
