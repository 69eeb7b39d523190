// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull NAME`, where a recipe has that name.
#include "host/cli/pull_recipe.h"

#include "host/cli/hub_work.h"
#include "host/cli/interrupt.h"
#include "host/cli/pull_source.h"
#include "host/cli/transfer_view.h"

namespace roundhouse::host {
namespace {

// The recipe of a name or alias, where it says from where the files come.
std::optional<ModelSpec> recipe_of(const Program& program, const std::string& name) {
  auto spec = program.models().find_spec(name);
  return spec && !spec->base.repository.empty() ? spec : std::nullopt;
}

class RecipePullSource : public PullSource {
 public:
  bool takes(const Program& program, const std::string& source) const override {
    return recipe_of(program, source).has_value();
  }

  ImportReport pull(const Program& program, const PullRequest& request) override {
    HubOptions options =
        hub_options({request.token, request.token_file, request.allow_http}, environment_variable);
    options.parallel = request.parallel;
    ImportOptions import;
    import.progress = request.progress;
    return take_recipe(program, *recipe_of(program, request.source), request.name, std::move(options),
                       std::move(import));
  }
};

bool is_absent(const Program& program, const std::string& model) {
  try {
    require_present(program.models().resolve(model));
    return false;
  } catch (const Error& error) {
    return error.code() == RH_MODEL_NOT_FOUND;
  }
}

}  // namespace

std::unique_ptr<PullSource> make_recipe_pull_source() {
  return std::make_unique<RecipePullSource>();
}

void pull_if_absent(const Program& program, const std::string& model, bool json) {
  if (!recipe_of(program, model) || !is_absent(program, model)) return;
  PullRequest request;
  request.source = model;
  request.progress = transfer_progress("pulling " + model, json);
  RecipePullSource().pull(program, request);
}

}  // namespace roundhouse::host
