// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engines/tensor/error.h"

namespace engines {
namespace {

// How much is given up for memory, each level more than the one before.
enum class Level {
  all,            // nothing
  staged,         // a component goes when one of another stage comes
  one_at_a_time,  // it goes when its stage is over
  streamed,       // and of its own stage only as much is resident as fits
  bare            // and small components go as well
};

std::uint64_t activation_budget(const MemoryWish& wish, std::uint64_t room) {
  if (wish.vae_tiling == VaeTiling::on) return 0;
  if (wish.vae_tiling == VaeTiling::off) return UINT64_MAX;
  return std::min(wish.usual_decode_budget, room);
}

std::uint64_t less(std::uint64_t from, std::uint64_t bytes) {
  return from > bytes ? from - bytes : 0;
}

// Lays out one level; it fits when its peak does not exceed the limit.
class Layout {
 public:
  Layout(Level level, const MemoryNeeds& needs, const MemoryWish& wish)
      : level_(level), needs_(needs), limit_(wish.limit == 0 ? UINT64_MAX : wish.limit), wish_(wish) {}

  MemoryPlan plan() {
    for (std::size_t c = 0; c < needs_.components.size(); ++c)
      plan_.components.push_back({needs_.components[c].weights.all, residence(c)});
    if (level_ >= Level::streamed) {
      for (std::size_t s = 0; s < needs_.stages.size(); ++s)
        share(s);
    }
    for (std::size_t s = 0; s < needs_.stages.size(); ++s)
      plan_.stages.push_back(stage(s));
    hold();
    return std::move(plan_);
  }

 private:
  bool large_works_in(std::size_t first, std::size_t end) const {
    return std::ranges::any_of(needs_.components, [&](const ComponentNeeds& component) {
      return !component.small && component.stage >= first && component.stage < end;
    });
  }

  std::vector<bool> residence(std::size_t index) const {
    const ComponentNeeds& component = needs_.components[index];
    std::vector<bool> resident;
    for (std::size_t s = 0; s < needs_.stages.size(); ++s) {
      const std::size_t own = component.stage;
      const bool displaced = s > own
                                 ? large_works_in(own + 1, s + 1)
                                 : large_works_in(own + 1, needs_.stages.size()) || large_works_in(0, s + 1);
      const bool small = component.small && level_ != Level::bare;
      resident.push_back(s == own || small || level_ == Level::all ||
                         (level_ == Level::staged && !displaced));
    }
    return resident;
  }

  // What is resident of a component in a stage. `first`: in a first task, which finds nothing.
  std::uint64_t bytes(std::size_t component, std::size_t stage, bool first) const {
    if (!plan_.keeps(component, stage)) return 0;
    return first && needs_.components[component].stage > stage ? 0 : plan_.components[component].window;
  }

  std::uint64_t weights(std::size_t stage, bool first) const {
    std::uint64_t sum = 0;
    for (std::size_t c = 0; c < needs_.components.size(); ++c)
      sum += bytes(c, stage, first);
    return sum;
  }

  // The large components of a stage share what its activations and small components leave, each at least with
  // the least that it needs.
  void share(std::size_t stage) {
    std::uint64_t room =
        less(limit_, needs_.process + needs_.stages[stage].activations(0) + needs_.stages[stage].fixed);
    for (std::size_t c = 0; c < needs_.components.size(); ++c) {
      const ComponentNeeds& component = needs_.components[c];
      if (component.small && plan_.keeps(c, stage)) room = less(room, component.weights.all);
      if (!component.small && component.stage == stage) room = less(room, component.weights.least);
    }
    for (std::size_t c = 0; c < needs_.components.size(); ++c) {
      const ComponentNeeds& component = needs_.components[c];
      if (component.small || component.stage != stage) continue;
      const std::uint64_t more = std::min(room, less(component.weights.all, component.weights.least));
      plan_.components[c].window = component.weights.least + more;
      room -= more;
    }
  }

  StagePlan stage(std::size_t index) {
    const StageNeeds& needs = needs_.stages[index];
    StagePlan stage{.name = needs.name, .budget = 0, .peak = 0, .parts = {}};
    const std::uint64_t beside = needs_.process + weights(index, false);
    stage.budget = activation_budget(wish_, less(limit_, beside + needs.fixed));
    const std::uint64_t activations = needs.activations(stage.budget) + needs.fixed;
    stage.peak = needs_.process + weights(index, true) + activations;
    stage.parts = parts(index, true, activations);
    plan_.peak = std::max({plan_.peak, stage.peak, beside + activations});
    return stage;
  }

