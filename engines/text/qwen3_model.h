// SPDX-License-Identifier: Apache-2.0
// Qwen3 as a language model: token ids behind those of a cache to hidden states, and those to logits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engines/text/qwen3_stack.h"

namespace engines {

class Qwen3Model {
 public:
  // `folder` is the model's directory; files, checks and options as qwen3::Stack has them. The head stays as
  // it is stored. `kernels` must outlive the model.
  Qwen3Model(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options = {});

  // For one text of up to `tokens` tokens.
  KvCache make_cache(std::int64_t tokens) const;
  std::uint64_t cache_bytes(std::int64_t tokens) const;

  // The hidden states behind the final norm, [ids.size(), hidden_size], of tokens that follow those in the
  // cache, which then holds them too. However a text is cut into calls, the mathematics is the same; sums may
  // be rounded in another order. Throws INVALID_ARGUMENT where the cache has no room, MODEL_INVALID for an id
  // outside the embedding, CANCELLED between layers: the cache is then as before.
  FloatBuffer extend(const std::vector<std::int32_t>& ids, KvCache& cache, Run& run,
                     const Tap& tap = {}) const;

  // The same in chunks of at most `chunk` tokens, so that memory does not grow with the text: the hidden
  // state of the last token, [1, hidden_size]. `ids` is not empty. Cancelled, the cache holds the chunks that
  // were done.
  FloatBuffer read(const std::vector<std::int32_t>& ids, std::int64_t chunk, KvCache& cache, Run& run) const;

  // out[r, t]: of the token t behind hidden state r.  out: [rows, vocab_size], hidden: [rows, hidden_size].
  void logits(Rows out, ConstRows hidden) const { head_.apply(kernels_, out, hidden); }

  // The weights that a token reads, as held: layers and head.
  std::uint64_t resident_bytes() const { return row_.all(); }
  std::uint64_t least_bytes() const { return row_.least(); }
  // Lets at most about `bytes` of mapped weights stay resident: layers beyond are given back after use.
  void keep_within(std::uint64_t bytes) { stack_.keep(row_.kept(bytes)); }
  // Memory beyond weights and cache that `extend` takes, the result included.
  std::size_t activation_bytes(std::int64_t tokens) const;

  const Qwen3Config& config() const { return stack_.config(); }
  const WeightSet& weights() const { return stack_.weights(); }

 private:
  qwen3::Stack stack_;
  Linear head_;
  BlockRow row_;  // with the head as what always stays
  Kernels& kernels_;
};

}  // namespace engines
