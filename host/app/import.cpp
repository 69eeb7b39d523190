// SPDX-License-Identifier: Apache-2.0
#include "host/app/import.h"

#include <fmt/format.h>

#include "host/store/assembly.h"
#include "host/store/gguf_header.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// The last part of a path; without its ending for a file.
std::string name_of_path(const fs::path& path) {
  fs::path whole = fs::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  std::error_code ignored;
  return (fs::is_regular_file(whole, ignored) ? whole.stem() : whole.filename()).string();
}

std::string architecture_of(const fs::path& directory) {
  try {
    return inspect_model_directory(directory).architecture;
  } catch (const Error&) {
    return "";  // the import says what is wrong
  }
}

// The recipe of the directory itself, or else of the name.
std::optional<ModelSpec> recipe_of_directory(const AppContext& context, const fs::path& path,
                                             const ModelName& name) {
  std::error_code error;
  const fs::path directory = fs::canonical(path, error);
  std::optional<ModelSpec> named;
  for (const auto& entry : context.models().entries()) {
    if (entry.stored || entry.spec.file.empty()) continue;
    if (!error && entry.present && fs::equivalent(entry.directory, directory, error)) return entry.spec;
    if (entry.spec.name == name.name()) named = entry.spec;
  }
  return named && named->architecture == architecture_of(path) ? named : std::nullopt;
}

// The directories of recipes, such as the models that come along, may share files.
Links links_of(const AppContext& context, const fs::path& directory) {
  for (const auto& entry : context.models().entries()) {
    std::error_code error;
    if (!entry.stored && !entry.spec.file.empty() && fs::equivalent(entry.directory, directory, error))
      return Links::any;
  }
  return Links::within;
}

class Import {
 public:
  Import(const AppContext& context, const ImportRequest& request, bool rehearsal)
      : context_(context), request_(request), rehearsal_(rehearsal), store_(context.store()) {
    options_.link_mode = request.link_mode;
    options_.check = context.check;
    options_.progress = request.progress;
    options_.source = request.source;
  }

  ImportReport run() {
    std::error_code ignored;
    if (!fs::is_regular_file(request_.path, ignored)) return import_directory();
    refuse_pointer(request_.path, "file '" + request_.path + "'");
    const WeightFormat kind = weight_format_of(request_.path);
    if (kind == WeightFormat::neither) return import_archive();
    const bool image = kind == WeightFormat::gguf && is_image_gguf();
    if (!request_.parts.base.empty()) return import_over_base(kind, image);
    if (kind == WeightFormat::gguf && !image) return import_text_model();
    throw Error(
        RH_INVALID_ARGUMENT,
        "file '" + request_.path + "': holds " +
            (image ? "an image model's transformer alone" : "weights alone") +
            ", expected --base MODEL with the other components",
        "roundhouse import FILE --base MODEL, where MODEL is a name of 'roundhouse list' or a directory");
  }

 private:
  ModelName name() const {
    return request_.name.empty() ? ModelName::made_of(name_of_path(request_.path))
                                 : ModelName::parse(request_.name);
  }

  // Throws WEIGHTS_MISSING for one part of several.
  bool is_image_gguf() const {
    const std::string shown = "file '" + request_.path + "'";
    const GgufHeader header = read_gguf_header(request_.path, shown);
    const auto parts = header.numbers.find("split.count");
    if (parts != header.numbers.end() && parts->second > 1)
      throw Error(
          RH_WEIGHTS_MISSING,
          fmt::format("{}: is one part of a GGUF split into {}, which is not read", shown, parts->second),
          "merge the parts with 'llama-gguf-split --merge', then import the result");
    return is_image_transformer(header);
  }

  void refuse_parts(const std::string& what) const {
    if (request_.parts.base.empty() && request_.parts.components.empty()) return;
    throw Error(RH_INVALID_ARGUMENT,
                "file '" + request_.path + "': is " + what + ", which takes no --base and no --component");
  }

  ImportReport import_archive() {
    refuse_parts("taken for an OCI archive");
    if (rehearsal_) return {};
    std::optional<ModelName> wanted;
    if (!request_.name.empty()) wanted = ModelName::parse(request_.name);
    return store_.import_archive(request_.path, wanted, options_);
  }

