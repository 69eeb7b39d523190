// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/embedding_cache.h"

namespace engines {

std::shared_ptr<const FloatBuffer> EmbeddingCache::find(const Ids& ids) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->first != ids) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->second;
  }
  return nullptr;
}

void EmbeddingCache::keep(const Ids& ids, std::shared_ptr<const FloatBuffer> embeddings) {
  entries_.emplace_front(ids, std::move(embeddings));
  if (entries_.size() > kPrompts) entries_.pop_back();
}

}  // namespace engines
