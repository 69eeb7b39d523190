// SPDX-License-Identifier: Apache-2.0
// What models take of the memory, as far as it is known.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
  std::uint64_t held = 0;                    // between two pictures
  std::uint64_t peak = 0;                    // at work
  bool asked = false;                        // estimated by the engine or measured; else the size on disk
  bool exact = false;                        // for this number of pixels, not scaled from another
  std::shared_ptr<const WeightFiles> files;  // never null
};

// A worker and what it counts with.
struct Use {
  std::uint64_t bytes = 0;
  std::shared_ptr<const WeightFiles> files;
};
// All of them together. A file that several have counts once where each of them counts with at least all of
// its files: who has less resident keeps no file whole, so nothing is known to be shared.
std::uint64_t together(const std::vector<Use>& uses);

// The figures by key (model, engine and options). Not for use by two threads at once.
class NeedBook {
 public:
  // Beforehand, for a key that is not known yet.
  void expect(const std::string& key, WeightFiles files);
  bool knows(const std::string& key) const { return entries_.contains(key); }
  std::size_t size() const { return entries_.size(); }
  void forget_all_but(const std::set<std::string>& keys) {
    std::erase_if(entries_, [&](const auto& entry) { return !keys.contains(entry.first); });
  }
  // What the engine said, or the kernel afterwards. `pixels` is not 0.
  void note(const std::string& key, std::uint64_t pixels, std::uint64_t held, std::uint64_t peak);
  // The engine cannot say: the size on disk has to do.
  void note_unknowable(const std::string& key);
  // For a known key. What exceeds `held` is scaled by the pixels from the nearest size that is known; 0 = for
  // loading alone.
  Need need(const std::string& key, std::uint64_t pixels) const;

 private:
  struct Entry {
    std::shared_ptr<const WeightFiles> files;
    bool asked = false;
    std::uint64_t held = 0;
    std::map<std::uint64_t, std::uint64_t> work;  // pixels to bytes beyond `held`
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace roundhouse::host
