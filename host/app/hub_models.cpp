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

void prepare(const AppContext& context, HubOptions& options) {
  const HttpOptions http = context.http();
  options.http.user_agent = http.user_agent;
  options.http.cancelled = http.cancelled;
}

}  // namespace

ImportReport take_recipe(const AppContext& context, const ModelSpec& spec,
                         const std::optional<ModelName>& name, HubOptions options, ImportOptions import) {
  const ModelName wanted = name ? *name : ModelName::parse(spec.name);
  require_pinned(spec, wanted, spec.file.string());
  std::vector<HubPart> parts;
  for (const ModelFetch& fetch : fetches_of(spec)) {
    HubPart part{{fetch.base.repository}};
    if (!fetch.base.revision.empty()) part.repository.revision = fetch.base.revision;
    if (!fetch.whole) part.wants = [fetch](const std::string& path) { return fetch.wants(path); };
    parts.push_back(std::move(part));
  }
  prepare(context, options);
  options.maximum_bytes = spec.maximum_bytes;
  import.spec = spec;
  import.check = context.check;
  import.provenance.tool = context.tool();
  return pull_from_hub(context.store(), parts, wanted, options, import);
}

ImportReport take_hub_model(const AppContext& context, const std::string& source,
                            const std::optional<ModelName>& name, HubOptions options, ImportOptions import) {
  const HubRepository repository = parse_hub_source(source, context.environment);
  prepare(context, options);
  import.spec = recipe_of_repository(context, repository);
  import.check = context.check;
  import.provenance.tool = context.tool();
  const ModelName wanted = name          ? *name
                           : import.spec ? ModelName::parse(import.spec->name)
                                         : ModelName::parse(hub_model_name(repository));
  require_pinned(repository, wanted);
  return pull_from_hub(context.store(), {{repository}}, wanted, options, import);
}

}  // namespace roundhouse::host
