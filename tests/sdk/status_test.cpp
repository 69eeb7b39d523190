// SPDX-License-Identifier: Apache-2.0
// Freezes the status catalogue: a code that was released keeps its value, name and statuses for ever.
#include "roundhouse/status.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <set>
#include <string>

namespace {

struct Frozen {
  const char* name;
  rh_status code;
  int http_status;
  int exit_status;
};

// Append only.
constexpr Frozen frozen[] = {
    {"INVALID_ARGUMENT", 101, 400, 2},
    {"INVALID_DIMENSION", 102, 400, 2},
    {"UNSAFE_NAME", 103, 400, 2},
    {"UNKNOWN_OPTION", 104, 400, 2},
    {"CAPABILITY_UNSUPPORTED", 201, 422, 3},
    {"LORA_UNSUPPORTED_ENGINE", 202, 422, 3},
    {"LORA_INVALID", 203, 422, 3},
    {"UNSUPPORTED_DEVICE", 204, 422, 3},
    {"CPU_NOT_ALLOWED", 205, 403, 3},
    {"INSTALL_NOT_ALLOWED", 206, 403, 3},
    {"ENGINE_NOT_FOUND", 301, 404, 4},
    {"MODEL_NOT_FOUND", 302, 404, 4},
    {"WEIGHTS_MISSING", 303, 404, 4},
    {"MODEL_NOT_CONVERTED", 304, 409, 4},
    {"INTEGRITY_MISMATCH", 401, 500, 5},
    {"MODEL_INVALID", 402, 422, 5},
    {"CONVERSION_FAILED", 403, 500, 5},
    {"ENGINE_INCOMPATIBLE", 501, 500, 6},
    {"ENGINE_BROKEN", 502, 500, 6},
    {"ENGINE_CRASHED", 503, 500, 6},
    {"ENGINE_INTERNAL", 504, 500, 6},
    {"PIPELINE_ERROR", 505, 500, 6},
    {"OUT_OF_MEMORY", 601, 507, 7},
    {"INSUFFICIENT_STORAGE", 602, 507, 7},
    {"QUEUE_FULL", 603, 503, 7},
    {"TIMEOUT", 604, 504, 7},
    {"IO_ERROR", 605, 500, 7},
    {"AUTH_REQUIRED", 701, 401, 8},
    {"SOURCE_UNREACHABLE", 702, 502, 8},
    {"SOURCE_REJECTED", 703, 502, 8},
    {"CANCELLED", 801, 499, 130},
    {"INTERNAL", 901, 500, 1},
};

TEST(Status, unknown_codes_and_names_are_not_found) {
  EXPECT_FALSE(roundhouse::is_known(100));
  EXPECT_FALSE(roundhouse::is_known(-1));
  EXPECT_FALSE(roundhouse::from_name("").has_value());
  EXPECT_FALSE(roundhouse::from_name("model_not_found").has_value());
  EXPECT_FALSE(roundhouse::from_name("RH_MODEL_NOT_FOUND").has_value());
}

TEST(Status, an_unknown_code_counts_as_a_fault_of_the_engine) {
  EXPECT_EQ(roundhouse::status_name(12345), "ENGINE_INTERNAL");
  EXPECT_EQ(roundhouse::exit_status(12345), 6);
}

TEST(Status, released_codes_keep_their_value_and_statuses) {
  for (const Frozen& entry : frozen) {
    const auto code = roundhouse::from_name(entry.name);
    ASSERT_TRUE(code.has_value()) << entry.name;
    EXPECT_EQ(*code, entry.code) << entry.name;
    EXPECT_EQ(roundhouse::http_status(*code), entry.http_status) << entry.name;
    EXPECT_EQ(roundhouse::exit_status(*code), entry.exit_status) << entry.name;
  }
}

TEST(Status, every_code_of_the_catalogue_is_frozen_here) {
  EXPECT_EQ(roundhouse::status_catalogue.size(), std::size(frozen));
}

TEST(Status, values_and_names_are_unique_and_lead_to_each_other) {
  std::set<rh_status> codes;
  std::set<std::string_view> names;
  for (const auto& info : roundhouse::status_catalogue) {
    EXPECT_TRUE(codes.insert(info.code).second) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(roundhouse::status_name(info.code), info.name);
    EXPECT_EQ(roundhouse::from_name(info.name), info.code);
  }
  EXPECT_EQ(roundhouse::from_name("OK"), RH_OK);
  EXPECT_EQ(roundhouse::status_name(RH_OK), "OK");
}

TEST(Status, every_code_says_whose_move_it_is_what_to_do_and_how_it_reads) {
  const std::set<std::string_view> movers{"caller", "operator", "engine author", "roundhouse", "nobody"};
  for (const auto& info : roundhouse::status_catalogue) {
    EXPECT_TRUE(movers.contains(info.mover)) << info.name << ": " << info.mover;
    EXPECT_FALSE(info.hint.empty()) << info.name;
    EXPECT_FALSE(info.sample.empty()) << info.name;
  }
}

TEST(Status, a_family_shares_its_exit_status) {
  std::map<rh_status, int> family;
  for (const auto& info : roundhouse::status_catalogue) {
    const auto [known, first] = family.try_emplace(info.code / 100, info.exit_status);
    EXPECT_EQ(known->second, info.exit_status) << info.name;
  }
}

}  // namespace
