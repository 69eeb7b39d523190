// SPDX-License-Identifier: Apache-2.0
// Tests of host/log: what a line looks like, and that a log never fails anybody.
#include "host/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "roundhouse/error.hpp"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { std::filesystem::remove(file_); }

  Log make(bool json, std::uint32_t level = RH_LOG_DEBUG) {
    Log::Options options;
    options.file = file_;
    options.json = json;
    options.level = level;
    return Log(options);
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::ifstream stream(file_);
    for (std::string line; std::getline(stream, line);)
      lines.push_back(line);
    return lines;
  }

  std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("roundhouse-log-test-" + std::to_string(getpid()) + ".log");
};

TEST_F(LogTest, AFileThatCannotBeOpenedIsRefusedWithItsName) {
  const std::filesystem::path missing = file_.string() + ".directory";
  for (const std::string& file :
       {std::string("/proc/no/such/log"), (missing / "log").string(), std::string("/tmp"), std::string()}) {
    Log::Options options;
    options.file = file;
    try {
      const Log log(options);
      ADD_FAILURE() << "'" << file << "' was opened";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_IO_ERROR);
      EXPECT_THAT(error.what(), ::testing::StartsWith("log file '" + file + "': "));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(missing));
}

TEST_F(LogTest, ADeviceThatIsFullFailsNobody) {
  Log::Options options;
  options.file = "/dev/full";
  Log log(options);
  log.write(RH_LOG_ERROR, "io", "lost");
}

TEST_F(LogTest, ALineIsAJsonObjectWithTimeLevelCategoryMessageAndFields) {
  make(true).write(RH_LOG_INFO, "pipeline", "step done", {{"step", 3}, {"engine", "openblas"}});
  ASSERT_EQ(lines().size(), 1U);
  const auto line = nlohmann::json::parse(lines()[0]);
  EXPECT_THAT(line["time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["category"], "pipeline");
  EXPECT_EQ(line["msg"], "step done");
  EXPECT_EQ(line["step"], 3);
  EXPECT_EQ(line["engine"], "openblas");
}

TEST_F(LogTest, AFieldNeverReplacesWhatTheLineSaysItself) {
  make(true).write(RH_LOG_INFO, "io", "true message", {{"msg", "false message"}});
  const auto line = nlohmann::json::parse(lines().at(0));
  EXPECT_EQ(line["msg"], "true message");
  EXPECT_EQ(line["field_msg"], "false message");
}

TEST_F(LogTest, BrokenUtf8AndNewlinesStayOneReadableLine) {
  make(true).write(RH_LOG_WARNING, "engine", "bad \xff byte\nand a line");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(nlohmann::json::parse(lines()[0])["msg"], "bad \xEF\xBF\xBD byte\nand a line");
}

TEST_F(LogTest, TextLinesBeginWithTheirCategoryAndHoldNoControlCharacters) {
  Log log = make(false);
  log.write(RH_LOG_INFO, "engine", "ready", {{"threads", 2}, {"simd", "AVX3"}});
  log.write(RH_LOG_ERROR, "io", "two\nlines \x1b[2J");
  EXPECT_THAT(lines(), ElementsAre("[GEN][engine] ready simd=AVX3 threads=2",
                                   "[GEN][io] error: two\\x0alines \\x1b[2J"));
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  Log log = make(true, RH_LOG_WARNING);
  log.write(RH_LOG_DEBUG, "io", "no");
  log.write(RH_LOG_INFO, "io", "no");
  log.write(RH_LOG_WARNING, "io", "yes");
  log.write(RH_LOG_ERROR, "io", "yes");
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(LogTest, AFileIsAppendedTo) {
  make(true).write(RH_LOG_INFO, "io", "first");
  make(true).write(RH_LOG_INFO, "io", "second");
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(LogTest, LinesOfManyThreadsDoNotMix) {
  Log log = make(true);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log] {
        for (int line = 0; line < 100; ++line)
          log.write(RH_LOG_INFO, "io", std::string(200, 'x'));
      });
    }
  }
  ASSERT_EQ(lines().size(), 400U);
  for (const std::string& line : lines())
    EXPECT_TRUE(nlohmann::json::accept(line));
}

}  // namespace
}  // namespace roundhouse::host
