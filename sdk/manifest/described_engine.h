// SPDX-License-Identifier: Apache-2.0
// What a loaded plugin says of one of its engines, in a manifest's words.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace manifest {

using Json = nlohmann::ordered_json;

// Why no manifest can be written: a sentence.
class Refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Loads the plugin into this process, with the values of stated.environment set as a host does, and reads the
// descriptor of the engine that stated.id names; without an id the only one. Every key of a manifest but
// those that no plugin states. Throws Refused.
Json describe_engine(const std::string& library, const Json& stated);

}  // namespace manifest
