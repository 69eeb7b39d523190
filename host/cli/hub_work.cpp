// SPDX-License-Identifier: Apache-2.0
#include "host/cli/hub_work.h"

#include "host/cli/interrupt.h"
#include "host/sources/hub.h"

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

}  // namespace

ImportReport take_hub_model(const Program& program, const std::string& source,
                            const std::optional<ModelName>& name, HubOptions options, ImportOptions import) {
  const HubRepository repository = parse_hub_source(source);
  options.http.user_agent = "roundhouse/" + program_version();
  options.http.cancelled = interrupt_noted;
  import.spec = recipe(program, repository);
  import.provenance.tool = "roundhouse " + program_version();
  const ModelName wanted = name          ? *name
                           : import.spec ? ModelName::parse(import.spec->name)
                                         : ModelName::parse(hub_model_name(repository));
  return pull_from_hub(program.store(), {{repository}}, wanted, options, import);
}

}  // namespace roundhouse::host
