// SPDX-License-Identifier: Apache-2.0
// Images that a client will fetch by an address instead of reading them from its answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace roundhouse::host {

// Keeps files in memory for a while, the newest at the cost of the oldest. Any thread.
class ImageShelf {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    std::uint64_t bytes = std::uint64_t{256} << 20;  // of all; a single file may be larger
    std::size_t images = 1024;
    std::chrono::seconds age{3600};
  };
  explicit ImageShelf(Limits limits, std::function<Clock::time_point()> now = Clock::now);

  // Returns the name under which the file can be had: 32 digits of chance, which nobody can guess.
  std::string keep(std::string file);
  // Null when there is none of that name, or no more.
  std::shared_ptr<const std::string> find(const std::string& name);

  const Limits& limits() const { return limits_; }

 private:
  struct Kept {
    std::string name;
    std::shared_ptr<const std::string> file;
    Clock::time_point end;
  };
  void drop_old();  // under mutex_
  void drop_first();

  const Limits limits_;
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // the oldest first
  std::map<std::string, std::list<Kept>::iterator> names_;
  std::uint64_t bytes_ = 0;
};

}  // namespace roundhouse::host
