// SPDX-License-Identifier: Apache-2.0
// roundhouse/plugin.h: what a plugin in C gets for its failures, options and images. The test card in C uses
// the rest.
#include <gtest/gtest.h>

#include <string>

#include "roundhouse/guard.hpp"
#include "roundhouse/plugin.h"
#include "tests/sdk/fake_host.h"

namespace {

rh_error empty_error() {
  return {sizeof(rh_error), RH_OK, {}};
}

rh_option option_of(const char* name, std::int64_t value) {
  return {sizeof(rh_option), RH_OPTION_INTEGER, name, nullptr, value, 0};
}

TEST(PluginInC, fails_with_the_code_and_the_words) {
  rh_error error = empty_error();
  EXPECT_EQ(rh_fail(&error, RH_OUT_OF_MEMORY, "%d MB are needed", 7), RH_OUT_OF_MEMORY);
  EXPECT_EQ(error.code, RH_OUT_OF_MEMORY);
  EXPECT_STREQ(error.message, "7 MB are needed");
}

TEST(PluginInC, cuts_a_long_message_where_the_glue_cuts_it) {
  for (const char* character : {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\x82"}) {
    for (std::size_t lead = 0; lead < 5; ++lead) {
      std::string text(lead, '.');
      while (text.size() < 1100)
        text += character;
      rh_error error = empty_error();
      rh_error glue = empty_error();
      rh_fail(&error, RH_IO_ERROR, "%s", text.c_str());
      roundhouse::write_error(&glue, RH_IO_ERROR, text);
      EXPECT_STREQ(error.message, glue.message) << character << " after " << lead;
    }
  }
}

TEST(PluginInC, refuses_the_option_that_is_not_known) {
  const rh_option items[] = {option_of("tiles", 2), option_of("sharpness", 1)};
  const rh_options options = RH_LIST(items);
  const char* const both[] = {"sharpness", "tiles", nullptr};
  const char* const one[] = {"tiles", nullptr};
  rh_error error = empty_error();
  EXPECT_EQ(rh_check_options(nullptr, nullptr, "card", &error), RH_OK);
  EXPECT_EQ(rh_check_options(&options, both, "card", &error), RH_OK);
  EXPECT_STREQ(error.message, "");
  EXPECT_EQ(rh_check_options(&options, one, "card", &error), RH_UNKNOWN_OPTION);
  EXPECT_STREQ(error.message, "option 'sharpness' is not known to engine 'card'");
  EXPECT_EQ(rh_check_options(&options, nullptr, "card", &error), RH_UNKNOWN_OPTION);
}

TEST(PluginInC, finds_the_last_option_of_a_name_in_a_list_of_a_newer_host) {
  struct Longer {
    rh_option option;
    std::uint64_t appended;
  };
  Longer items[] = {{option_of("tiles", 1), 9}, {option_of("tiles", 2), 9}, {option_of("other", 3), 9}};
  for (Longer& item : items)
    item.option.struct_size = sizeof(Longer);
  const rh_options options{sizeof(rh_options), 3, &items[0].option};
  ASSERT_NE(rh_find_option(&options, "tiles"), nullptr);
  EXPECT_EQ(rh_find_option(&options, "tiles")->integer, 2);
  EXPECT_EQ(rh_find_option(&options, "none"), nullptr);
  EXPECT_EQ(rh_find_option(nullptr, "tiles"), nullptr);
}

TEST(PluginInC, wants_a_preview_only_when_a_host_that_knows_them_asks) {
  roundhouse::test::FakeSink sink;
  rh_image_request request{};
  request.struct_size = sizeof request;
  request.steps = 6;
  request.preview_every = 2;
  rh_error error = empty_error();
  const rh_image_run run = rh_begin_image(&request, &sink.record, &error);
  EXPECT_EQ(rh_wants_preview(&run, 2), 0) << "a host that shows none";
  sink.record.preview = [](void*, const rh_pixels*) {};
  EXPECT_NE(rh_wants_preview(&run, 2), 0);
  EXPECT_EQ(rh_wants_preview(&run, 3), 0);
  EXPECT_EQ(rh_wants_preview(&run, 6), 0) << "the last step has the image";
  request.struct_size = roundhouse::floor_size<rh_image_request>;
  EXPECT_EQ(rh_wants_preview(&run, 2), 0) << "a host of 1.0";
}

TEST(PluginInC, takes_its_own_id_and_the_devices_that_it_lists) {
  const rh_fact items[] = {RH_FACT("feature", "gpu"), RH_FACT("device", "cpu")};
  const rh_facts capabilities = RH_LIST(items);
  rh_engine_descriptor card{};
  card.id = "card";
  card.capabilities = &capabilities;
  rh_error error = empty_error();
  EXPECT_EQ(rh_check_engine(&card, "card", "cpu", &error), RH_OK);
  EXPECT_EQ(rh_check_engine(&card, "carp", "cpu", &error), RH_ENGINE_NOT_FOUND);
  EXPECT_STREQ(error.message, "engine 'carp' is not in this plugin");
  EXPECT_EQ(rh_check_engine(&card, "card", "gpu", &error), RH_UNSUPPORTED_DEVICE);
  EXPECT_STREQ(error.message, "device 'gpu' is not one of engine 'card'");
}

}  // namespace
