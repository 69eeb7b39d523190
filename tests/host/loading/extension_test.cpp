// SPDX-License-Identifier: Apache-2.0
// Which records of an extension are taken, and which are refused.
#include "host/loading/extension.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// An extension that has grown since its first release.
struct grown_extension {
  std::uint32_t struct_size;
  std::uint32_t reserved;
  void (*first)(void*);
  void (*later)(void*);
};

namespace roundhouse {
template <>
inline constexpr std::uint32_t floor_size<grown_extension> = 16;
}

namespace roundhouse::host {
template <>
inline constexpr std::array first_functions<grown_extension>{"first"};

namespace {

using ::testing::HasSubstr;

void function(void*) {
}

Error refusal(const void* record) {
  try {
    checked_extension<grown_extension>("x", "com.example.grown/1", record);
  } catch (const Error& error) {
    return error;
  }
  return Error(RH_OK, "taken");
}

TEST(CheckedExtension, TakesARecordOfTheFirstRelease) {
  const grown_extension old{16, 0, function, nullptr};
  EXPECT_EQ(&checked_extension<grown_extension>("x", "com.example.grown/1", &old), &old);
}

TEST(CheckedExtension, TakesARecordWithoutAFunctionThatCameLater) {
  const grown_extension today{sizeof(grown_extension), 0, function, nullptr};
  EXPECT_EQ(&checked_extension<grown_extension>("x", "com.example.grown/1", &today), &today);
}

TEST(CheckedExtension, RefusesARecordBelowTheFirstRelease) {
  const grown_extension small{15, 0, function, function};
  const Error error = refusal(&small);
  EXPECT_EQ(error.code(), RH_ENGINE_BROKEN);
  EXPECT_THAT(error.what(), HasSubstr("com.example.grown/1: struct_size is 15, expected at least 16"));
}

TEST(CheckedExtension, RefusesANullFunctionOfTheFirstRelease) {
  const grown_extension empty{sizeof(grown_extension), 0, nullptr, function};
  const Error error = refusal(&empty);
  EXPECT_EQ(error.code(), RH_ENGINE_BROKEN);
  EXPECT_THAT(error.what(), HasSubstr("first is NULL"));
}

TEST(CheckedExtension, SaysThatThereIsNone) {
  EXPECT_EQ(refusal(nullptr).code(), RH_CAPABILITY_UNSUPPORTED);
}

}  // namespace
}  // namespace roundhouse::host
