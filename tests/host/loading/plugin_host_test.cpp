// SPDX-License-Identifier: Apache-2.0
// What a plugin writes into the log.
#include "host/loading/plugin_host.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "host/loading/plugin_error.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

class PluginHostTest : public ::testing::Test {
 protected:
  void write(const char* category, const char* message) {
    static_cast<const rh_host_log*>(host_.record()->get_extension(host_.record(), RH_LOG_ID))
        ->write(host_.record(), RH_LOG_INFO, category, message);
  }

  std::vector<std::pair<std::string, std::string>> lines_;  // category and message
  PluginHost host_{1, [this](std::uint32_t, const std::string& category, const std::string& message) {
                     lines_.emplace_back(category, message);
                   }};
};

// A category is not searched for prompts: it must not be able to hold one.
TEST_F(PluginHostTest, TakesNoTextForACategory) {
  write("weights", "a");
  for (const char* text : {"my secret", "", "a\nb", "naïve", static_cast<const char*>(nullptr)})
    write(text, "a");
  write(std::string(65, 'x').c_str(), "a");
  ASSERT_EQ(lines_.size(), 7u);
  EXPECT_EQ(lines_[0].first, "weights");
  for (std::size_t i = 1; i < lines_.size(); ++i)
    EXPECT_EQ(lines_[i].first, "engine");
}

TEST_F(PluginHostTest, PassesOnNoMoreLinesThanARateAllows) {
  for (int i = 0; i < 100'000; ++i)
    write("engine", "again");
  EXPECT_GE(lines_.size(), 200u);
  EXPECT_LT(lines_.size(), 1000u);
  const auto told = [&] {
    return std::count_if(lines_.begin(), lines_.end(), [](const auto& line) {
      return line.second.find("lines were left out") != std::string::npos;
    });
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  write("engine", "later");
  EXPECT_EQ(lines_.back().second, "later");
  EXPECT_GE(told(), 1);
}

TEST(ErrorRecord, DoesNotBelieveWhatOnlyAHostCanKnow) {
  for (const rh_status status : {RH_INTERNAL, RH_QUEUE_FULL, RH_ENGINE_CRASHED, RH_AUTH_REQUIRED}) {
    ErrorRecord record;
    try {
      record.check("odd", "generate", status);
      ADD_FAILURE() << "was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_ENGINE_INTERNAL);
      EXPECT_THAT(error.what(), HasSubstr("which is for the host to say"));
    }
  }
}

}  // namespace
}  // namespace roundhouse::host
