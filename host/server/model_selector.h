// SPDX-License-Identifier: Apache-2.0
// How a client names a model, and with it an engine, where its protocol has a field for the one only.
#pragma once

#include <optional>
#include <string>

namespace roundhouse::host {

// "MODEL", "MODEL+ENGINE" or "+ENGINE" (an engine that needs no model): "pocket-turbo+reference". No name of
// a model or an engine has a '+' in it, and it survives addresses, file names, shells and the clients' own
// checks. Of a directory, the part behind the last '/' may have the suffix.
struct ModelSelector {
  std::optional<std::string> model, engine;  // none: not named
};

// Throws INVALID_ARGUMENT for an engine without a name, or two.
ModelSelector parse_model_selector(const std::string& text, const std::string& field = "model");

// The reverse: what a client can send to get just these two again. Empty texts stand for none.
std::string model_selector(const std::string& model, const std::string& engine);

}  // namespace roundhouse::host
