// SPDX-License-Identifier: Apache-2.0
// What a client will ask for later by a name: images by their address, answers that go on.
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
class Shelf {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    std::uint64_t bytes = std::uint64_t{256} << 20;  // of all; a single file may be larger
    std::size_t files = 1024;
    std::chrono::seconds age{3600};
  };
  explicit Shelf(Limits limits, std::function<Clock::time_point()> now = Clock::now);

  // 32 digits of chance, which nobody can guess.
  static std::string fresh_name();
  // Under a name that is new.
  void keep(const std::string& name, std::string file);
  // Returns the name under which the file can be had.
  std::string keep(std::string file);
  // False where there is none of that name.
  bool drop(const std::string& name);
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
  void drop(std::list<Kept>::iterator kept);

  const Limits limits_;
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // the oldest first
  std::map<std::string, std::list<Kept>::iterator> names_;
  std::uint64_t bytes_ = 0;
};

}  // namespace roundhouse::host
