// SPDX-License-Identifier: Apache-2.0
#include "host/cli/hub_work.h"

#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/sources/hub.h"
#include "host/store/model_fetch.h"

namespace roundhouse::host {
namespace {

// What is known of the repository's model beforehand: its defaults and limits.
std::optional<ModelSpec> recipe(const Program& program, const HubRepository& repository) {
  for (const auto& entry : program.models().entries()) {
    if (!entry.stored && !entry.spec.file.empty() && entry.spec.base.repository == repository.name)
      return entry.spec;
  }
  return std::nullopt;
}

void prepare(HubOptions& options) {
  options.http.user_agent = "roundhouse/" + program_version();
  options.http.cancelled = interrupt_noted;
}

}  // namespace

ImportReport take_recipe(const Program& program, const ModelSpec& spec, const std::optional<ModelName>& name,
                         HubOptions options, ImportOptions import) {
  const ModelName wanted = name ? *name : ModelName::parse(spec.name);
  require_pinned(spec, wanted, spec.file.string());
  std::vector<HubPart> parts;
  for (const ModelFetch& fetch : fetches_of(spec)) {
    HubPart part{{fetch.base.repository}};
    if (!fetch.base.revision.empty()) part.repository.revision = fetch.base.revision;
    part.wants = [fetch](const std::string& path) { return fetch.wants(path); };
    parts.push_back(std::move(part));
  }
  prepare(options);
  options.maximum_bytes = spec.maximum_bytes;
  import.spec = spec;
  import.check = engine_check(program);
  import.provenance.tool = "roundhouse " + program_version();
  return pull_from_hub(program.store(), parts, wanted, options, import);
}

ImportReport take_hub_model(const Program& program, const std::string& source,
                            const std::optional<ModelName>& name, HubOptions options, ImportOptions import) {
  const HubRepository repository = parse_hub_source(source);
  prepare(options);
  import.spec = recipe(program, repository);
  import.check = engine_check(program);
  import.provenance.tool = "roundhouse " + program_version();
  const ModelName wanted = name          ? *name
                           : import.spec ? ModelName::parse(import.spec->name)
                                         : ModelName::parse(hub_model_name(repository));
  return pull_from_hub(program.store(), {{repository}}, wanted, options, import);
}

}  // namespace roundhouse::host
