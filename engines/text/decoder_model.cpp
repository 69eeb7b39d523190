// SPDX-License-Identifier: Apache-2.0
#include "engines/text/decoder_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engines/tensor/error.h"
#include "engines/text/decoder_family.h"
#include "engines/text/decoder_files.h"

namespace engines {
namespace {

// A text that is read again, with other frequencies, is cut so.
constexpr std::int64_t kPieceTokens = 512;

std::string shown_root(const WeightSet& weights) {
  for (const char* const root : {"model.", "", "language_model.model.", "model.language_model."})
    if (weights.contains(std::string(root) + "embed_tokens.weight")) return root;
  return "model.";
}

}  // namespace

class DecoderModel::State final : public TextState {
 public:
  explicit State(const DecoderModel& model) : model_(model), pages(model.pool_) {}

  std::int64_t size() const override { return pages.size(); }
  void truncate(std::int64_t tokens) override {
    pages.truncate(tokens);
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(tokens)));
  }
  std::unique_ptr<TextState> fork(std::int64_t tokens) const override {
    auto made = std::make_unique<State>(*this);
    made->truncate(tokens);
    return made;
  }

 private:
  const DecoderModel& model_;

 public:
  PagedText pages;
  // Where frequencies depend on the length: what was read, to be read again, and which ones it was read with.
  std::vector<std::int32_t> ids;
  bool is_long = false;
};

// One text of a forward pass.
struct DecoderModel::Part {
  State* state;
  std::span<const std::int32_t> ids;
  Rows out;  // of the last tokens

  std::int64_t rows() const { return static_cast<std::int64_t>(ids.size()); }
};

DecoderModel::DecoderModel(const std::filesystem::path& folder, Kernels& kernels,
                           const LanguageModelOptions& options)
    : DecoderModel(read_decoder_files(folder), folder, kernels, options) {
}

DecoderModel::DecoderModel(const DecoderFiles& files, const std::filesystem::path& folder, Kernels& kernels,
                           const LanguageModelOptions& options)
    : config_(files.config), weights_(folder, files.stem, options.weights, files.names), kernels_(kernels) {
  const std::string root = shown_root(weights_);
  embedding_ = weights_.get(root + "embed_tokens.weight", {config_.vocab_size, config_.hidden_size});
  for (std::int64_t i = 0; i < config_.layers; ++i)
    layers_.push_back(load_decoder_layer(weights_, config_, fmt::format("{}layers.{}.", root, i)));
  const std::string beyond = fmt::format("{}layers.{}.input_layernorm.weight", root, config_.layers);
  if (weights_.contains(beyond)) {
    throw Error(RH_MODEL_INVALID, fmt::format("{}: num_hidden_layers: {} is too few, the weights have {}",
                                              files.shown, config_.layers, beyond));
  }
  final_norm_ = load_norm(weights_, config_, root + "norm", config_.hidden_size);
  head_ = config_.tied
              ? Linear{embedding_, {}}
              : stored_linear(weights_, "lm_head", config_.vocab_size, config_.hidden_size, Bias::none);
  row_ =
      weights_.block_row(root + "layers.", layers_.size(), static_cast<std::uint64_t>(head_.weight.bytes()));
  pool_ = std::make_shared<PagePool>(PageShape{config_.layers, config_.kv_width(), options.cache},
                                     options.cache_limit);
}

std::unique_ptr<TextState> DecoderModel::make_state() {
  return std::make_unique<State>(*this);
}

std::uint64_t DecoderModel::state_bytes(std::int64_t tokens) const {
  return static_cast<std::uint64_t>(PageShape::pages(tokens) * pool_->shape().page_bytes());
}

void DecoderModel::forward(std::span<const TextRows> texts, Rows logits, Run& run) {
  assert(logits.cols == config_.vocab_size);
  read(texts, logits, Output::logits, run);
}

void DecoderModel::hidden(std::span<const TextRows> texts, Rows hidden, Run& run) {
  assert(hidden.cols == config_.hidden_size);
  read(texts, hidden, Output::hidden, run);
}

std::vector<DecoderModel::Part> DecoderModel::parts_of(std::span<const TextRows> texts, Rows out) const {
  std::vector<Part> parts;
  std::int64_t wanted = 0;
  for (const TextRows& text : texts) {
    auto* const state = static_cast<State*>(text.state);
    assert(text.wanted >= 0 && text.wanted <= static_cast<std::int64_t>(text.ids.size()));
    assert(wanted + text.wanted <= out.rows);
    for (const Part& other : parts)
      if (other.state == state) throw Error(RH_INVALID_ARGUMENT, "a text is twice in one pass");
    for (const std::int32_t id : text.ids) {
      if (id < 0 || id >= config_.vocab_size)
        throw Error(RH_MODEL_INVALID, fmt::format("token id {} is outside the embedding, expected 0 to {}",
                                                  id, config_.vocab_size - 1));
    }
    parts.push_back({state, text.ids, out.slice_rows(wanted, text.wanted)});
    wanted += text.wanted;
  }
  return parts;
}

void DecoderModel::read(std::span<const TextRows> texts, Rows out, Output output, Run& run) {
  std::vector<Part> parts = parts_of(texts, out);
  std::erase_if(parts, [](const Part& part) { return part.ids.empty(); });
  for (const Part& part : parts)
    part.state->pages.reserve(part.rows());
  for (const Part& part : parts) {
    const bool is_long = config_.is_long(part.state->size() + part.rows());
    if (is_long != part.state->is_long) renew(*part.state, is_long, run);
  }
  const auto few = std::stable_partition(parts.begin(), parts.end(),
                                         [](const Part& part) { return part.rows() <= kFewRows; });
  if (few != parts.begin()) compute({parts.begin(), few}, RowSums::alone, output, run);
  for (auto part = few; part != parts.end(); ++part)
    compute({part, part + 1}, RowSums::together, output, run);
  for (const Part& part : parts) {
    part.state->pages.advance(part.rows());
    if (config_.ropes.front().long_frequencies.empty()) continue;
    part.state->ids.insert(part.state->ids.end(), part.ids.begin(), part.ids.end());
  }
}

