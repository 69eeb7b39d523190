// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace engines {

Qwen3Model::Qwen3Model(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options)
    : stack_(folder, "", options, HiddenState::last),
      head_(stack_.head()),
      row_(stack_.row()),
      kernels_(kernels) {
  row_.rest += static_cast<std::uint64_t>(head_.weight.bytes());
}

KvCache Qwen3Model::make_cache(std::int64_t tokens) const {
  return {config().layers, config().kv_width(), tokens};
}

std::uint64_t Qwen3Model::cache_bytes(std::int64_t tokens) const {
  return KvCache::bytes(config().layers, config().kv_width(), tokens);
}

FloatBuffer Qwen3Model::extend(const std::vector<std::int32_t>& ids, KvCache& cache, Run& run,
                               const Tap& tap) const {
  assert(cache.layers() == config().layers && cache.width() == config().kv_width());
  const auto tokens = static_cast<std::int64_t>(ids.size());
  if (tokens > cache.capacity() - cache.size()) {
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{} tokens behind {} do not fit a cache of {}", tokens,
                                                 cache.size(), cache.capacity()));
  }
  FloatBuffer hidden(ids.size() * static_cast<std::size_t>(config().hidden_size));
  const Rows x{hidden.data(), tokens, config().hidden_size};
  stack_.embed(x, ids);
  stack_.run(x, kernels_, &cache, run, tap);
  cache.advance(tokens);
  return hidden;
}

FloatBuffer Qwen3Model::read(const std::vector<std::int32_t>& ids, std::int64_t chunk, KvCache& cache,
                             Run& run) const {
  assert(!ids.empty() && chunk > 0);
  const auto width = static_cast<std::size_t>(config().hidden_size);
  FloatBuffer last(width);
  for (auto next = ids.begin(); next != ids.end();) {
    const auto end = next + std::min<std::ptrdiff_t>(chunk, ids.end() - next);
    const FloatBuffer hidden = extend({next, end}, cache, run);
    std::copy_n(hidden.data() + hidden.size() - width, width, last.data());
    next = end;
  }
  return last;
}

std::size_t Qwen3Model::activation_bytes(std::int64_t tokens) const {
  const auto result = static_cast<std::size_t>(tokens * config().hidden_size);
  return stack_.scratch_bytes(tokens, true) + (result + 15) / 16 * 16 * sizeof(float);
}

}  // namespace engines
