// SPDX-License-Identifier: Apache-2.0
// Errors that name their engine.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// "engine 'x'"
std::string engine_called(const std::string& id);

// The error with "engine 'x': " in front, unless its message names the engine already.
Error named_error(const std::string& id, const Error& error);

// Runs the work and turns every exception that leaves it into an Error that names the engine:
// std::bad_alloc becomes OUT_OF_MEMORY, everything else that is no Error ENGINE_INTERNAL.
template <typename Work>
auto with_named_errors(const std::string& id, const std::string& phase, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw named_error(id, error);
  } catch (const std::bad_alloc&) {
    throw Error(RH_OUT_OF_MEMORY, engine_called(id) + " found no memory in " + phase);
  } catch (const std::exception& error) {
    throw Error(RH_ENGINE_INTERNAL,
                engine_called(id) + ": unexpected exception in " + phase + ": " + error.what());
  } catch (...) {
    throw Error(RH_ENGINE_INTERNAL, engine_called(id) + ": unexpected exception in " + phase);
  }
}

}  // namespace roundhouse::host
