// SPDX-License-Identifier: Apache-2.0
// Extensions of a plugin: what has to be true of a record before one of its functions is called.
#pragma once

#include <array>
#include <span>
#include <string>

#include "host/loading/plugin_error.h"
#include "roundhouse/ext/concurrency.h"
#include "roundhouse/ext/convert.h"
#include "roundhouse/ext/draft/bench.h"
#include "roundhouse/ext/draft/rates.h"
#include "roundhouse/ext/draft/tokenize.h"
#include "roundhouse/ext/draft/trace.h"
#include "roundhouse/ext/embedding.h"
#include "roundhouse/ext/estimate.h"
#include "roundhouse/ext/image.h"
#include "roundhouse/ext/inspect.h"
#include "roundhouse/ext/text.h"

namespace roundhouse::host {

// The functions of an extension in its first release, in their order. They follow struct_size and `reserved`,
// and nothing else was in a first release yet. One that is appended later is no reason to refuse a plugin:
// whoever calls it asks RH_HAS_FIELD and for NULL.
template <class Record>
inline constexpr std::array<const char*, 0> first_functions{};
template <>
inline constexpr std::array first_functions<rh_image>{"generate"};
template <>
inline constexpr std::array first_functions<rh_text>{"generate", "render"};
template <>
inline constexpr std::array first_functions<rh_embedding>{"embed"};
template <>
inline constexpr std::array first_functions<rh_estimate>{"image"};
template <>
inline constexpr std::array first_functions<rh_convert>{"run"};
template <>
inline constexpr std::array first_functions<rh_concurrency>{"calls"};
template <>
inline constexpr std::array first_functions<rh_inspect>{"model"};
template <>
inline constexpr std::array first_functions<rh_trace>{"image"};
template <>
inline constexpr std::array first_functions<rh_bench>{"product", "matrix_rate"};
template <>
inline constexpr std::array first_functions<rh_rates>{"weights", "measure"};
template <>
inline constexpr std::array first_functions<rh_tokenize>{"encode"};

// Throws ENGINE_BROKEN when one of the functions that begin at `functions` is NULL.
void check_functions(const std::string& engine, const std::string& id, const void* functions,
                     std::span<const char* const> names);

// The record that get_extension returned for `id`. Throws CAPABILITY_UNSUPPORTED when there is none,
// ENGINE_BROKEN when it is smaller than its first release (not than today's: the plugin may be older) or
// lacks a function of that.
template <class Record>
const Record& checked_extension(const std::string& engine, const std::string& id, const void* found) {
  constexpr std::size_t begin = 2 * sizeof(std::uint32_t);
  static_assert(begin + first_functions<Record>.size() * sizeof(void*) == floor_size<Record>,
                "name the functions of the first release above");
  if (found == nullptr) {
    throw Error(RH_CAPABILITY_UNSUPPORTED, "engine '" + engine + "': has no extension " + id);
  }
  const auto* record = static_cast<const Record*>(found);
  check_record(engine, rule::kRecords, id, record);
  check_functions(engine, id, static_cast<const unsigned char*>(found) + begin, first_functions<Record>);
  return *record;
}

// What a function of a plugin answered. To be checked after the caller has looked at what its own callbacks
// refused: that comes before what the plugin says of it.
class Answer {
 public:
  Answer(std::string engine, std::string call) : engine_(std::move(engine)), call_(std::move(call)) {}

  rh_error* error() { return error_.get(); }
  void set(rh_status status) { status_ = status; }
  // Throws unless it is RH_OK, as ErrorRecord::check does.
  void check() const { error_.check(engine_, call_, status_); }

 private:
  std::string engine_, call_;
  ErrorRecord error_;
  rh_status status_ = RH_OK;
};

}  // namespace roundhouse::host
