// SPDX-License-Identifier: Apache-2.0
// Reading both the newer field `prepend_scheme` and the older `add_prefix_space`.
#include "engines/tokenizer/metaspace.h"

namespace engines {
namespace {

Metaspace::Scheme read_scheme(const StageConfig& component) {
  const bool prefix = component.boolean_or("add_prefix_space", true);
  const std::string written = component.text_or("prepend_scheme", prefix ? "always" : "never");
  if (written == "always") return Metaspace::Scheme::always;
  if (written == "first") return Metaspace::Scheme::first;
  if (written == "never") return Metaspace::Scheme::never;
  component.fail("prepend_scheme", fmt::format("{} is not supported, expected 'always', 'first' or 'never'",
                                               in_quotes(written)));
}

}  // namespace

Metaspace::Metaspace(const StageConfig& component)
    : replacement(component.has("replacement") ? component.character("replacement") : "\u2581"),
      scheme(read_scheme(component)) {
}

}  // namespace engines
