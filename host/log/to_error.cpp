// SPDX-License-Identifier: Apache-2.0
// From exceptions to errors.
#include "host/log/to_error.h"

#include <new>
#include <system_error>

#include "host/log/reason.h"

namespace roundhouse::host {
namespace {

// EAGAIN is what threads and processes fail with where there may be no more of them.
rh_status code_of(const std::error_code& error) {
  if (error == std::errc::not_enough_memory || error == std::errc::resource_unavailable_try_again) {
    return RH_OUT_OF_MEMORY;
  }
  if (error == std::errc::no_space_on_device) return RH_INSUFFICIENT_STORAGE;
  return RH_IO_ERROR;
}

}  // namespace

Error to_error(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) return *error;
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return {RH_OUT_OF_MEMORY, "the program itself found no memory"};
  }
  if (const auto* error = dynamic_cast<const std::system_error*>(&exception)) {
    return {code_of(error->code()), "the system refused a request of the program: " + reason(error->code())};
  }
  return {RH_INTERNAL, std::string("unexpected exception: ") + exception.what()};
}

}  // namespace roundhouse::host
