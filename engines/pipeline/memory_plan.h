// SPDX-License-Identifier: Apache-2.0
// Who stays in memory while who works: a pure function of sizes and a limit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace engines {

// The weights of one component as they would be resident, in bytes.
struct WeightBytes {
  std::uint64_t all = 0;
  // The least that must be resident at once when blocks are read and given back one after the other; equal to
  // `all` where weights cannot be given back, because they exist nowhere else in the form that is used.
  std::uint64_t least = 0;
};

// Weights that have their turn in one stage.
struct ComponentNeeds {
  std::string name;  // for people: its folder
  WeightBytes weights;
  std::size_t stage = 0;  // of MemoryNeeds::stages
  bool small = false;     // so small that it stays once it has come, unless all else fails
};

struct StageNeeds {
  std::string name;  // for people
  // Activations when they may take that much; above the budget, and then the same for any, where the stage
  // cannot do with less.
  std::function<std::uint64_t(std::uint64_t budget)> activations;
  std::uint64_t fixed = 0;  // activations beside those, which no budget is for: the image itself
};

// What a task takes, in bytes.
struct MemoryNeeds {
  std::uint64_t process = 0;       // program, libraries, tokenizer, scratch of the kernels
  std::vector<StageNeeds> stages;  // in the order in which they work
  std::vector<ComponentNeeds> components;
};

enum class Residency {
  automatic,  // all when it fits the limit; without a limit, all when the weights are mapped files
  all,        // every component stays, whatever comes
  staged      // components of different stages are never resident together, but small ones where these fit
};

enum class VaeTiling {
  automatic,  // as far as the usual budget and the limit ask for
  on,         // least memory
  off         // least time
};

// What a peak is made of: the name of a component, "activations" or "process".
struct MemoryPart {
  std::string name;
  std::uint64_t bytes = 0;
};

struct StagePlan {
  std::string name;
  std::uint64_t budget = 0;  // of its activations
  // Of the process, while the first task is done: what a stage needs has come, nothing else.
  std::uint64_t peak = 0;
  std::vector<MemoryPart> parts;  // of `peak`, largest first
};

struct ComponentPlan {
  // How much of the weights may be resident; less than WeightBytes::all means streaming.
  std::uint64_t window = 0;
  // For each stage, whether it may be resident then: in its own, and in those where it may be left from
  // before, in this task or the one before.
  std::vector<bool> resident;
};

struct MemoryPlan {
  std::vector<StagePlan> stages;          // as the needs have them
  std::vector<ComponentPlan> components;  // likewise
  std::uint64_t peak = 0;                 // of any task: a later one finds resident what those before left
  std::uint64_t held = 0;                 // after a task
  std::vector<MemoryPart> held_parts;     // of `held`, largest first

  // Whether the component may stay in memory while that stage works.
  bool keeps(std::size_t component, std::size_t stage) const {
    return components.at(component).resident.at(stage);
  }
};

struct MemoryWish {
  std::uint64_t limit = 0;  // 0 = none
  Residency residency = Residency::automatic;
  VaeTiling vae_tiling = VaeTiling::automatic;
  std::uint64_t usual_decode_budget = UINT64_MAX;  // of the automatic choice without a limit
};

// The plan that keeps most and fits. Throws OUT_OF_MEMORY with the figures of the most frugal one (the same,
// whatever the limit; a limit of so much is met), and the
// parts of its highest stage, when that does not fit either; `what` names the work in the message ("an image
// of 1024x1024").
MemoryPlan plan_memory(const MemoryNeeds& needs, const MemoryWish& wish, const std::string& what);

}  // namespace engines
