// SPDX-License-Identifier: Apache-2.0
// What engines were measured at, kept between runs: one small file for each engine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "host/manifest/manifest.h"
#include "host/task/engine_rates.h"

namespace roundhouse::host {

// All that a rate depends on, as text. A rate of another key is none.
struct RateKey {
  std::string engine;     // its library: path, size, time of change, build id; its environment
  std::string processor;  // model, flags, how many of them this process may use
  std::uint32_t threads = 0;

  bool operator==(const RateKey&) const = default;
};

// Of this machine.
std::string processor_key();
// `threads`: the budget, not 0. The library may be absent: then no measurement will match.
RateKey rate_key(const EngineManifest& manifest, const std::string& processor, std::uint32_t threads);

// Any number of processes may read and write the same files: they are replaced as a whole. Not for two
// threads.
class RateCache {
 public:
  // Empty: nothing is kept. The directory is made when something is.
  explicit RateCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // None when nothing was kept for that key, or the file is damaged.
  std::optional<EngineRates> find(const RateKey& key) const;
  // What cannot be written is measured again the next time.
  void keep(const RateKey& key, const EngineRates& rates) const noexcept;

 private:
  std::filesystem::path file_of(const RateKey& key) const;

  std::filesystem::path directory_;
};

}  // namespace roundhouse::host
