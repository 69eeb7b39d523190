// SPDX-License-Identifier: Apache-2.0
// The smallest struct_size that each record may carry: its size in the first release, in which it appeared.
#pragma once

#include <cstdint>
#include <string>

#include "roundhouse/error.hpp"
#include "roundhouse/ext/draft/bench.h"
#include "roundhouse/ext/draft/rates.h"
#include "roundhouse/ext/draft/tokenize.h"
#include "roundhouse/ext/draft/trace.h"
#include "roundhouse/roundhouse.h"

namespace roundhouse {

// Frozen numbers of bytes (LP64), never sizeof: the struct of tomorrow is larger than its floor.
template <class Record>
inline constexpr std::uint32_t floor_size = 0;

template <>
inline constexpr std::uint32_t floor_size<rh_error> = 1024;
template <>
inline constexpr std::uint32_t floor_size<rh_fact> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_facts> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_option> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_options> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_host> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_host_log> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_host_threads> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_plugin_entry_v1> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_engine_factory> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_engine_descriptor> = 72;
template <>
inline constexpr std::uint32_t floor_size<rh_limit> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_limits> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_engine_config> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_engine> = 48;
template <>
inline constexpr std::uint32_t floor_size<rh_load_sink> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_model_source> = 48;
template <>
inline constexpr std::uint32_t floor_size<rh_model> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_pixels> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_progress> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_stage_report> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_image_sink> = 56;
template <>
inline constexpr std::uint32_t floor_size<rh_lora> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_image_request> = 144;
template <>
inline constexpr std::uint32_t floor_size<rh_image> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_stage_estimate> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_memory_part> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_estimate_sink> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_estimate> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_convert_request> = 48;
template <>
inline constexpr std::uint32_t floor_size<rh_convert_progress> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_convert_tensor> = 80;
template <>
inline constexpr std::uint32_t floor_size<rh_convert_sink> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_convert> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_problem> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_inspect_sink> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_inspect> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_bench> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_rates> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_tokenize> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_tensor> = 64;
template <>
inline constexpr std::uint32_t floor_size<rh_trace_sink> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_trace> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_concurrency> = 16;
template <>
inline constexpr std::uint32_t floor_size<rh_sampling> = 128;
template <>
inline constexpr std::uint32_t floor_size<rh_text_request> = 104;
template <>
inline constexpr std::uint32_t floor_size<rh_text_piece> = 48;
template <>
inline constexpr std::uint32_t floor_size<rh_text_report> = 48;
template <>
inline constexpr std::uint32_t floor_size<rh_text_sink> = 48;
template <>
inline constexpr std::uint32_t floor_size<rh_prompt_sink> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_text> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_embedding_request> = 40;
template <>
inline constexpr std::uint32_t floor_size<rh_vector> = 24;
template <>
inline constexpr std::uint32_t floor_size<rh_embedding_sink> = 32;
template <>
inline constexpr std::uint32_t floor_size<rh_embedding> = 16;

// Whether the record is there and at least as large as its first release.
template <class Record>
constexpr bool reaches_floor(const Record* record) {
  static_assert(floor_size<Record> != 0, "give the record its floor above");
  return record != nullptr && record->struct_size >= floor_size<Record>;
}

// The record, or INVALID_ARGUMENT saying what is wrong with it.
template <class Record>
const Record& checked(const Record* record, const char* name) {
  if (record == nullptr) throw Error(RH_INVALID_ARGUMENT, std::string(name) + ": NULL, expected a record");
  if (!reaches_floor(record)) {
    throw Error(RH_INVALID_ARGUMENT, std::string(name) + ": struct_size is " +
                                         std::to_string(record->struct_size) + ", expected at least " +
                                         std::to_string(floor_size<Record>));
  }
  return *record;
}

// Record `index` of a borrowed list, whose records lie items[0].struct_size bytes apart.
template <class Record>
const Record& list_item(const Record* items, std::uint32_t index) {
  const auto* first = reinterpret_cast<const unsigned char*>(items);
  return *reinterpret_cast<const Record*>(first + std::uint64_t{items->struct_size} * index);
}

}  // namespace roundhouse
