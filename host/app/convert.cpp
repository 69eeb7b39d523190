// SPDX-License-Identifier: Apache-2.0
#include "host/app/convert.h"

#include <chrono>
#include <memory>

#include "host/app/inside_directory.h"
#include "host/store/directory_manifest.h"
#include "host/store/model_files.h"
#include "host/store/partial_directory.h"
#include "host/text/elapsed.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

std::uint64_t bytes_of(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const SourceFile& file : model_files(directory))
    bytes += file.size;
  return bytes;
}

// What is converted.
struct ConvertSource {
  ResolvedModel model;
  std::optional<StoredModel> stored;
  std::unique_ptr<InsideDirectory> inside;
  fs::path directory;
};

ConvertSource look_at_source(const AppContext& context, const std::string& name) {
  ConvertSource source{context.models().resolve(name), std::nullopt, nullptr, {}};
  if (const auto stored = ModelName::try_parse(name)) source.stored = context.store().find(*stored);
  require_present(source.model);
  if (!source.stored) require_listed_sizes(source.model.directory);
  const bool ours = source.stored || source.model.spec;
  source.inside =
      std::make_unique<InsideDirectory>(context, source.model.directory, ours ? Links::any : Links::within);
  const ModelDirectory inspected = source.inside->inspect();
  source.directory = inspected.path;
  // What makes no model makes none in another type either.
  if (context.check && !source.stored) context.check(source.directory, inspected);
  return source;
}

ModelName default_name(const ConvertSource& source, const std::string& type) {
  std::string base = source.model.name;
  if (base.find('/') != std::string::npos || base == "." || base == "..")
    base = fs::canonical(source.model.directory).filename().string();
  base = base.substr(0, base.find_first_of(":@"));
  const ModelName name = ModelName::parse(base + ":" + type);
  if (name.text() == source.model.name)
    throw Error(RH_INVALID_ARGUMENT,
                "model '" + name.text() + "' would take the place of what it is made from",
                "give it another name with --name");
  return name;
}

ConvertProgress convert_progress(const ProgressCallback& progress) {
  return [progress](const ConvertEvent& event) {
    progress({event.file + (event.tensor.empty() ? "" : ": " + event.tensor), event.done_bytes,
              event.total_bytes});
  };
}

// Writes the model into an empty directory; returns its bytes.
std::uint64_t convert_files(const AppContext& context, ConvertEngines& engines, ConversionPlan& plan,
                            const fs::path& target, const ProgressOf& progress, ConversionResult& result) {
  plan.job.target = target;
  OneWorker worker(engines.registry, engines.client, engines.make_client);
  result = run_conversion(plan, worker, context.cancelled,
                          convert_progress(progress("converting to " + plan.job.type)));
  // That of the source, if it has one, says nothing of the result.
  std::error_code ignored;
  if (has_directory_manifest(target)) fs::remove(target / kDirectoryManifest, ignored);
  return bytes_of(target);
}

ConversionPlan plan_of(const ConvertEngines& engines, const ConvertTo& to) {
  return make_conversion_plan(to.type, to.format, to.engine, engines.registry);
}

ConvertedModel model_for(const ConvertSource& source, const ModelName& name, const ConvertTo& to) {
  ConvertedModel model{source.directory, std::nullopt, name, to, {}};
  if (source.stored) model.source_manifest = source.stored->digest;
  model.import.source = source.stored ? "model " + source.stored->name
                                      : fs::absolute(source.model.directory).lexically_normal().string();
  model.import.provenance.kind = "conversion";
  model.import.spec = source.model.spec;
  if (model.import.spec) {
    model.import.spec->format.clear();
    model.import.spec->quantization.clear();
  }
  return model;
}

}  // namespace

const TypeNames& float_types() {
  static const TypeNames names = {{"f32", "f32"},   {"fp32", "f32"},      {"float32", "f32"},
                                  {"bf16", "bf16"}, {"bfloat16", "bf16"}, {"f16", "f16"},
                                  {"fp16", "f16"},  {"float16", "f16"}};
  return names;
}

const TypeNames& quantised_types() {
  static const TypeNames names = {{"q8_0", "q8_0"}, {"int8", "q8_0"}, {"q4_0", "q4_0"}, {"int4", "q4_0"},
                                  {"q4_k", "q4_k"}, {"q6_k", "q6_k"}, {"f16", "f16"},   {"fp16", "f16"}};
  return names;
}

ConvertedReport store_converted(const AppContext& context, ConvertEngines& engines,
                                const ConvertedModel& model, const ProgressOf& progress) {
  ConversionPlan plan = plan_of(engines, model.to);
  plan.job.source = inspect_model_directory(model.directory).path;
  Conversion conversion;
  conversion.type = model.to.type;
  conversion.format = model.to.format;
  if (model.source_manifest) {
    conversion.source_manifest = model.source_manifest->text();
  } else {
    conversion.source_files = digest_of_directory(model.directory, progress("hashing")).text();
  }
  ConvertedReport report;
  const auto make = [&](const fs::path& directory, ImportOptions& made) {
    report.bytes = convert_files(context, engines, plan, directory, progress, report.result);
    conversion.engine = report.result.engine;
    conversion.engine_version = report.result.report.version;
    made.provenance.tool = context.tool();
    made.provenance.conversion = conversion;
    made.progress = progress("importing");
  };
  report.stored = context.store().build(model.name, model.import, make);
  return report;
}

ConvertReport convert_model(const AppContext& context, ConvertEngines engines,
                            const ConvertRequest& request) {
  using Clock = std::chrono::steady_clock;
  ConversionPlan plan = plan_of(engines, request.to);
  const ConvertSource source = look_at_source(context, request.source);
  ConvertReport report;
  report.source = source.model.name;
  report.type = request.to.type;
  report.format = request.to.format;
  report.source_bytes = bytes_of(source.directory);
  const Clock::time_point begin = Clock::now();
  if (request.directory) {
    PartialDirectory partial(*request.directory);
    plan.job.source = source.directory;
    report.bytes = convert_files(context, engines, plan, partial.path(), request.progress, report.result);
    write_directory_manifest(partial.path(), context.tool(), request.progress("hashing"));
    partial.finish();
    report.directory = request.directory->string();
  } else {
    const ModelName name = request.name ? *request.name : default_name(source, request.to.type);
    ConvertedReport made =
        store_converted(context, engines, model_for(source, name, request.to), request.progress);
    report.result = std::move(made.result);
    report.bytes = made.bytes;
    report.stored = std::move(made.stored);
  }
  report.milliseconds = milliseconds_since(begin);
  return report;
}

}  // namespace roundhouse::host
