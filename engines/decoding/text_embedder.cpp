// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/text_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

// A vector of zeros has no direction and stays.
void make_unit(std::vector<float>& values) {
  double sum = 0;
  for (const float value : values)
    sum += static_cast<double>(value) * value;
  if (sum == 0) return;
  for (float& value : values)
    value = static_cast<float>(value / std::sqrt(sum));
}

}  // namespace

// What the tokenizer adds around a text stays when the text is cut.
std::vector<std::int32_t> TextEmbedder::ids_of(std::string_view text, bool truncate) const {
  std::vector<std::int32_t> ids = tokenizer_.encode(text);
  const std::int64_t most = model_->window() - 1;  // the model may add an end of its own
  if (!truncate || std::ssize(ids) <= most) return ids;
  const std::vector<std::int32_t> alone = tokenizer_.encode(text, false);
  const auto around = std::ssize(ids) - std::ssize(alone);
  const auto found = std::search(ids.begin(), ids.end(), alone.begin(), alone.end());
  if (around < 0 || around >= most || found == ids.end()) {
    ids.resize(static_cast<std::size_t>(most));
    return ids;
  }
  ids.erase(found + (most - around), found + std::ssize(alone));
  return ids;
}

EmbeddedText TextEmbedder::embed(std::string_view text, const EmbeddingWish& wish, Run& run) {
  if (wish.dimensions > model_->width())
    throw Error(RH_INVALID_ARGUMENT, fmt::format("dimensions: {}, expected at most the model's {}",
                                                 wish.dimensions, model_->width()));
  const std::vector<std::int32_t> ids = ids_of(text, wish.truncate);
  EmbeddedText made{model_->embed(ids, run), std::ssize(ids)};
  if (wish.dimensions != 0) made.values.resize(wish.dimensions);
  if (wish.normalise || wish.dimensions != 0) make_unit(made.values);
  return made;
}

}  // namespace engines::decoding
