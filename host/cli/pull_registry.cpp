// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull oci://registry/repository[:tag][@digest]`.
#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/cli/pull_source.h"
#include "host/cli/registry_flags.h"
#include "host/sources/registry_pull.h"

namespace roundhouse::host {
namespace {

class RegistryPullSource : public PullSource {
 public:
  void declare(FlagTable& command) override { login_.declare(command); }

  bool takes(const Program&, const std::string& source) const override {
    return source.starts_with(kRegistryScheme);
  }

  ImportReport pull(const Program& program, const PullRequest& request) override {
    if (request.token || request.token_file)
      throw Error(RH_INVALID_ARGUMENT, "--token: a registry takes a user and a password, no token",
                  "give --username with --password-file or --password-stdin; most registries take a token as "
                  "the password");
    const RegistryReference reference = RegistryReference::parse(request.source);
    const auto name = request.name ? request.name : reference.default_name();
    if (!name)
      throw Error(RH_INVALID_ARGUMENT, "reference '" + reference.text() + "': its name is none for a model",
                  "give one with --name");
    const auto link = open_registry(reference, login_.access(reference, request.allow_http));
    return pull_model(program.store().root(), *name, link,
                      {request.parallel, request.progress, engine_check(program)});
  }

 private:
  RegistryFlags login_;
};

}  // namespace

std::unique_ptr<PullSource> make_registry_pull_source() {
  return std::make_unique<RegistryPullSource>();
}

}  // namespace roundhouse::host
