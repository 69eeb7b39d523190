// SPDX-License-Identifier: Apache-2.0
// Which measurement is found again, and which is made anew.
#include "host/worker/rate_cache.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

class RateCacheTest : public ::testing::Test {
 protected:
  RateCacheTest() {
    manifest_.id = "fast";
    manifest_.library = directory_.path() / "fast.so";
    write(manifest_.library, "one build");
    cache_.keep(key(), rates_);
  }

  static void write(const fs::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
  }
  RateKey key(const std::string& processor = "CPU, 2 of 2", std::uint32_t threads = 2) const {
    return rate_key(manifest_, processor, threads);
  }
  fs::path file() const { return fs::directory_iterator(directory_.path() / "cache")->path(); }

  const TemporaryDirectory directory_;
  const RateCache cache_{directory_.path() / "cache"};
  const EngineRates rates_{{{"bf16", 4.1e11}, {"f32", 2.2e11}}, ""};
  EngineManifest manifest_;
};

TEST_F(RateCacheTest, FindsWhatWasKept) {
  EXPECT_EQ(cache_.find(key()), rates_);
  const EngineRates problem{{}, "TIMEOUT: engine 'fast' hung"};
  cache_.keep(key(), problem);
  EXPECT_EQ(cache_.find(key()), problem);
}

TEST_F(RateCacheTest, AnotherBuildProcessorOrNumberOfThreadsIsAnotherMeasurement) {
  EXPECT_FALSE(cache_.find(key("CPU, 1 of 2")).has_value());
  EXPECT_FALSE(cache_.find(key("CPU, 2 of 2", 1)).has_value());
  const auto before = fs::last_write_time(manifest_.library);
  write(manifest_.library, "one builD, as long");
  EXPECT_FALSE(cache_.find(key()).has_value()) << "size";
  write(manifest_.library, "one build");
  fs::last_write_time(manifest_.library, before + std::chrono::nanoseconds(1));
  EXPECT_FALSE(cache_.find(key()).has_value()) << "time of change";
  fs::last_write_time(manifest_.library, before);
  EXPECT_TRUE(cache_.find(key()).has_value());
  manifest_.environment.push_back({"FAST_KERNELS", "new", ""});
  EXPECT_FALSE(cache_.find(key()).has_value()) << "environment";
}

TEST_F(RateCacheTest, ANewBuildTakesTheOldOnesPlace) {
  write(manifest_.library, "another build");
  cache_.keep(key(), rates_);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path() / "cache"), fs::directory_iterator()), 1);
  EXPECT_TRUE(cache_.find(key()).has_value());
}

TEST_F(RateCacheTest, ADamagedFileIsNoMeasurement) {
  std::string sound;
  std::getline(std::ifstream(file()), sound, '\0');
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = sound;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::vector<std::string> damaged = {"",
                                            "{",
                                            "[]",
                                            "{}",
                                            sound.substr(0, sound.size() / 2),
                                            std::string(1 << 20, ' '),
                                            std::string("\xff\xfe\0", 3),
                                            replaced("\"schema\": 1", "\"schema\": 2"),
                                            replaced("220000000000.0", "-1"),
                                            replaced("220000000000.0", "0"),
                                            replaced("220000000000.0", "1e999"),
                                            replaced("220000000000.0", "\"fast\""),
                                            replaced("\"problem\": \"\"", "\"problem\": 7"),
                                            replaced("\"threads\": 2", "\"threads\": -2")};
  for (const std::string& text : damaged) {
    write(file(), text);
    EXPECT_FALSE(cache_.find(key()).has_value()) << text.substr(0, 400);
    cache_.keep(key(), rates_);
    EXPECT_EQ(cache_.find(key()), rates_) << "measured again";
  }
}

TEST_F(RateCacheTest, WhatLiesInItsPlaceDoesNoHarm) {
  const fs::path place = file();
  fs::remove(place);
  fs::create_directory(place);
  EXPECT_FALSE(cache_.find(key()).has_value());
  cache_.keep(key(), rates_);
  EXPECT_FALSE(cache_.find(key()).has_value()) << "it is measured each time";
  EXPECT_EQ(std::distance(fs::directory_iterator(place.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(RateCacheTest, WithoutAPlaceNothingIsKept) {
  const RateCache nowhere{{}};
  nowhere.keep(key(), rates_);
  EXPECT_FALSE(nowhere.find(key()).has_value());
  const RateCache forbidden{"/proc/roundhouse"};
  forbidden.keep(key(), rates_);
  EXPECT_FALSE(forbidden.find(key()).has_value());
}

TEST_F(RateCacheTest, WritersAtOnceLeaveOneWholeFile) {
  const RateKey kept = key();
  std::vector<pid_t> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.push_back(::fork());
    if (writers.back() != 0) continue;
    for (int i = 0; i < 50; ++i)
      cache_.keep(kept, rates_);
    ::_exit(0);
  }
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(cache_.find(kept), rates_);
  for (const pid_t writer : writers)
    ::waitpid(writer, nullptr, 0);
  EXPECT_EQ(cache_.find(kept), rates_);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path() / "cache"), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace roundhouse::host
