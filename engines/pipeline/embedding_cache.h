// SPDX-License-Identifier: Apache-2.0
// The encoder's output for the last few prompts: another seed of the same prompt needs no encoder.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "engines/tensor/tensor.h"

namespace engines {

// One thread.
class EmbeddingCache {
 public:
  using Ids = std::vector<std::int32_t>;

  // Null when there is none.
  std::shared_ptr<const FloatBuffer> find(const Ids& ids);
  void keep(const Ids& ids, std::shared_ptr<const FloatBuffer> embeddings);

 private:
  static constexpr std::size_t kPrompts = 4;  // two images' prompts and negative prompts
  std::list<std::pair<Ids, std::shared_ptr<const FloatBuffer>>> entries_;  // newest first
};

}  // namespace engines
