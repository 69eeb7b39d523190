// SPDX-License-Identifier: Apache-2.0
// Documents that come along with the program, under the paths that they have on this machine.
#pragma once

#include <string>

namespace roundhouse::host {

// `text`, in which documents named as in the source tree ("docs/modelspec.md", "CONTRACT.md") have their
// whole paths where this installation or build tree has them.
std::string with_document_paths(const std::string& text);

}  // namespace roundhouse::host
