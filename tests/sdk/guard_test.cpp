// SPDX-License-Identifier: Apache-2.0
#include "roundhouse/guard.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

using roundhouse::guard;

class Foreign : public std::runtime_error {
 public:
  explicit Foreign(rh_status code) : std::runtime_error("from another room"), code_(code) {}
  rh_status code() const { return code_; }

 private:
  rh_status code_;
};

// Not derived from std::exception at all.
struct Rootless {
  rh_status code() const { return RH_TIMEOUT; }
  const char* what() const { return "from nowhere"; }
};

rh_error fresh() {
  return {sizeof(rh_error), RH_OK, {}};
}

TEST(Guard, an_error_of_the_sdk_keeps_its_code_and_message) {
  rh_error error = fresh();
  EXPECT_EQ(guard(&error, [] { throw roundhouse::Error(RH_MODEL_INVALID, "n_heads: 0"); }), RH_MODEL_INVALID);
  EXPECT_EQ(error.code, RH_MODEL_INVALID);
  EXPECT_STREQ(error.message, "n_heads: 0");
}

TEST(Guard, bad_alloc_is_out_of_memory) {
  rh_error error = fresh();
  EXPECT_EQ(guard(&error, [] { throw std::bad_alloc(); }), RH_OUT_OF_MEMORY);
  EXPECT_EQ(error.code, RH_OUT_OF_MEMORY);
}

TEST(Guard, other_exceptions_are_faults_of_the_engine_with_their_own_words) {
  rh_error error = fresh();
  EXPECT_EQ(guard(&error, [] { throw std::runtime_error("bad cast"); }), RH_ENGINE_INTERNAL);
  EXPECT_STREQ(error.message, "unexpected exception: bad cast");
}

TEST(Guard, what_is_no_exception_class_is_caught_too) {
  rh_error error = fresh();
  EXPECT_EQ(guard(&error, [] { throw 7; }), RH_ENGINE_INTERNAL);
  EXPECT_NE(std::string(error.message), "");
}

TEST(Guard, an_exception_type_with_a_code_is_translated_when_named) {
  rh_error error = fresh();
  auto work = [] { throw Foreign(RH_INTEGRITY_MISMATCH); };
  EXPECT_EQ(guard<Foreign>(&error, work), RH_INTEGRITY_MISMATCH);
  EXPECT_STREQ(error.message, "from another room");
  EXPECT_EQ(guard(&error, work), RH_ENGINE_INTERNAL);
}

TEST(Guard, several_foreign_types_are_translated_side_by_side) {
  rh_error error = fresh();
  auto translate = [&](auto thrown) { return guard<Foreign, Rootless>(&error, [&] { throw thrown; }); };
  EXPECT_EQ(translate(Rootless{}), RH_TIMEOUT);
  EXPECT_STREQ(error.message, "from nowhere");
  EXPECT_EQ(translate(Foreign(RH_IO_ERROR)), RH_IO_ERROR);
  EXPECT_EQ(translate(roundhouse::Error(RH_CANCELLED, "cancelled")), RH_CANCELLED);
  EXPECT_EQ(translate(std::bad_alloc()), RH_OUT_OF_MEMORY);
}

TEST(Guard, ok_and_unknown_codes_are_no_way_to_fail) {
  rh_error error = fresh();
  EXPECT_EQ(guard(&error, [] { throw roundhouse::Error(RH_OK, "all is well"); }), RH_ENGINE_INTERNAL);
  EXPECT_EQ(guard<Foreign>(&error, [] { throw Foreign(4711); }), RH_ENGINE_INTERNAL);
  EXPECT_EQ(error.code, RH_ENGINE_INTERNAL);
}

TEST(Guard, an_empty_message_is_told_as_missing) {
  rh_error error = fresh();
  guard(&error, [] { throw roundhouse::Error(RH_TIMEOUT, ""); });
  EXPECT_STREQ(error.message, "no message was given");
}

TEST(Guard, success_leaves_the_error_alone) {
  rh_error error{sizeof(rh_error), RH_TIMEOUT, "before"};
  EXPECT_EQ(guard(&error, [] {}), RH_OK);
  EXPECT_EQ(error.code, RH_TIMEOUT);
  EXPECT_STREQ(error.message, "before");
}

TEST(Guard, a_record_that_is_missing_or_too_small_is_not_written) {
  EXPECT_EQ(guard(nullptr, [] { throw roundhouse::Error(RH_TIMEOUT, "late"); }), RH_TIMEOUT);
  rh_error small{8, RH_OK, "before"};
  EXPECT_EQ(guard(&small, [] { throw roundhouse::Error(RH_TIMEOUT, "late"); }), RH_TIMEOUT);
  EXPECT_EQ(small.code, RH_OK);
  EXPECT_STREQ(small.message, "before");
}

// 1015 bytes fit before the NUL; characters of 2, 3 and 4 bytes are moved over that edge byte by byte.
TEST(Guard, a_long_message_is_cut_between_two_characters) {
  for (const std::string character : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9A\x82"}) {
    for (std::size_t lead = 1008; lead <= 1016; ++lead) {
      rh_error error = fresh();
      const std::string text = std::string(lead, 'a') + character + character;
      roundhouse::write_error(&error, RH_TIMEOUT, text);
      const std::string kept = error.message;
      std::size_t expected = std::min<std::size_t>(lead, 1015);
      while (expected >= lead && expected + character.size() <= 1015 && expected < text.size()) {
        expected += character.size();
      }
      EXPECT_EQ(kept, text.substr(0, expected)) << lead << " bytes before " << character.size();
    }
  }
}

TEST(Guard, bytes_that_are_no_characters_do_not_make_it_loop_or_overrun) {
  rh_error error = fresh();
  roundhouse::write_error(&error, RH_TIMEOUT, std::string(5000, '\x80'));
  EXPECT_EQ(error.code, RH_TIMEOUT);
  EXPECT_LT(std::string(error.message).size(), sizeof error.message);
}

TEST(Error, a_hint_of_its_own_replaces_that_of_the_catalogue) {
  EXPECT_EQ(roundhouse::Error(RH_TIMEOUT, "late").hint(), roundhouse::hint(RH_TIMEOUT));
  EXPECT_EQ(roundhouse::Error(RH_TIMEOUT, "late", "wait").hint(), "wait");
}

}  // namespace
