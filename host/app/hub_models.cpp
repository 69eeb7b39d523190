// SPDX-License-Identifier: Apache-2.0
#include "host/app/hub_models.h"

#include "host/sources/hub.h"
#include "host/store/model_fetch.h"

namespace roundhouse::host {
namespace {

// What is known of the repository's model beforehand: its defaults and limits.
std::optional<ModelSpec> recipe_of_repository(const AppContext& context, const HubRepository& repository) {
  for (const auto& entry : context.models().entries()) {
    if (!entry.stored && !entry.spec.file.empty() && entry.spec.base.repository == repository.name)
      return entry.spec;
  }
  return std::nullopt;
}

// A name with a version stands for one model for ever.
void require_pinned(const HubRepository& repository, const ModelName& name) {
  if (name.version().empty() || ModelBase{repository.name, repository.revision, {}}.pinned()) return;
  throw Error(RH_INVALID_ARGUMENT,
              repository.text() + ": '" + repository.revision + "' may move, and '" + name.text() +
                  "' stands for one model for ever: expected a commit of 40 hexadecimal digits",
              "hf:" + repository.name + "@COMMIT, or leave the version out");
}

ImportOptions import_options(const AppContext& context, const HubRequest& request) {
  ImportOptions import;
  import.check = context.check;
  import.progress = request.progress;
  import.link_mode = request.link_mode;
  import.provenance.tool = context.tool();
  return import;
}

void prepare(const AppContext& context, HubOptions& options) {
  const HttpOptions http = context.http();
  options.http.user_agent = http.user_agent;
  options.http.cancelled = http.cancelled;
  options.http.proxies = http.proxies;
}

// A file, or a component, as import takes it from this machine.
class HubFileImport {
 public:
  HubFileImport(const AppContext& context, const HubRepository& repository, const HubRequest& request)
      : context_(context), repository_(repository), request_(request) {
    const ModelName wanted = request.name ? *request.name : ModelName::parse(hub_model_name(repository));
    require_pinned(repository, wanted);
    import_.name = wanted.text();
    import_.parts = request.parts;
    import_.link_mode = LinkMode::link;  // what was fetched is the store's already
    import_.source = repository.text();
    import_.progress = request.progress;
  }

  ImportReport run() {
    HubPart part{repository_};
    part.variant = request_.variant;
    part.parts = true;
    return pull_parts_from_hub(context_.store(), part, request_.options, import_options(context_, request_),
                               {[this](const HubParts& parts) {
                                  in_words_of_source(parts, [this] { rehearse_import(context_, import_); });
                                },
                                [this](const HubParts& parts) {
                                  ImportReport report;
                                  in_words_of_source(parts,
                                                     [&] { report = import_model(context_, import_); });
                                  return report;
                                }});
  }

 private:
  template <class Work>
  void in_words_of_source(const HubParts& parts, const Work& work) {
    import_.path = parts.path.string();
    import_.own_directory = true;
    import_.provenance = Provenance{"hub", repository_.name, parts.commit, context_.tool()};
    try {
      work();
    } catch (const Error& error) {
      const std::string place = "'" + import_.path + "'";
      std::string text = error.what();
      if (const auto at = text.find(place); at != std::string::npos)
        text.replace(at, place.size(), "'" + parts.file + "'");
      throw Error(error.code(), repository_.text() + ": " + text, std::string(error.hint()));
    }
  }

  const AppContext& context_;
  const HubRepository& repository_;
  const HubRequest& request_;
  ImportRequest import_;
};

ImportReport take_parts(const AppContext& context, const HubRepository& repository,
                        const HubRequest& request) {
  return HubFileImport(context, repository, request).run();
}

}  // namespace

ImportReport take_recipe(const AppContext& context, const ModelSpec& spec, HubRequest request) {
  const ModelName wanted = request.name ? *request.name : ModelName::parse(spec.name);
  require_pinned(spec, wanted, spec.file.string());
  std::vector<HubPart> parts;
  for (const ModelFetch& fetch : fetches_of(spec)) {
    HubPart part{{fetch.base.repository}};
    part.variant = request.variant;
    if (!fetch.base.revision.empty()) part.repository.revision = fetch.base.revision;
    part.folders = fetch.components;
    if (!fetch.whole) part.wants = [fetch](const std::string& path) { return fetch.wants(path); };
    parts.push_back(std::move(part));
  }
  prepare(context, request.options);
  request.options.maximum_bytes = spec.maximum_bytes;
  ImportOptions import = import_options(context, request);
  import.spec = spec;
  return pull_from_hub(context.store(), parts, wanted, request.options, import);
}

ImportReport take_hub_model(const AppContext& context, const std::string& source, HubRequest request) {
  HubRepository repository = parse_hub_source(source, context.environment);
  prepare(context, request.options);
  const bool parts =
      !repository.file.empty() || !request.parts.base.empty() || !request.parts.components.empty();
  if (parts) return take_parts(context, repository, request);
  ImportOptions import = import_options(context, request);
  import.spec = recipe_of_repository(context, repository);
  const ModelName wanted = request.name  ? *request.name
                           : import.spec ? ModelName::parse(import.spec->name)
                                         : ModelName::parse(hub_model_name(repository));
  require_pinned(repository, wanted);
  HubPart part{repository};
  part.variant = request.variant;
  try {
    return pull_from_hub(context.store(), {part}, wanted, request.options, import);
  } catch (const OneFileOnly& only) {
    if (!only.path().ends_with(".gguf"))
      throw Error(only.code(), std::string(only.what()) + ", expected --base MODEL with the other components",
                  "roundhouse pull " + repository.text() + " --base MODEL --name NAME");
    request.name = wanted;
    repository.file = only.path();
    return take_parts(context, repository, request);
  }
}

}  // namespace roundhouse::host
