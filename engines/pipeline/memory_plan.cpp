// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/memory_plan.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engines/tensor/error.h"

namespace engines {
namespace {

// How much is given up for memory, each level more than the one before.
enum class Level { all, staged, one_at_a_time, streamed };

std::uint64_t decode_budget(const MemoryWish& wish, std::uint64_t room) {
  if (wish.vae_tiling == VaeTiling::on) return 0;
  if (wish.vae_tiling == VaeTiling::off) return UINT64_MAX;
  return std::min(wish.usual_decode_budget, room);
}

std::uint64_t less(std::uint64_t from, std::uint64_t bytes) {
  return from > bytes ? from - bytes : 0;
}

std::uint64_t window(const WeightBytes& weights, std::uint64_t room) {
  return std::clamp(room, weights.least, weights.all);
}

// All sizes of a level; it fits when no peak exceeds the limit.
MemoryPlan at_level(Level level, const MemoryNeeds& n, const MemoryWish& wish) {
  const std::uint64_t limit = wish.limit == 0 ? UINT64_MAX : wish.limit;
  const std::uint64_t fixed = n.process + n.vae.all;  // the VAE is small and stays
  MemoryPlan plan;
  plan.staged = level != Level::all;
  plan.release_transformer = level >= Level::one_at_a_time;
  plan.encoder_window = n.encoder.all;
  plan.transformer_window = n.transformer.all;
  if (level == Level::streamed) {
    plan.encoder_window = window(n.encoder, less(limit, fixed + n.encode));
    plan.transformer_window = window(n.transformer, less(limit, fixed + n.denoise));
  }
  const std::uint64_t encoder = plan.encoder_window;
  const std::uint64_t transformer = plan.transformer_window;
  const std::uint64_t beside_encode = plan.staged ? 0 : transformer;  // from the picture before
  const std::uint64_t beside_denoise = plan.staged ? 0 : encoder;
  const std::uint64_t at_decode = fixed + beside_denoise + (plan.release_transformer ? 0 : transformer);
  plan.decode_budget = decode_budget(wish, less(limit, at_decode));
  plan.encode_peak = n.process + encoder + n.encode;
  plan.denoise_peak = n.process + transformer + beside_denoise + n.denoise;
  plan.decode_peak = at_decode + n.decode(plan.decode_budget);
  plan.peak = std::max(
      {plan.encode_peak + n.vae.all + beside_encode, plan.denoise_peak + n.vae.all, plan.decode_peak});
  plan.held = at_decode;
  return plan;
}

std::string gigabytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f GB", static_cast<double>(bytes) / 1e9);
  return text.data();
}

}  // namespace

MemoryPlan plan_memory(const MemoryNeeds& needs, const MemoryWish& wish, const std::string& what) {
  // What was made for this run is dropped when its work is done, unless somebody wants it kept.
  const bool made =
      needs.encoder.least == needs.encoder.all || needs.transformer.least == needs.transformer.all;
  const bool drop = wish.residency == Residency::staged ||
                    (wish.residency == Residency::automatic && wish.limit == 0 && made);
  const Level first = drop ? Level::staged : Level::all;
  const Level last = wish.residency == Residency::all ? Level::all : Level::streamed;
  MemoryPlan plan;
  for (int level = static_cast<int>(first); level <= static_cast<int>(last); ++level) {
    plan = at_level(static_cast<Level>(level), needs, wish);
    if (wish.limit == 0 || plan.peak <= wish.limit) return plan;
  }
  throw Error(RH_OUT_OF_MEMORY, what + " needs at least " + gigabytes(plan.peak) + " (encode " +
                                    gigabytes(plan.encode_peak) + ", denoise " +
                                    gigabytes(plan.denoise_peak) + ", decode " + gigabytes(plan.decode_peak) +
                                    "), the memory limit is " + gigabytes(wish.limit));
}

}  // namespace engines
