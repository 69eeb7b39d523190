// SPDX-License-Identifier: Apache-2.0
#include "host/app/create.h"

#include "host/app/hub_models.h"
#include "host/app/import.h"
#include "host/app/inside_directory.h"
#include "host/store/model_fetch.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// What a recipe calls them -> what engines write.
const std::map<std::string, std::string>& spec_types() {
  static const std::map<std::string, std::string> types = {
      {"int8", "q8_0"}, {"int4", "q4_0"}, {"fp16", "f16"}};
  return types;
}

class Creation {
 public:
  Creation(const AppContext& context, const SpecRequest& request)
      : context_(context),
        request_(request),
        spec_(read_model_spec(request.file)),
        name_(request.name
                  ? *request.name
                  : ModelName::parse(spec_.name + (spec_.version.empty() ? "" : "@" + spec_.version))) {
    require_pinned(spec_, name_, request.file.string());
  }

  ImportReport run(const std::function<ConvertEngines()>& engines) const {
    ImportOptions options;
    options.check = context_.check;
    options.link_mode = request_.link_mode;
    options.progress = request_.progress("creating");
    const bool converts = spec_types().contains(spec_.quantization);
    if (spec_.path.empty() && spec_.base.model.empty()) {
      if (converts) refuse_conversion_of_what_is_elsewhere();
      return take_recipe(context_, spec_,
                         {name_, hub_options({}, context_.environment), {}, {}, options.progress});
    }
    options.provenance = local_provenance(context_, "recipe");
    options.provenance.repository = spec_.base.repository;
    options.provenance.revision = spec_.base.revision;
    options.spec = spec_;
    const fs::path source = source_directory();
    options.links = spec_.base.model.empty() ? Links::within : Links::any;
    const InsideDirectory inside(context_, source, converts ? options.links : Links::any);
    const fs::path& directory = inside.path();
    if (!converts) return context_.store().import_directory(directory, name_, options);
    ConvertEngines made = engines();
    inside.inspect();
    options.source = fs::absolute(source).lexically_normal().string();
    const ConvertTo to{spec_types().at(spec_.quantization), spec_.format, std::nullopt};
    return store_converted(context_, made, {directory, std::nullopt, name_, to, options}, request_.progress)
        .stored;
  }

 private:
  fs::path source_directory() const {
    if (spec_.path.is_absolute()) return spec_.path;
    if (!spec_.path.empty()) return fs::absolute(request_.file).parent_path() / spec_.path;
    const ResolvedModel base = context_.models().resolve(spec_.base.model);
    require_present(base);
    return base.directory;
  }

  void refuse_conversion_of_what_is_elsewhere() const {
    throw Error(RH_INVALID_ARGUMENT,
                request_.file.string() + ": quantization: '" + spec_.quantization +
                    "' needs the files here, expected path or base.model",
                "roundhouse pull hf:" + spec_.base.repository + ", and give its name as base.model");
  }

  const AppContext& context_;
  const SpecRequest& request_;
  const ModelSpec spec_;
  const ModelName name_;
};

}  // namespace

ImportReport create_from_spec(const AppContext& context, const SpecRequest& request,
                              const std::function<ConvertEngines()>& engines) {
  return Creation(context, request).run(engines);
}

}  // namespace roundhouse::host
