// SPDX-License-Identifier: Apache-2.0
// What models take of the memory, as far as it is known.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/residency/cost.h"

namespace roundhouse::host {

// A file of weights; several models may map the same one, which costs memory once.
struct WeightFile {
  std::uint64_t device = 0, inode = 0;
  std::uint64_t bytes = 0;
};
using WeightFiles = std::vector<WeightFile>;

// The files of weights in a model directory and its components' folders, links followed, each once. What
// cannot be read is left out; an empty path has none.
WeightFiles weight_files(const std::filesystem::path& directory);
std::uint64_t bytes_of(const WeightFiles& files);

struct Need {
  std::uint64_t held = 0;                    // between two tasks
  std::uint64_t peak = 0;                    // at work
  bool asked = false;                        // estimated by the engine or measured; else the size on disk
  bool exact = false;                        // for this very cost, not scaled from another
  std::shared_ptr<const WeightFiles> files;  // never null
  // Bytes of other devices than the processor, for as long as the model is loaded.
  std::map<std::string, std::uint64_t> devices;
};

// A worker and what it counts with.
struct Use {
  std::uint64_t bytes = 0;
  std::shared_ptr<const WeightFiles> files;
};
// The sum. A file that several have counts once where each of them counts with at least all of its files: who
// has less resident keeps no file whole, so nothing is known to be shared.
std::uint64_t total_bytes(const std::vector<Use>& uses);

// The figures by key (model, engine and options). Not for use by two threads at once.
class NeedTable {
 public:
  // Beforehand, for a key that is not known yet.
  void expect(const std::string& key, WeightFiles files);
  bool knows(const std::string& key) const { return entries_.contains(key); }
  std::size_t size() const { return entries_.size(); }
  void forget_all_but(const std::set<std::string>& keys) {
    std::erase_if(entries_, [&](const auto& entry) { return !keys.contains(entry.first); });
  }
  // What the engine said, or the kernel afterwards.
  void note(const std::string& key, const Cost& cost, std::uint64_t held, std::uint64_t peak);
  // What the engine said it takes of a device of its own; the largest that was ever said counts.
  void note_device(const std::string& key, const std::string& device, std::uint64_t bytes);
  // The engine cannot say: the size on disk has to do.
  void note_unknowable(const std::string& key);
  // For a known key. What exceeds `held` is scaled from the nearest cost of the kind that is known; without a
  // cost: for the model alone.
  Need need(const std::string& key, const std::optional<Cost>& cost) const;

 private:
  struct Entry {
    std::shared_ptr<const WeightFiles> files;
    bool asked = false;
    std::uint64_t held = 0;
    std::map<Cost, std::uint64_t> work;  // bytes beyond `held`
    std::map<std::string, std::uint64_t> devices;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace roundhouse::host
