// SPDX-License-Identifier: Apache-2.0
#include "host/sources/backoff.h"

#include <algorithm>
#include <charconv>
#include <thread>

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kFailures = 5;  // in a row
constexpr milliseconds kFirstWait{200}, kGlance{50}, kLongestWait{60'000};
constexpr std::uint32_t kFarSeconds = 1'000'000;

// Seconds; a date, which is the other form, counts as nothing said.
std::optional<milliseconds> retry_after(const HttpHeaders& headers) {
  const std::string text = headers.get("Retry-After");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return milliseconds(std::chrono::seconds(std::min(seconds, kFarSeconds)));
}

bool passing(const Error& error) {
  const auto* failure = dynamic_cast<const HttpFailure*>(&error);
  if (dynamic_cast<const SourceBusy*>(&error) != nullptr) return true;
  if (failure == nullptr) return error.code() == RH_SOURCE_UNREACHABLE;
  return failure->step() != HttpFailure::Step::name && failure->step() != HttpFailure::Step::tls;
}

}  // namespace

SourceBusy::SourceBusy(const HttpResponse& response, const std::string& message)
    : Error(RH_SOURCE_REJECTED, message, "try again later"), after_(retry_after(response.headers)) {
}

bool is_busy(unsigned status) {
  return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

void Backoff::wait_after(const Error& error) {
  if (!passing(error) || ++failures_ == kFailures) throw;
  milliseconds wait = kFirstWait * (1U << (failures_ - 1));
  if (const auto* busy = dynamic_cast<const SourceBusy*>(&error)) wait = busy->after().value_or(wait);
  if (wait > kLongestWait) throw;
  for (milliseconds left = wait; left.count() > 0; left -= kGlance) {
    if (cancelled_ && cancelled_()) throw Error(RH_CANCELLED, "cancelled while waiting for another try");
    std::this_thread::sleep_for(kGlance);
  }
}

}  // namespace roundhouse::host
