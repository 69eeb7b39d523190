// SPDX-License-Identifier: Apache-2.0
// ModelSpecs with the commits of their sources in place of branches.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace roundhouse::host {

using Commits = std::map<std::string, std::string>;  // repository -> commit, 40 hexadecimal digits

// The text of a ModelSpec with `revision` of each base at its repository's commit; everything else, comments
// included, stays as it is. Throws MODEL_INVALID as parse_model_spec, and for a base that cannot be edited or
// whose repository has no commit; `file` names the text in messages.
std::string pinned_spec_text(const std::string& text, const std::filesystem::path& file,
                             const Commits& commits);

}  // namespace roundhouse::host
