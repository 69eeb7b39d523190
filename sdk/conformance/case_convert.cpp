// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/convert_watch.h"

namespace conformance {
namespace {

namespace fs = std::filesystem;

constexpr const char* unknown = "conformance-unknown";

// A directory with something in it that nobody may touch, and targets for conversions.
class Workspace {
 public:
  Workspace() {
    std::string pattern = (fs::temp_directory_path() / "conformance-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Stop{};
    root_ = pattern;
    std::ofstream(root_ / "beside") << "not yours";
  }
  ~Workspace() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const fs::path& root() const { return root_; }
  fs::path target() {
    const fs::path path = root_ / fmt::format("target{}", ++targets_);
    fs::create_directory(path);
    return path;
  }

 private:
  fs::path root_;
  int targets_ = 0;
};

// One engine that says it converts, and the model that it is given.
class Conversions {
 public:
  Conversions(Report& report, const Subject& subject, const rh_engine_descriptor& descriptor,
              rh_engine* engine, const rh_convert& convert)
      : report_(report),
        source_(subject.model_directory),
        id_(descriptor.id),
        type_(first_capability(descriptor, "convert")),
        engine_(engine),
        convert_(convert) {}

  void run() {
    const Files first = succeed("convert to " + type_);
    report_.expect(succeed("convert to " + type_ + " again") == first, "P36",
                   id_ + ": the same conversion twice gives different bytes");
    refuse("P34", RH_CAPABILITY_UNSUPPORTED, unknown, nullptr, "to a type that is not listed");
    const rh_option option{sizeof option, RH_OPTION_INTEGER, unknown, nullptr, 1, 0};
    const rh_options options{sizeof options, 1, &option};
    refuse("P14", RH_UNKNOWN_OPTION, type_.c_str(), &options, "with an unknown option");
    stop();
  }

 private:
  rh_convert_request request(const fs::path& target) const {
    return {sizeof(rh_convert_request), 0, source_.c_str(), target.c_str(), type_.c_str(), nullptr, nullptr};
  }

  // Contents of what a conversion wrote, which has to work.
  Files succeed(const std::string& what) {
    const std::string call = id_ + ": " + what;
    const fs::path target = workspace_.target();
    const Files source = files_of(source_), beside = files_of(workspace_.root(), target.filename().string());
    ConvertWatch watch(report_);
    ErrorSlot error;
    const rh_convert_request wanted = request(target);
    const rh_status status = watch.run(engine_, convert_, &wanted, error.get());
    report_.require(status == RH_OK, "P34", call + " failed: " + error.message());
    report_.expect(files_of(source_) == source, "P35", call + " changed the source");
    report_.expect(files_of(workspace_.root(), target.filename().string()) == beside, "P35",
                   call + " wrote beside its target");
    for (const auto& entry : fs::recursive_directory_iterator(target)) {
      report_.expect(!entry.is_symlink() && (entry.is_regular_file() || entry.is_directory()), "P35",
                     call + " made '" + entry.path().filename().string() + "', neither file nor directory");
    }
    watch.expect_told(target, call);
    return contents_of(target);
  }

  void refuse(const char* rule, rh_status expected, const char* type, const rh_options* options,
              const std::string& what) {
    const std::string call = id_ + ": convert " + what;
    const fs::path target = workspace_.target();
    rh_convert_request wanted = request(target);
    wanted.type = type;
    wanted.options = options;
    ConvertWatch watch(report_);
    ErrorSlot error;
    const rh_status status = watch.run(engine_, convert_, &wanted, error.get());
    report_.expect(status == expected, rule,
                   fmt::format("{} returned {}, expected {}", call, status, expected));
    if (status != RH_OK) error.expect_told(report_, status, call);
  }

  void stop() {
    const std::string call = id_ + ": convert that is asked to stop";
    const fs::path target = workspace_.target();
    const rh_convert_request wanted = request(target);
    ConvertWatch watch(report_);
    watch.stop = true;
    ErrorSlot error;
    const rh_status status = watch.run(engine_, convert_, &wanted, error.get());
    report_.expect(status == RH_CANCELLED && watch.asked() > 0, "P37",
                   fmt::format("{} returned {}, expected CANCELLED", call, status));
    if (status != RH_OK) error.expect_told(report_, status, call);
  }

  Report& report_;
  const std::string source_, id_, type_;
  rh_engine* const engine_;
  const rh_convert& convert_;
  Workspace workspace_;
};

}  // namespace

void check_conversions(const Subject& subject, Report& report) {
  Life life(subject, report);
  for (const rh_engine_descriptor* descriptor : life.descriptors()) {
    if (first_capability(*descriptor, "convert").empty()) continue;
    const std::string id = descriptor->id;
    const EngineUse engine(life, *descriptor);
    const auto* convert =
        static_cast<const rh_convert*>(engine.get()->get_extension(engine.get(), RH_CONVERT_ID));
    report.require(convert != nullptr, "P34", id + ": says that it converts, but has no " RH_CONVERT_ID);
    report.require(roundhouse::reaches_floor(convert) && convert->run != nullptr, "P10",
                   id + ": rh_convert is too small or has no run");
    if (subject.model_directory.empty()) continue;
    Conversions(report, subject, *descriptor, engine.get(), *convert).run();
  }
}

}  // namespace conformance
