// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull hf:org/name[@revision]`.
#include "host/cli/hub_work.h"
#include "host/cli/pull_source.h"

namespace roundhouse::host {
namespace {

class HubPullSource : public PullSource {
 public:
  bool takes(const Program&, const std::string& source) const override { return is_hub_source(source); }

  ImportReport pull(const Program& program, const PullRequest& request) override {
    HubOptions options =
        hub_options({request.token, request.token_file, request.allow_http}, environment_variable);
    options.parallel = request.parallel;
    ImportOptions import;
    import.progress = request.progress;
    return take_hub_model(program, request.source, request.name, std::move(options), std::move(import));
  }
};

}  // namespace

std::unique_ptr<PullSource> make_hub_pull_source() {
  return std::make_unique<HubPullSource>();
}

}  // namespace roundhouse::host