// What a text holds depends on the frequencies that all of it takes.
void DecoderModel::renew(State& state, bool is_long, Run& run) {
  State fresh(*this);
  fresh.is_long = is_long;
  const std::span<const std::int32_t> ids(state.ids);
  for (std::size_t first = 0; first < ids.size(); first += kPieceTokens) {
    const auto piece = ids.subspan(first, std::min<std::size_t>(kPieceTokens, ids.size() - first));
    const Part part{&fresh, piece, {}};
    fresh.pages.reserve(part.rows());
    compute({&part, 1}, RowSums::together, Output::hidden, run);
    fresh.pages.advance(part.rows());
  }
  const std::int64_t more = state.pages.room() - state.pages.size();
  fresh.pages.reserve(more);
  state.pages = std::move(fresh.pages);
  state.is_long = is_long;
}

Arena& DecoderModel::arena_for(std::size_t floats, std::optional<Arena>& own) {
  constexpr std::size_t kMostKept = std::size_t{1} << 24;
  if (floats > kMostKept) return own.emplace(floats);
  if (!arena_ || arena_->capacity_bytes() < floats * sizeof(float)) arena_.emplace(floats);
  return *arena_;
}

void DecoderModel::compute(std::span<const Part> parts, RowSums sums, Output output, Run& run) {
  std::vector<PassText> texts;
  std::int64_t rows = 0, wanted = 0;
  for (const Part& part : parts) {
    texts.push_back({&part.state->pages, part.state->size(), rows, part.rows(), part.state->is_long});
    rows += part.rows();
    wanted += part.out.rows;
  }
  constexpr std::size_t kAlignment = 32;  // of two more rows, in floats
  const std::size_t floats = decoder_scratch_floats(config_, rows) + kAlignment +
                             static_cast<std::size_t>((rows + wanted) * config_.hidden_size);
  std::optional<Arena> own;
  Arena& arena = arena_for(floats, own);
  const Arena::Scope scope(arena);
  const Rows x = arena.rows(rows, config_.hidden_size);
  for (std::size_t i = 0; i < parts.size(); ++i)
    embed(x.slice_rows(texts[i].first_row, texts[i].rows), parts[i].ids);
  DecoderPass pass{config_, kernels_, arena, sums, texts, {}};
  prepare_rotations(pass, rows);
  run_layers(pass, x, run);
  finish(pass, parts, x, output);
}

void DecoderModel::embed(Rows x, std::span<const std::int32_t> ids) const {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const auto first = static_cast<std::size_t>(ids[static_cast<std::size_t>(r)] * config_.hidden_size);
    for (std::int64_t c = 0; c < x.cols; ++c)
      x.row(r)[c] = load_as_float(embedding_.data, embedding_.dtype, first + static_cast<std::size_t>(c)) *
                    config_.embedding_scale;
  }
}

void DecoderModel::run_layers(const DecoderPass& pass, Rows x, Run& run) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    run.check_cancelled();
    if (i + 1 < layers_.size() && i + 1 >= kept_)
      for_matrices(layers_[i + 1], [&](const WeightView& view) { weights_.prefetch(view); });
    attention_block(pass, layers_[i], static_cast<std::int64_t>(i), x);
    feed_forward_block(pass, layers_[i], x);
    if (i >= kept_) for_matrices(layers_[i], [&](const WeightView& view) { weights_.forget(view); });
  }
}

// The wanted rows of all texts behind the final norm, and as many of them as lie beside one another in the
// result through the head at once.
void DecoderModel::finish(const DecoderPass& pass, std::span<const Part> parts, ConstRows x,
                          Output output) const {
  std::int64_t end = 0;
  for (std::size_t i = 0; i < parts.size();) {
    const Rows first = parts[i].out;
    std::int64_t wanted = 0;
    const Arena::Scope scope(pass.arena);
    std::size_t next = i;
    while (next < parts.size() && parts[next].out.data == first.row(wanted)) {
      wanted += parts[next].out.rows;
      ++next;
    }
    const Rows hidden = pass.arena.rows(wanted, config_.hidden_size);
    std::int64_t row = 0;
    for (; i < next; ++i) {
      end += parts[i].rows();
      for (std::int64_t r = end - parts[i].out.rows; r < end; ++r)
        std::copy_n(x.row(r), x.cols, hidden.row(row++));
    }
    if (wanted == 0) continue;
    const Rows out(first.data, wanted, first.cols, first.stride);
    const Rows normed = output == Output::hidden ? out : hidden;
    kernels_.rms_norm(normed, hidden, final_norm_.data(), static_cast<float>(config_.norm_eps));
    if (output == Output::hidden) continue;
    if (wanted <= kFewRows || pass.sums == RowSums::alone)
      head_.apply_by_rows(kernels_, out, hidden);
    else
      head_.apply(kernels_, out, hidden);
    cap_logits(out);
  }
}

void DecoderModel::cap_logits(Rows logits) const {
  const float cap = config_.logits_softcap;
  if (cap == 0) return;
  for (std::int64_t r = 0; r < logits.rows; ++r)
    for (float& value : logits.row_span(r))
      value = cap * std::tanh(value / cap);
}

}  // namespace engines
