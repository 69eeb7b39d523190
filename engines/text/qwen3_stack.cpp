// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_stack.h"

#include <fmt/format.h>

#include "engines/text/llama_cpp_names.h"

namespace engines::qwen3 {
namespace {

constexpr const char* kStem = "model";

std::string config_name(const std::string& place) {
  return (place.empty() ? "" : place + "/") + "config.json";
}

}  // namespace

Stack::Stack(const std::filesystem::path& folder, std::string place, const WeightOptions& options,
             HiddenState output)
    : place_(std::move(place)),
      config_(Qwen3Config::read(read_text_config(folder, kStem, config_name(place_)))),
      weights_(folder, kStem, options, llama_cpp_names()) {
  const std::string root = weights_.contains("model.embed_tokens.weight") ? "model." : "";
  embedding_ = weights_.get(root + "embed_tokens.weight", {config_.vocab_size, config_.hidden_size});
  const std::int64_t computed = config_.layers - (output == HiddenState::last ? 0 : 1);
  for (std::int64_t i = 0; i < config_.layers; ++i)
    layers_.push_back(load_layer(weights_, config_, fmt::format("{}layers.{}.", root, i), i < computed));
  const std::string beyond = fmt::format("{}layers.{}.input_layernorm.weight", root, config_.layers);
  if (weights_.contains(beyond)) {
    throw Error(RH_MODEL_INVALID, fmt::format("{}: num_hidden_layers: {} is too few, the weights have {}",
                                              config_name(place_), config_.layers, beyond));
  }
  layers_.resize(static_cast<std::size_t>(computed));
  if (output == HiddenState::last) final_norm_ = weights_.floats(root + "norm.weight", {config_.hidden_size});
  row_ = weights_.block_row(root + "layers.", layers_.size(), 0);
}

void Stack::embed(Rows x, const std::vector<std::int32_t>& ids) const {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const std::int32_t id = ids[static_cast<std::size_t>(r)];
    if (id < 0 || id >= config_.vocab_size) {
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}token id {} is outside the embedding, expected 0 to {}",
                              (place_.empty() ? "" : place_ + ": "), id, config_.vocab_size - 1));
    }
    const auto first = static_cast<std::size_t>(id * config_.hidden_size);
    for (std::int64_t c = 0; c < x.cols; ++c)
      x.row(r)[c] = load_as_float(embedding_.data, embedding_.dtype, first + static_cast<std::size_t>(c));
  }
}

void Stack::run(Rows x, Kernels& kernels, const KvCache* cache, Run& run, const Tap& tap) const {
  if (tap) tap("hidden0", x);
  if (x.rows == 0) return;
  Arena arena(scratch_floats(config_, x.rows, cache != nullptr));
  const std::int64_t pairs = config_.head_dim / 2;
  const Pass pass{config_, kernels, arena, {arena.rows(x.rows, pairs), arena.rows(x.rows, pairs)}, cache};
  fill_rotation(config_, cache != nullptr ? cache->size() : 0, pass.rotation);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    run.check_cancelled();
    const bool more = i + 1 < layers_.size();
    if (more && i + 1 >= kept_)
      for_matrices(layers_[i + 1], [&](const WeightView& view) { weights_.prefetch(view); });
    attention(pass, layers_[i], static_cast<std::int64_t>(i), x);
    feed_forward(pass, layers_[i], x);
    if (i >= kept_) for_matrices(layers_[i], [&](const WeightView& view) { weights_.forget(view); });
    if (!more && !final_norm_.empty())
      kernels.rms_norm(x, x, final_norm_.data(), static_cast<float>(config_.rms_norm_eps));
    if (tap) tap(fmt::format("hidden{}", i + 1), x);
  }
}

Linear Stack::head() const {
  if (config_.tied) return {embedding_, {}};
  return stored_linear(weights_, "lm_head", config_.vocab_size, config_.hidden_size, Bias::none);
}

}  // namespace engines::qwen3
