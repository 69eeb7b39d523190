// SPDX-License-Identifier: Apache-2.0
// What the dialects share: names of models with an engine, and images that are kept for a while.
#include <gmock/gmock.h>

#include "host/server/model_selector.h"
#include "host/server/shelf.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using std::chrono::seconds;

TEST(ModelSelector, names_a_model_an_engine_or_both) {
  const auto read = [](const std::string& text) {
    const ModelSelector reference = parse_model_selector(text);
    return reference.model.value_or("-") + " " + reference.engine.value_or("-");
  };
  EXPECT_EQ(read("pocket-turbo"), "pocket-turbo -");
  EXPECT_EQ(read("pocket-turbo:q8@2+reference"), "pocket-turbo:q8@2 reference");
  EXPECT_EQ(read("+testcard"), "- testcard");
  EXPECT_EQ(read(""), "- -");
  EXPECT_EQ(read("/srv/c++/model"), "/srv/c++/model -");
  EXPECT_EQ(read("/srv/c++/model+openblas"), "/srv/c++/model openblas");
  for (const char* wrong : {"a+", "+", "a+b+c", "a++b"})
    EXPECT_THROW(parse_model_selector(wrong), Error) << wrong;
}

TEST(ModelSelector, is_written_as_it_is_read) {
  EXPECT_EQ(model_selector("pocket-turbo", "reference"), "pocket-turbo+reference");
  EXPECT_EQ(model_selector("pocket-turbo", ""), "pocket-turbo");
  EXPECT_EQ(model_selector("", "testcard"), "+testcard");
}

class ShelfTest : public testing::Test {
 protected:
  Shelf::Clock::time_point now_{};
  Shelf shelf_{{1000, 4, seconds(60)}, [this] { return now_; }};
};

TEST_F(ShelfTest, gives_back_what_was_kept_under_a_name_of_its_own) {
  const std::string a = shelf_.keep("a"), b = shelf_.keep("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(a.size(), 32u);
  EXPECT_EQ(*shelf_.find(a), "a");
  EXPECT_EQ(*shelf_.find(b), "b");
  EXPECT_EQ(shelf_.find("0123"), nullptr);
}

TEST_F(ShelfTest, forgets_what_it_is_told_to) {
  const std::string a = shelf_.keep("a"), b = shelf_.keep("b");
  EXPECT_TRUE(shelf_.drop(a));
  EXPECT_FALSE(shelf_.drop(a));
  EXPECT_EQ(shelf_.find(a), nullptr);
  EXPECT_EQ(*shelf_.find(b), "b");
}

TEST_F(ShelfTest, forgets_after_a_while) {
  const std::string a = shelf_.keep("a");
  now_ += seconds(59);
  EXPECT_NE(shelf_.find(a), nullptr);
  const std::string b = shelf_.keep("b");
  now_ += seconds(1);
  EXPECT_EQ(shelf_.find(a), nullptr);
  EXPECT_NE(shelf_.find(b), nullptr);
}

TEST_F(ShelfTest, makes_room_with_the_oldest) {
  const std::string a = shelf_.keep(std::string(400, 'a')), b = shelf_.keep(std::string(400, 'b'));
  const std::string c = shelf_.keep(std::string(400, 'c'));
  EXPECT_EQ(shelf_.find(a), nullptr);
  EXPECT_NE(shelf_.find(b), nullptr);
  const auto held = shelf_.find(b);  // while it is being sent
  const std::string huge = shelf_.keep(std::string(5000, 'd'));
  EXPECT_EQ(shelf_.find(b), nullptr);
  EXPECT_EQ(held->size(), 400u);
  EXPECT_EQ(shelf_.find(huge)->size(), 5000u);
  for (int i = 0; i < 4; ++i)
    shelf_.keep("x");
  EXPECT_EQ(shelf_.find(huge), nullptr);
}

}  // namespace
}  // namespace roundhouse::host
