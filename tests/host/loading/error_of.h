// SPDX-License-Identifier: Apache-2.0
// The error that a piece of work ends with.
#pragma once

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// RH_OK where the work ends without one.
template <typename Work>
Error error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(RH_OK, "no error");
}

}  // namespace roundhouse::host
