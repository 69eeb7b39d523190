// SPDX-License-Identifier: Apache-2.0
// `roundhouse convert` and `roundhouse quantize`: a model's weights in another type or file format, written
// by the engine that will read them.
#include "host/app/convert.h"
#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/convert_report.h"
#include "host/cli/interrupt.h"
#include "host/cli/transfer_view.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

struct ConvertFlags {
  std::string source, type, format, name, output;
  std::optional<std::string> engine, threads;
};

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
    watch_interrupts();
    const std::unique_ptr<Log> log = program.log();
    ConvertRequest request;
    request.source = flags_.source;
    request.to = {type(), format(), flags_.engine};
    if (!flags_.name.empty()) request.name = ModelName::parse(flags_.name);
    if (!flags_.output.empty()) request.directory = flags_.output;
    request.progress = [json = json()](const std::string& verb) { return transfer_progress(verb, json); };
    ConvertEngines engines = convert_engines(program, *log);
    engines.client.threads = threads();
    const ConvertReport report = convert_model(program.app(), std::move(engines), request);
    if (json()) {
      print_json(convert_json(report, program.store()));
    } else {
      print(convert_text(report));
    }
    return 0;
  }

 private:
  std::uint32_t threads() const {
    return flags_.threads ? static_cast<std::uint32_t>(parse_integer("--threads", *flags_.threads, 1, 1024))
                          : 0;
  }

  std::string type() const {
    const auto found = kind_.types.find(flags_.type);
    if (found != kind_.types.end()) return found->second;
    throw Error(RH_INVALID_ARGUMENT,
                std::string(kind_.flag) + ": '" + flags_.type + "' is not known, expected one of: " +
                    joined(kind_.types, ", ", [](const auto& type) { return type.first; }));
  }

  std::string format() const {
    if (flags_.format.empty() || flags_.format == "safetensors" || flags_.format == "gguf")
      return flags_.format;
    throw Error(RH_INVALID_ARGUMENT,
                "--format: '" + flags_.format + "' is not known, expected safetensors or gguf");
  }

  const Kind kind_;
  ConvertFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_convert_command() {
  return std::make_unique<ConvertCommand>(ConvertCommand::Kind{
      "convert", "Write a model with its weights in another floating-point type or file format", "--dtype",
      "f32, bf16 or f16 (also fp32, float32, bfloat16, fp16, float16); a VAE and vectors are always f32",
      "pocket-turbo:bf16", float_types()});
}

std::unique_ptr<Command> make_quantize_command() {
  return std::make_unique<ConvertCommand>(ConvertCommand::Kind{
      "quantize", "Write a model with its matrices rounded to blocks of a few bits", "--type",
      "q8_0 (also int8), q6_k, q4_k, q4_0 (also int4) or f16 (also fp16); everything but large matrices "
      "stays as "
      "it is",
      "pocket-turbo:q8_0", quantised_types()});
}

}  // namespace roundhouse::host
