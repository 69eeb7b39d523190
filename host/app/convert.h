// SPDX-License-Identifier: Apache-2.0
// A model's weights in another type or file format, written by the engine that will read them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "host/app/app_context.h"
#include "host/registry/registry.h"
#include "host/residency/one_worker.h"
#include "host/session/session.h"

namespace roundhouse::host {

// Which engines there are, and how the worker of the one that converts is started.
struct ConvertEngines {
  Registry registry;  // a copy: what turns out here concerns this call
  ClientOptions client;
  ClientFactory make_client = make_worker_client;
};

// Names of types as people write them -> as engines list them.
using TypeNames = std::map<std::string, std::string>;
const TypeNames& float_types();      // f32, bf16, f16
const TypeNames& quantised_types();  // q8_0, q6_k, q4_k, q4_0, f16

struct ConvertTo {
  std::string type, format;           // as engines list the type; safetensors, gguf or empty: by the type
  std::optional<std::string> engine;  // none: the best
};

struct ConvertRequest {
  std::string source;  // a model by name, or a directory
  ConvertTo to;
  std::optional<ModelName> name;                   // none: the source's with the type as variant
  std::optional<std::filesystem::path> directory;  // a new one, in place of a model of the store
  ProgressOf progress;                             // may throw CANCELLED
};

struct ConvertReport {
  std::string source, type, format;
  std::uint64_t source_bytes = 0, bytes = 0;
  double milliseconds = 0;
  ConversionResult result;
  std::optional<ImportReport> stored;  // else a directory
  std::string directory;
};

// A directory is looked at by the context's check before the work. Throws MODEL_NOT_FOUND, a RoutingRefusal
// where no engine writes that type, INVALID_ARGUMENT for a name that is the source's own, and what
// Store::build and engines throw. Nothing is left of what ends early.
ConvertReport convert_model(const AppContext& context, ConvertEngines engines, const ConvertRequest& request);

// What becomes of a directory's files on their way into the store.
struct ConvertedModel {
  std::filesystem::path directory;        // a model's
  std::optional<Digest> source_manifest;  // of the stored model that it is; none: its files are hashed
  ModelName name;
  ConvertTo to;
  ImportOptions import;  // with recipe, source and kind of provenance
};
struct ConvertedReport {
  ImportReport stored;
  ConversionResult result;
  std::uint64_t bytes = 0;  // that were written
};
// The step of convert_model and create_model that makes a model of the store.
ConvertedReport store_converted(const AppContext& context, ConvertEngines& engines,
                                const ConvertedModel& model, const ProgressOf& progress);

}  // namespace roundhouse::host
