// SPDX-License-Identifier: Apache-2.0
// `roundhouse convert` and `roundhouse quantize`: a model's weights in another type or file format, written
// by the engine that will read them.
#include <map>

#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/convert_report.h"
#include "host/cli/interrupt.h"
#include "host/cli/transfer_view.h"
#include "host/store/directory_manifest.h"
#include "host/store/model_files.h"
#include "host/store/partial_directory.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Names of types as people write them -> as engines list them.
using TypeNames = std::map<std::string, std::string>;
const TypeNames kFloats = {{"f32", "f32"},       {"fp32", "f32"}, {"float32", "f32"}, {"bf16", "bf16"},
                           {"bfloat16", "bf16"}, {"f16", "f16"},  {"fp16", "f16"},    {"float16", "f16"}};
const TypeNames kQuantised = {{"q8_0", "q8_0"}, {"int8", "q8_0"}, {"q4_0", "q4_0"}, {"int4", "q4_0"},
                              {"q4_k", "q4_k"}, {"q6_k", "q6_k"}, {"f16", "f16"},   {"fp16", "f16"}};

struct ConvertFlags {
  std::string source, type, format, name, output;
  std::optional<std::string> engine, threads;
};

// What is converted.
struct Source {
  ResolvedModel model;
  std::optional<StoredModel> stored;
  std::uint64_t bytes = 0;
};

std::uint64_t bytes_of(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const SourceFile& file : model_files(directory))
    bytes += file.size;
  return bytes;
}

class ConvertCommand : public Command {
 public:
  struct Kind {
    const char *name, *description, *flag, *flag_description, *example;
    const TypeNames& types;
  };
  explicit ConvertCommand(const Kind& kind) : kind_(kind) {}

  FlagTable declare() override {
    FlagTable command(kind_.name, kind_.description);
    command.add("source", "NAME|DIR", "A model by name, or a directory (with a '/')", &flags_.source)
        .required = true;
    command.add(kind_.flag, "TYPE", kind_.flag_description, &flags_.type).required = true;
    command.add("--format", "FORMAT",
                "safetensors or gguf [default: safetensors for f32, bf16 and f16, else gguf]",
                &flags_.format);
    command.add("--output", "DIR",
                "Write a new directory with a manifest.json, instead of a model of the store",
                &flags_.output);
    command
        .add("--name", "NAME",
             std::string("NAME[:VARIANT][@VERSION] of the new model [default: the source's with the type "
                         "as variant, such as ") +
                 kind_.example + "]",
             &flags_.name)
        .excludes = "--output";
    command.add("--engine", "ID", "The engine that is to read the result [default: auto, the best]",
                &flags_.engine);
    command.add("--threads", "N", "1 to 1024; the result is the same [default: all processors]",
                &flags_.threads);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const std::atomic<bool>& cancelled = watch_interrupts();
    const std::unique_ptr<Log> log = program.log();
    ClientOptions options;
    options.threads = threads();
    options.log = [&](std::uint32_t level, const std::string& category, const std::string& message) {
      log->write(level, category, message);
    };
    report_.type = type();
    report_.format = format();
    std::optional<ModelName> name;
    if (!flags_.name.empty()) name = ModelName::parse(flags_.name);
    Registry registry = program.registry();
    plan_ = make_conversion_plan(report_.type, report_.format, flags_.engine, registry);
    const Source source = look_at_source(program);
    const auto convert = [&](const fs::path& target) {
      plan_.job.target = target;
      OneWorker worker(registry, options);
      report_.result =
          run_conversion(plan_, worker, cancelled, convert_progress(transfer_progress(verb(), json())));
      drop_old_manifest(target);
      report_.bytes = bytes_of(target);
    };
    Store store = program.store();
    const Clock::time_point begin = Clock::now();
    if (flags_.output.empty()) {
      into_store(store, source, name ? *name : default_name(source), convert);
    } else {
      into_directory(convert);
    }
    report_.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (json()) {
      print_json(convert_json(report_, store));
    } else {
      print(convert_text(report_));
    }
    return 0;
  }

 private:
  std::string verb() const { return "converting to " + report_.type; }

  std::uint32_t threads() const {
    return flags_.threads ? static_cast<std::uint32_t>(parse_integer("--threads", *flags_.threads, 1, 1024))
                          : 0;
  }

