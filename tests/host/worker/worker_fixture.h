// SPDX-License-Identifier: Apache-2.0
// What the tests of the worker share: manifests of the puppet and of the bad engines, short timeouts, a log
// that remembers, and eyes for processes and descriptors.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "host/worker/engine_client.h"
#include "host/worker/ops/bench.h"
#include "host/worker/ops/convert.h"
#include "host/worker/ops/estimate.h"
#include "host/worker/ops/image.h"
#include "roundhouse/base.h"

namespace roundhouse::host {

using std::chrono::milliseconds;

inline EngineManifest puppet_manifest() {
  EngineManifest manifest;
  manifest.file = ROUNDHOUSE_PUPPET ".json";
  manifest.library = ROUNDHOUSE_PUPPET;
  manifest.id = "puppet";
  manifest.name = "Puppet";
  manifest.vendor = "The Roundhouse tests";
  manifest.version = "1.0";
  manifest.description = "Does what the prompt says.";
  manifest.maturity = "stable";
  manifest.abi_major = RH_ABI_MAJOR;
  manifest.abi_minor = RH_ABI_MINOR;
  manifest.capabilities = {
      {"task", {"text-to-image"}}, {"device", {"cpu"}}, {"feature", {"modelless", "guidance"}}};
  return manifest;
}

inline EngineManifest bad_manifest(std::string defect) {
  std::replace(defect.begin(), defect.end(), '_', '-');
  return read_manifest(std::filesystem::path(ROUNDHOUSE_BINARY_DIR) / "bad_engines" / defect /
                       (defect + ".json"));
}

inline ImageTask job_of(const std::string& prompt) {
  ImageTask job;
  job.prompt = prompt;
  job.width = 32;
  job.height = 16;
  job.steps = 2;
  job.seed = 5;
  return job;
}

inline ImageTask slow_job(const std::string& prompt = "slow") {
  ImageTask job = job_of(prompt);
  job.steps = 50;
  return job;
}

// The lines that a client logs.
class RememberingLog {
 public:
  void write(std::uint32_t level, const std::string& category, const std::string& message) {
    const std::lock_guard lock(mutex_);
    text_ += std::to_string(level) + " " + category + " " + message + "\n";
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

// The numbers of the living worker processes that `parent` has started. A process that a puppet left behind
// looks like its worker, but leads its own session.
inline std::vector<pid_t> workers_of(pid_t parent) {
  std::vector<pid_t> workers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stream(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    const std::string wanted = std::string("--worker") + '\0' + std::to_string(parent) + '\0';
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (line.find(wanted) != std::string::npos && getsid(pid) != pid) workers.push_back(pid);
  }
  return workers;
}

// The fourth word of /proc/PID/stat; 0 where there is no such process.
inline pid_t parent_of(pid_t process) {
  std::ifstream stream("/proc/" + std::to_string(process) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const std::size_t name = text.rfind(')');
  return name == std::string::npos ? 0 : static_cast<pid_t>(std::atoi(text.c_str() + name + 4));
}

inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

// Whether the condition comes true within ten seconds.
template <typename Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    options_.threads = 1;
    options_.log = [this](std::uint32_t level, const std::string& category, const std::string& message) {
      log_.write(level, category, message);
    };
  }

  std::unique_ptr<EngineClient> make(const EngineManifest& manifest) {
    return make_worker_client(manifest, options_);
  }
  // A client of the puppet with its model open.
  std::unique_ptr<EngineClient> puppet() {
    auto client = make(puppet_manifest());
    client->open({});
    return client;
  }

  // Runs the call, which has to fail like that.
  template <typename Call>
  static void expect_error(rh_status code, const std::string& part, Call&& call) {
    try {
      call();
      ADD_FAILURE() << "no error, expected " << status_name(code);
    } catch (const Error& error) {
      EXPECT_EQ(status_name(error.code()), status_name(code)) << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    }
  }
  void expect_failure(const std::string& prompt, rh_status code, const std::string& part) {
    const auto client = puppet();
    expect_error(code, part, [&] { generate(*client, job_of(prompt), {}); });
    expect_works();
  }
  // Whatever happened before, the next request on a new client works.
  void expect_works() {
    const ImageResult result = generate(*puppet(), job_of("an image"), {});
    EXPECT_EQ(result.image.rgb.size(), 3U * 32 * 16);
  }

  RememberingLog log_;
  ClientOptions options_;
};

}  // namespace roundhouse::host
