// SPDX-License-Identifier: Apache-2.0
#include "host/app/pull.h"

#include "host/app/hub_models.h"
#include "host/app/pull_local.h"
#include "host/app/pull_web.h"
#include "host/sources/hub.h"
#include "host/sources/registry_client.h"
#include "host/sources/registry_pull.h"

namespace roundhouse::host {
namespace {

HubRequest hub_request_of(const AppContext& context, const PullRequest& request) {
  HubRequest hub{request.name, hub_options(request.hub, context.environment), request.variant, request.parts,
                 request.progress};
  hub.options.parallel = request.parallel;
  return hub;
}

// A name with a version stands for one model for ever.
void require_fixed(const PullRequest& request, bool fixed, const std::string& expected) {
  if (fixed || !request.name || request.name->version().empty()) return;
  throw Error(RH_INVALID_ARGUMENT, "source '" + request.source + "': what it gives may change, and '" +
                                       request.name->text() + "' stands for one model for ever: expected " +
                                       expected);
}

ImportReport pull_of_registry(const AppContext& context, const PullRequest& request) {
  const RegistryReference reference = RegistryReference::parse(request.source);
  require_fixed(request, reference.digest.has_value(),
                "a reference with a digest, or a name without a version");
  const auto name = request.name ? request.name : reference.default_name();
  if (!name)
    throw Error(RH_INVALID_ARGUMENT,
                "reference '" + reference.text() + "': its name cannot be that of a model",
                "roundhouse pull " + reference.text() + " --name NAME");
  RegistryAccess access;
  access.http = context.http();
  access.http.allow_plain_http = request.hub.allow_http;
  access.search = request.login ? request.login(reference) : find_credentials(reference, context.environment);
  return pull_model(context.store_root, *name, open_registry(reference, access),
                    {request.parallel, request.progress, context.check});
}

bool is_absent(const AppContext& context, const std::string& model) {
  try {
    require_present(context.models().resolve(model));
    return false;
  } catch (const Error& error) {
    return error.code() == RH_MODEL_NOT_FOUND;
  }
}

}  // namespace

std::optional<ModelSpec> find_recipe(const AppContext& context, const std::string& name) {
  auto spec = context.models().find_spec(name);
  return spec && !spec->base.repository.empty() ? spec : std::nullopt;
}

std::optional<SourceKind> source_kind(const AppContext& context, const std::string& source) {
  if (is_hub_source(source)) return SourceKind::hub;
  if (source.starts_with(kRegistryScheme)) return SourceKind::registry;
  if (is_web_source(source)) return SourceKind::web;
  if (find_recipe(context, source)) return SourceKind::recipe;
  if (is_local_source(source)) return SourceKind::local;
  return std::nullopt;
}

ImportReport pull(const AppContext& context, const PullRequest& request) {
  const auto kind = source_kind(context, request.source);
  const bool whole = kind == SourceKind::registry || kind == SourceKind::recipe;
  if (whole && !(request.parts.base.empty() && request.parts.components.empty()))
    throw Error(RH_INVALID_ARGUMENT, "source '" + request.source +
                                         "': is a whole model, which takes no --base and no --component");
  if (!kind)
    throw Error(
        RH_INVALID_ARGUMENT,
        "source '" + request.source +
            "' is of no known kind, expected a name of 'roundhouse models', hf:org/name[:FILE][@revision], "
            "oci://registry/repository[:tag], https://..., file:///PATH or a path that exists",
        "see 'roundhouse pull --help'");
  if (!request.variant.empty() && *kind != SourceKind::hub && *kind != SourceKind::recipe)
    throw Error(RH_INVALID_ARGUMENT,
                "--variant: '" + request.source + "' has no variants, only a hub's repositories have them");
  switch (*kind) {
    case SourceKind::hub:
      return take_hub_model(context, request.source, hub_request_of(context, request));
    case SourceKind::registry:
      return pull_of_registry(context, request);
    case SourceKind::recipe:
      return take_recipe(context, find_recipe(context, request.source).value(),
                         hub_request_of(context, request));
    case SourceKind::web:
      require_fixed(request, false, "a name without a version");
      return pull_web(context, request);
    case SourceKind::local:
      break;
  }
  return pull_local(context, request);
}

void pull_if_absent(const AppContext& context, const std::string& model, const ProgressCallback& progress) {
  const auto spec = find_recipe(context, model);
  if (!spec || !is_absent(context, model)) return;
  PullRequest request;
  request.source = model;
  request.progress = progress;
  take_recipe(context, *spec, hub_request_of(context, request));
}

}  // namespace roundhouse::host