  std::string type() const {
    const auto found = kind_.types.find(flags_.type);
    if (found != kind_.types.end()) return found->second;
    std::string expected;
    for (const auto& [name, meaning] : kind_.types)
      expected += (expected.empty() ? "" : ", ") + name;
    throw Error(RH_INVALID_ARGUMENT, std::string(kind_.flag) + ": '" + flags_.type +
                                         "' is not known, expected one of: " + expected);
  }

  std::string format() const {
    if (flags_.format.empty() || flags_.format == "safetensors" || flags_.format == "gguf")
      return flags_.format;
    throw Error(RH_INVALID_ARGUMENT,
                "--format: '" + flags_.format + "' is not known, expected safetensors or gguf");
  }

  Source look_at_source(const Program& program) {
    Source source{program.models().resolve(flags_.source), std::nullopt, 0};
    if (const auto name = ModelName::try_parse(flags_.source)) source.stored = program.store().find(*name);
    require_present(source.model);
    if (!source.stored) require_listed_sizes(source.model.directory);
    const ModelDirectory directory = inspect_model_directory(source.model.directory);
    source.bytes = bytes_of(directory.path);
    report_.source = source.model.name;
    report_.source_bytes = source.bytes;
    plan_.job.source = directory.path;
    return source;
  }

  ModelName default_name(const Source& source) const {
    std::string base = source.model.name;
    if (base.find('/') != std::string::npos || base == "." || base == "..")
      base = fs::canonical(source.model.directory).filename().string();
    base = base.substr(0, base.find_first_of(":@"));
    const ModelName name = ModelName::parse(base + ":" + report_.type);
    if (name.text() == source.model.name)
      throw Error(RH_INVALID_ARGUMENT,
                  "model '" + name.text() + "' would take the place of what it is made from",
                  "give it another name with --name");
    return name;
  }

  static ConvertProgress convert_progress(const ProgressSeen& progress) {
    return [progress](const ConvertEvent& event) {
      progress({event.file + (event.tensor.empty() ? "" : ": " + event.tensor), event.done_bytes,
                event.total_bytes});
    };
  }

  // That of the source, if it has one, says nothing of the result.
  static void drop_old_manifest(const fs::path& target) {
    std::error_code ignored;
    if (has_directory_manifest(target)) fs::remove(target / kDirectoryManifest, ignored);
  }

  template <typename Convert>
  void into_store(Store& store, const Source& source, const ModelName& name, const Convert& convert) {
    ImportOptions options;
    options.source = source.stored ? "model " + source.stored->name
                                   : fs::absolute(source.model.directory).lexically_normal().string();
    if (source.model.spec) {
      options.spec = source.model.spec;
      options.spec->format.clear();
      options.spec->quantization.clear();
    }
    Conversion conversion;
    if (source.stored) {
      conversion.source_manifest = source.stored->digest.text();
    } else {
      conversion.source_files =
          digest_of_directory(source.model.directory, transfer_progress("hashing", json())).text();
    }
    conversion.type = report_.type;
    conversion.format = report_.format;
    report_.stored = store.build(name, options, [&](const fs::path& directory, ImportOptions& made) {
      convert(directory);
      conversion.engine = report_.result.engine;
      conversion.engine_version = report_.result.report.version;
      made.provenance = {"conversion", {}, {}, "roundhouse " + program_version(), conversion};
      made.progress = transfer_progress("importing", json());
    });
  }

  template <typename Convert>
  void into_directory(const Convert& convert) {
    PartialDirectory partial(flags_.output);
    convert(partial.path());
    write_directory_manifest(partial.path(), "roundhouse " + program_version(),
                             transfer_progress("hashing", json()));
    partial.finish();
    report_.directory = flags_.output;
  }

  const Kind kind_;
  ConvertFlags flags_;
  ConversionPlan plan_;
  ConvertReport report_;
};

}  // namespace

std::unique_ptr<Command> make_convert_command() {
  return std::make_unique<ConvertCommand>(ConvertCommand::Kind{
      "convert", "Write a model with its weights in another floating-point type or file format", "--dtype",
      "f32, bf16 or f16 (also fp32, float32, bfloat16, fp16, float16); a VAE and vectors are always f32",
      "pocket-turbo:bf16", kFloats});
}

std::unique_ptr<Command> make_quantize_command() {
  return std::make_unique<ConvertCommand>(ConvertCommand::Kind{
      "quantize", "Write a model with its matrices rounded to blocks of a few bits", "--type",
      "q8_0 (also int8), q6_k, q4_k, q4_0 (also int4) or f16 (also fp16); everything but large matrices "
      "stays as "
      "it is",
      "pocket-turbo:q8_0", kQuantised});
}

}  // namespace roundhouse::host