  void hold() {
    if (needs_.stages.empty()) return;
    const std::size_t last = needs_.stages.size() - 1;
    plan_.held = needs_.process + weights(last, false);
    plan_.held_parts = parts(last, false, 0);
  }

  std::vector<MemoryPart> parts(std::size_t stage, bool first, std::uint64_t activations) const {
    std::vector<MemoryPart> parts = {{"process", needs_.process}, {"activations", activations}};
    for (std::size_t c = 0; c < needs_.components.size(); ++c)
      parts.push_back({needs_.components[c].name, bytes(c, stage, first)});
    std::erase_if(parts, [](const MemoryPart& part) { return part.bytes == 0; });
    std::ranges::stable_sort(parts, std::greater<>(), &MemoryPart::bytes);
    return parts;
  }

  Level level_;
  const MemoryNeeds& needs_;
  std::uint64_t limit_;
  const MemoryWish& wish_;
  MemoryPlan plan_;
};

// "221 MiB", "9.5 MiB"; below a tenth in bytes. What is needed is rounded up and what may be taken down,
// so that two figures of which one is larger never look the same.
enum class Rounding { up, down };
std::string amount(std::uint64_t bytes, Rounding rounding) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  constexpr double kTenths = 10, kWhole = 100;
  if (bytes < kMebibyte / 10) return fmt::format("{} bytes", bytes);
  const double exact = static_cast<double>(bytes) / static_cast<double>(kMebibyte);
  const auto rounded = [&](double value) {
    return rounding == Rounding::up ? std::ceil(value) : std::floor(value);
  };
  return exact >= kWhole ? fmt::format("{:.0f} MiB", rounded(exact))
                         : fmt::format("{:.1f} MiB", rounded(exact * kTenths) / kTenths);
}

// "the transformer's 150 MiB".
std::string shown_part(const MemoryPart& part) {
  return fmt::format("the {}{} {}", part.name, part.name.ends_with('s') ? "'" : "'s",
                     amount(part.bytes, Rounding::up));
}

[[noreturn]] void refuse(const MemoryPlan& plan, const MemoryWish& wish, const std::string& what) {
  std::string stages;
  const StagePlan* highest = nullptr;
  for (const StagePlan& stage : plan.stages) {
    stages +=
        fmt::format("{}{} {}", stages.empty() ? "" : ", ", stage.name, amount(stage.peak, Rounding::up));
    if (highest == nullptr || stage.peak > highest->peak) highest = &stage;
  }
  std::string parts;
  if (highest != nullptr) {
    for (const MemoryPart& part : highest->parts)
      parts += (parts.empty() ? fmt::format("; {} is ", highest->name) : ", ") + shown_part(part);
  }
  throw Error(RH_OUT_OF_MEMORY, fmt::format("{} needs at least {} ({}{}), the memory limit is {}", what,
                                            amount(plan.peak, Rounding::up), stages, parts,
                                            amount(wish.limit, Rounding::down)));
}

}  // namespace

MemoryPlan plan_memory(const MemoryNeeds& needs, const MemoryWish& wish, const std::string& what) {
  // What was made for this run is dropped when its work is done, unless somebody wants it kept.
  const bool made = std::ranges::any_of(needs.components, [](const ComponentNeeds& component) {
    return !component.small && component.weights.least == component.weights.all;
  });
  const bool drop = wish.residency == Residency::staged ||
                    (wish.residency == Residency::automatic && wish.limit == 0 && made);
  const Level first = drop ? Level::staged : Level::all;
  const Level last = wish.residency == Residency::all ? Level::all : Level::bare;
  MemoryPlan plan;
  for (int level = static_cast<int>(first); level <= static_cast<int>(last); ++level) {
    plan = Layout(static_cast<Level>(level), needs, wish).plan();
    if (wish.limit == 0 || plan.peak <= wish.limit) return plan;
  }
  // What the most frugal plan takes with all that a limit allows says nothing of what is possible.
  MemoryWish least = wish;
  least.limit = 1;
  refuse(Layout(static_cast<Level>(last), needs, least).plan(), wish, what);
}

}  // namespace engines