  ImportReport import_directory() {
    if (!request_.parts.base.empty()) return import_component();
    const ModelName wanted = name();
    options_.provenance = provenance("directory");
    options_.spec = recipe_of_directory(context_, request_.path, wanted);
    options_.links = links_of(context_, request_.path);
    if (request_.parts.components.empty()) return store_.import_directory(request_.path, wanted, options_);
    Assembly assembly(StorePaths{store_.root()});
    assembly.add_model(request_.path, options_.links);
    return assembled(assembly, wanted);
  }

  ImportReport import_text_model() {
    refuse_parts("a whole text model");
    options_.provenance = provenance("gguf");
    const ModelName wanted = name();
    Assembly assembly(StorePaths{store_.root()});
    assembly.add_file("model.gguf", request_.path);
    return assembled(assembly, wanted);
  }

  ImportReport import_over_base(WeightFormat kind, bool image) {
    if (kind == WeightFormat::gguf && !image)
      throw Error(RH_INVALID_ARGUMENT,
                  "file '" + request_.path + "': holds a text model, expected an image model's transformer",
                  "for the text encoder of an image model: --component text_encoder=FILE");
    const ModelName wanted = name();
    const ResolvedModel base = context_.models().resolve(request_.parts.base);
    require_present(base);
    options_.spec = base.spec;
    options_.provenance = provenance(kind == WeightFormat::gguf ? "gguf" : "safetensors");
    Assembly assembly(StorePaths{store_.root()});
    assembly.add_model(base.directory, base.spec ? Links::any : links_of(context_, base.directory));
    assembly.set_component("transformer", request_.path);
    if (kind == WeightFormat::safetensors) {
      for (const std::string& component : components_inside(request_.path))
        assembly.set_component(component, request_.path);
    }
    return assembled(assembly, wanted);
  }

  // A transformer, or another component, that stands alone in its directory.
  ImportReport import_component() {
    if (!file_present(fs::path(request_.path) / "config.json") ||
        file_present(fs::path(request_.path) / "model_index.json"))
      throw Error(RH_INVALID_ARGUMENT,
                  "--base: '" + request_.path +
                      "' is a directory of a whole model or of none, expected a file or the directory of one "
                      "component, with its config.json");
    const ModelName wanted = name();
    const ResolvedModel base = context_.models().resolve(request_.parts.base);
    require_present(base);
    options_.spec = base.spec;
    options_.provenance = provenance("directory");
    Assembly assembly(StorePaths{store_.root()});
    assembly.add_model(base.directory, base.spec ? Links::any : links_of(context_, base.directory));
    assembly.set_folder(request_.path,
                        request_.own_directory ? Links::any : links_of(context_, request_.path));
    return assembled(assembly, wanted);
  }

  Provenance provenance(const std::string& kind) const {
    return request_.provenance ? *request_.provenance : local_provenance(context_, kind);
  }

  ImportReport assembled(Assembly& assembly, const ModelName& wanted) {
    for (const std::string& part : request_.parts.components) {
      const std::size_t equals = part.find('=');
      if (equals == std::string::npos || equals == 0 || equals + 1 == part.size())
        throw Error(RH_INVALID_ARGUMENT, "--component: '" + part + "' is not NAME=FILE");
      assembly.set_component(part.substr(0, equals), part.substr(equals + 1));
    }
    options_.links = Links::any;  // those of the assembly
    if (options_.source.empty()) options_.source = fs::absolute(request_.path).lexically_normal().string();
    const fs::path directory = assembly.directory();
    if (!rehearsal_) return store_.import_directory(directory, wanted, options_);
    const ModelDirectory inspected = inspect_model_directory(directory);
    if (options_.check) options_.check(directory, inspected);
    return {};
  }

  const AppContext& context_;
  const ImportRequest& request_;
  const bool rehearsal_;
  Store store_;
  ImportOptions options_;
};

}  // namespace

Provenance local_provenance(const AppContext& context, const std::string& kind) {
  return {kind, {}, {}, context.tool()};
}

ImportReport import_model(const AppContext& context, const ImportRequest& request) {
  return Import(context, request, false).run();
}

void rehearse_import(const AppContext& context, const ImportRequest& request) {
  Import(context, request, true).run();
}

}  // namespace roundhouse::host
