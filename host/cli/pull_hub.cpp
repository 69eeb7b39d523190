// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull hf:org/name[@revision]`.
#include "host/cli/interrupt.h"
#include "host/cli/pull_source.h"
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

class HubPullSource : public PullSource {
 public:
  bool takes(const Program&, const std::string& source) const override { return is_hub_source(source); }

  ImportReport pull(const Program& program, const PullRequest& request) override {
    const HubRepository repository = parse_hub_source(request.source);
    HubOptions options =
        hub_options({request.token, request.token_file, request.allow_http}, environment_variable);
    options.parallel = request.parallel;
    options.http.user_agent = "roundhouse/" + program_version();
    options.http.cancelled = interrupt_noted;
    ImportOptions import;
    import.spec = recipe(program, repository);
    import.provenance.tool = "roundhouse " + program_version();
    import.progress = request.progress;
    const ModelName name = request.name  ? *request.name
                           : import.spec ? ModelName::parse(import.spec->name)
                                         : ModelName::parse(hub_model_name(repository));
    return pull_from_hub(program.store(), {{repository, {}, {}, {}}}, name, options, import);
  }
};

}  // namespace

std::unique_ptr<PullSource> make_hub_pull_source() {
  return std::make_unique<HubPullSource>();
}

}  // namespace roundhouse::host
