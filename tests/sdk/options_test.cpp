// SPDX-License-Identifier: Apache-2.0
#include "roundhouse/options.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace {

using roundhouse::Options;

rh_option integer(const char* name, std::int64_t value) {
  return {sizeof(rh_option), RH_OPTION_INTEGER, name, nullptr, value, 0};
}

rh_options list(const rh_option* items, std::uint32_t count) {
  return {sizeof(rh_options), count, items};
}

rh_status code_of(const std::function<void()>& work, std::string* message = nullptr) {
  try {
    work();
  } catch (const roundhouse::Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  return RH_OK;
}

TEST(Options, an_option_that_nobody_reads_is_unknown) {
  const rh_option items[] = {integer("tiles", 4), integer("sharpness", 1)};
  const rh_options given = list(items, 2);
  Options options(&given, "engine 'x'");
  EXPECT_EQ(options.integer("tiles", 1), 4);
  std::string message;
  EXPECT_EQ(code_of([&] { options.refuse_unread(); }, &message), RH_UNKNOWN_OPTION);
  EXPECT_EQ(message, "option 'sharpness' is not known to engine 'x'");
}

TEST(Options, an_option_of_another_type_is_refused) {
  const rh_option item = integer("tiles", 4);
  const rh_options given = list(&item, 1);
  Options options(&given, "engine 'x'");
  EXPECT_EQ(code_of([&] { options.string("tiles", ""); }), RH_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { options.number("tiles", 0); }), RH_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { options.boolean("tiles", false); }), RH_INVALID_ARGUMENT);
}

TEST(Options, malformed_lists_are_refused) {
  const rh_option nameless = integer(nullptr, 1);
  rh_option small = integer("a", 1);
  small.struct_size = 8;
  const rh_options lists[] = {list(&nameless, 1), list(&small, 1), list(nullptr, 1), {4, 0, nullptr}};
  for (const rh_options& given : lists) {
    EXPECT_EQ(code_of([&] { Options options(&given, "engine 'x'"); }), RH_INVALID_ARGUMENT);
  }
  const rh_option textless{sizeof(rh_option), RH_OPTION_STRING, "a", nullptr, 0, 0};
  const rh_options given = list(&textless, 1);
  Options options(&given, "engine 'x'");
  EXPECT_EQ(code_of([&] { options.string("a", ""); }), RH_INVALID_ARGUMENT);
}

TEST(Options, what_was_not_given_has_its_fallback) {
  Options options(nullptr, "engine 'x'");
  EXPECT_EQ(options.integer("a", 7), 7);
  EXPECT_EQ(options.number("b", 0.5), 0.5);
  EXPECT_EQ(options.string("c", "x"), "x");
  EXPECT_TRUE(options.boolean("d", true));
  EXPECT_EQ(code_of([&] { options.refuse_unread(); }), RH_OK);
}

TEST(Options, every_type_is_read) {
  const rh_option items[] = {{sizeof(rh_option), RH_OPTION_STRING, "s", "text", 0, 0},
                             {sizeof(rh_option), RH_OPTION_NUMBER, "n", nullptr, 0, 2.5},
                             {sizeof(rh_option), RH_OPTION_BOOLEAN, "b", nullptr, 1, 0},
                             integer("i", -3)};
  const rh_options given = list(items, 4);
  Options options(&given, "engine 'x'");
  EXPECT_EQ(options.string("s", ""), "text");
  EXPECT_EQ(options.number("n", 0), 2.5);
  EXPECT_TRUE(options.boolean("b", false));
  EXPECT_EQ(options.integer("i", 0), -3);
  EXPECT_EQ(code_of([&] { options.refuse_unread(); }), RH_OK);
}

TEST(Options, records_of_a_newer_host_lie_further_apart) {
  struct Newer {
    rh_option option;
    std::uint64_t appended;
  };
  Newer items[] = {{integer("a", 1), 0xA5A5}, {integer("b", 2), 0xA5A5}};
  for (Newer& item : items)
    item.option.struct_size = sizeof(Newer);
  const rh_options given = list(&items[0].option, 2);
  Options options(&given, "engine 'x'");
  EXPECT_EQ(options.integer("a", 0), 1);
  EXPECT_EQ(options.integer("b", 0), 2);
}

}  // namespace
