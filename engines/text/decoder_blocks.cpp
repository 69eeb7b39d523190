// SPDX-License-Identifier: Apache-2.0
#include "engines/text/decoder_blocks.h"

#include <algorithm>
#include <cmath>

namespace engines {
namespace {

std::size_t aligned_count(std::int64_t floats) {
  constexpr std::size_t kFloats = 16;  // an arena's rows begin at multiples of 64 bytes
  return (static_cast<std::size_t>(floats) + kFloats - 1) / kFloats * kFloats;
}

// Each head as a row.
Rows heads_as_rows(Rows x, std::int64_t head_dim) {
  return {x.data, x.rows * (x.cols / head_dim), head_dim};
}

void normalise(const DecoderPass& pass, Rows y, ConstRows x, const std::vector<float>& weight) {
  pass.kernels.rms_norm(y, x, weight.data(), static_cast<float>(pass.config.norm_eps));
}

// As the original: the angle is rounded to float before its cosine and sine are taken.
void fill_angles(const Rope& rope, bool is_long, std::int64_t position, std::span<float> cos,
                 std::span<float> sin) {
  const auto& frequencies =
      is_long && !rope.long_frequencies.empty() ? rope.long_frequencies : rope.frequencies;
  for (std::size_t p = 0; p < cos.size(); ++p) {
    const float angle = static_cast<float>(position) * frequencies[p];
    cos[p] = static_cast<float>(std::cos(static_cast<double>(angle))) * rope.factor;
    sin[p] = static_cast<float>(std::sin(static_cast<double>(angle))) * rope.factor;
  }
}

void turn(const DecoderPass& pass, Rows x, const Rotation& rotation) {
  const DecoderConfig& c = pass.config;
  const auto turn_heads = [&](Rows heads) {
    if (c.neighbouring_pairs)
      pass.kernels.rope_interleaved(heads, c.rotary_dim, rotation.cos, rotation.sin);
    else
      pass.kernels.rope_half(heads, c.rotary_dim, rotation.cos, rotation.sin);
  };
  if (c.rotary_dim == c.head_dim) return turn_heads(x);
  for (std::int64_t first = 0; first < x.cols; first += c.head_dim)
    turn_heads(x.slice_cols(first, c.rotary_dim));
}

// x += y, normed before where the family does that.
void add_block(const DecoderPass& pass, Rows x, Rows y, const std::vector<float>& norm) {
  if (!norm.empty()) normalise(pass, y, y, norm);
  pass.kernels.add(x, y);
}

void attend(const DecoderPass& pass, const DecoderLayer& layer, std::int64_t index, Rows out, ConstRows q) {
  const DecoderConfig& c = pass.config;
  const AttentionShape shape{.heads = c.heads,
                             .kv_heads = c.kv_heads,
                             .head_dim = c.head_dim,
                             .causal = true,
                             .scale = c.attention_scale,
                             .weights = layer.v.weight.dtype,
                             .window = c.kinds[static_cast<std::size_t>(index)].window,
                             .softcap = c.attention_softcap};
  for (const PassText& text : pass.texts) {
    pass.kernels.paged_attention(out.slice_rows(text.first_row, text.rows),
                                 q.slice_rows(text.first_row, text.rows),
                                 text.pages->seen(index, text.past + text.rows), shape, pass.sums);
  }
}

}  // namespace

void prepare_rotations(DecoderPass& pass, std::int64_t rows) {
  const std::int64_t pairs = pass.config.rotary_dim / 2;
  for (const Rope& rope : pass.config.ropes) {
    const Rotation rotation{pass.arena.rows(rows, pairs), pass.arena.rows(rows, pairs)};
    for (const PassText& text : pass.texts) {
      for (std::int64_t r = 0; r < text.rows; ++r)
        fill_angles(rope, text.is_long, text.past + r, rotation.cos.row_span(text.first_row + r),
                    rotation.sin.row_span(text.first_row + r));
    }
    pass.rotations.push_back(rotation);
  }
}

void product(const DecoderPass& pass, const Linear& linear, Rows y, ConstRows x) {
  if (pass.sums == RowSums::alone)
    linear.apply_by_rows(pass.kernels, y, x);
  else
    linear.apply(pass.kernels, y, x);
}

void attention_block(const DecoderPass& pass, const DecoderLayer& layer, std::int64_t index, Rows x) {
  const DecoderConfig& c = pass.config;
  const Arena::Scope scope(pass.arena);
  const Rows normed = pass.arena.rows(x.rows, c.hidden_size);
  const Rows q = pass.arena.rows(x.rows, c.q_width());
  const Rows attended = pass.arena.rows(x.rows, c.q_width());
  const Rows k = pass.arena.rows(x.rows, c.kv_width());
  const Rows v = pass.arena.rows(x.rows, c.kv_width());

  normalise(pass, normed, x, layer.attention_norm);
  product(pass, layer.q, q, normed);
  product(pass, layer.k, k, normed);
  product(pass, layer.v, v, normed);
  if (c.qk_norms) {
    normalise(pass, heads_as_rows(q, c.head_dim), heads_as_rows(q, c.head_dim), layer.q_norm);
    normalise(pass, heads_as_rows(k, c.head_dim), heads_as_rows(k, c.head_dim), layer.k_norm);
  }
  const Rotation& rotation = pass.rotations[c.kinds[static_cast<std::size_t>(index)].rope];
  turn(pass, q, rotation);
  turn(pass, k, rotation);
  for (const PassText& text : pass.texts)
    text.pages->write(index, text.past, k.slice_rows(text.first_row, text.rows),
                      v.slice_rows(text.first_row, text.rows));
  attend(pass, layer, index, attended, q);
  product(pass, layer.o, normed, attended);
  add_block(pass, x, normed, layer.attention_out_norm);
}

void feed_forward_block(const DecoderPass& pass, const DecoderLayer& layer, Rows x) {
  const DecoderConfig& c = pass.config;
  const Arena::Scope scope(pass.arena);
  const Rows normed = pass.arena.rows(x.rows, c.hidden_size);
  const Rows gate = pass.arena.rows(x.rows, c.intermediate_size);
  const Rows up = pass.arena.rows(x.rows, c.intermediate_size);

  normalise(pass, normed, x, layer.feed_forward_norm);
  product(pass, layer.gate, gate, normed);
  product(pass, layer.up, up, normed);
  if (c.activation == GateActivation::silu)
    pass.kernels.silu_mul(gate, gate, up);
  else
    pass.kernels.gelu_tanh_mul(gate, gate, up);
  product(pass, layer.down, normed, gate);
  add_block(pass, x, normed, layer.feed_forward_out_norm);
}

std::size_t decoder_scratch_floats(const DecoderConfig& c, std::int64_t rows) {
  const auto floats = [&](std::int64_t cols) { return aligned_count(rows * cols); };
  const std::size_t attention = 2 * floats(c.q_width()) + 2 * floats(c.kv_width());
  const std::size_t feed_forward = 2 * floats(c.intermediate_size);
  return 2 * c.ropes.size() * floats(c.rotary_dim / 2) + floats(c.hidden_size) +
         std::max(attention, feed_forward);
}

}  // namespace engines
