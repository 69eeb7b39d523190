// SPDX-License-Identifier: Apache-2.0
#include "host/sources/patience.h"

#include <chrono>
#include <thread>

#include "host/transport/http.h"

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kFailures = 5;  // in a row
constexpr milliseconds kFirstWait{200}, kGlance{50};

bool passing(const Error& error) {
  const auto* failure = dynamic_cast<const HttpFailure*>(&error);
  if (failure == nullptr) return error.code() == RH_SOURCE_UNREACHABLE;
  return failure->step() != HttpFailure::Step::name && failure->step() != HttpFailure::Step::tls;
}

}  // namespace

void Patience::wait_after(const Error& error) {
  if (!passing(error) || ++failures_ == kFailures) throw;
  for (milliseconds left = kFirstWait * (1U << (failures_ - 1)); left.count() > 0; left -= kGlance) {
    if (cancelled_ && cancelled_()) throw Error(RH_CANCELLED, "cancelled while waiting for another try");
    std::this_thread::sleep_for(kGlance);
  }
}

}  // namespace roundhouse::host
