// SPDX-License-Identifier: Apache-2.0
#include "engines/ovis/blocks.h"

#include <algorithm>
#include <cmath>

namespace engines::ovis {
namespace {

constexpr float kNormEps = 1e-6F;  // of every norm of a block

// [rows, heads * dim] seen as [rows * heads, dim]: the norms of q and k are per head.
Rows per_head(Rows x, std::int64_t head_dim) {
  assert(x.contiguous());
  return {x.data, x.rows * x.cols / head_dim, head_dim};
}

struct Heads {
  Rows q, k, v;
  Heads slice_rows(std::int64_t first, std::int64_t count) const {
    return {q.slice_rows(first, count), k.slice_rows(first, count), v.slice_rows(first, count)};
  }
};

template <class AnyArena>
Heads make_heads(AnyArena& arena, std::int64_t rows, std::int64_t dim) {
  return {arena.rows(rows, dim), arena.rows(rows, dim), arena.rows(rows, dim)};
}

// Fills `rows` [n, dim] from a product to n * dim.
void modulate(const Pass& pass, const Linear& linear, Rows rows) {
  linear.apply(pass.kernels, {rows.data, 1, rows.rows * rows.cols}, pass.time);
}

void norm(const Pass& pass, Rows y, ConstRows x, const Branch& branch) {
  pass.kernels.layer_norm(y, x, branch.scale, branch.shift, kNormEps);
}

void project(const Pass& pass, const Attention& weights, ConstRows normed, const Heads& to) {
  weights.q.apply(pass.kernels, to.q, normed);
  weights.k.apply(pass.kernels, to.k, normed);
  weights.v.apply(pass.kernels, to.v, normed);
  const std::int64_t head_dim = pass.config.head_dim;
  const Rows q = per_head(to.q, head_dim);
  const Rows k = per_head(to.k, head_dim);
  pass.kernels.rms_norm(q, q, weights.norm_q.data(), kNormEps);
  pass.kernels.rms_norm(k, k, weights.norm_k.data(), kNormEps);
}

// `weights`: the type of what made the heads.
void attend(const Pass& pass, Rows out, const Heads& heads, Dtype weights) {
  const auto& c = pass.config;
  pass.kernels.rope_interleaved(heads.q, c.head_dim, pass.rotation.cos, pass.rotation.sin);
  pass.kernels.rope_interleaved(heads.k, c.head_dim, pass.rotation.cos, pass.rotation.sin);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)));
  pass.kernels.attention(out, heads.q, heads.k, heads.v,
                         {c.heads, c.heads, c.head_dim, false, scale, weights});
}

// out = up(x) * silu(gate(x))
void swiglu(const Pass& pass, Rows out, ConstRows x, const Swiglu& weights) {
  const Arena::Scope scope(pass.scratch);
  const Rows gate = pass.scratch.rows(x.rows, out.cols);
  weights.up.apply(pass.kernels, out, x);
  weights.gate.apply(pass.kernels, gate, x);
  pass.kernels.silu_mul(out, gate, out);
}

// One of the two kinds of token of a double block.
struct Part {
  const Stream& weights;
  std::int64_t first, count;  // its rows
  Branch attention, feed_forward;
};

// x += gate * out(attention of all tokens)
void joint_attention(const Pass& pass, const Part (&parts)[2], Rows x) {
  const Arena::Scope scope(pass.scratch);
  const std::int64_t dim = pass.config.dim();
  const Rows normed = pass.scratch.rows(x.rows, dim);
  const Heads heads = make_heads(pass.scratch, x.rows, dim);
  for (const Part& part : parts) {
    const Rows rows = normed.slice_rows(part.first, part.count);
    norm(pass, rows, x.slice_rows(part.first, part.count), part.attention);
    project(pass, part.weights.attention, rows, heads.slice_rows(part.first, part.count));
  }
  const Rows attended = pass.scratch.rows(x.rows, dim);
  attend(pass, attended, heads, parts[0].weights.attention.v.weight.dtype);
  for (const Part& part : parts) {
    const Rows out = normed.slice_rows(part.first, part.count);
    part.weights.attention_out.apply(pass.kernels, out, attended.slice_rows(part.first, part.count));
    pass.kernels.add_scaled(x.slice_rows(part.first, part.count), out, part.attention.gate);
  }
}

// x += gate * out(swiglu(norm(x))), of the part's rows
void feed_forward(const Pass& pass, const Part& part, Rows x) {
  const Arena::Scope scope(pass.scratch);
  const Rows rows = x.slice_rows(part.first, part.count);
  const Rows normed = pass.scratch.rows(part.count, pass.config.dim());
  const Rows inner = pass.scratch.rows(part.count, pass.config.feed_forward_dim());
  norm(pass, normed, rows, part.feed_forward);
  swiglu(pass, inner, normed, part.weights.feed_forward);
  part.weights.feed_forward_out.apply(pass.kernels, normed, inner);
  pass.kernels.add_scaled(rows, normed, part.feed_forward.gate);
}

Part part_of(const Pass& pass, const Stream& weights, Rows modulation, std::int64_t first,
             std::int64_t count) {
  modulate(pass, weights.modulation, modulation);
  return {weights, first, count, branch_of(modulation.slice_rows(0, 3)),
          branch_of(modulation.slice_rows(3, 3))};
}

}  // namespace

Branch branch_of(Rows rows) {
  for (float& scale : rows.row_span(1))
    scale += 1;
  return {rows.row(0), rows.row(1), rows.row(2)};
}

void run_block(const Pass& pass, const DoubleBlock& block, Rows x, const TokenCounts& tokens) {
  const Part parts[] = {
      part_of(pass, block.caption, pass.modulation.slice_rows(0, 6), 0, tokens.caption),
      part_of(pass, block.image, pass.modulation.slice_rows(6, 6), tokens.caption, tokens.image)};
  joint_attention(pass, parts, x);
  for (const Part& part : parts)
    feed_forward(pass, part, x);
}

// x += gate * out(attention | swiglu), both of norm(x)
void run_block(const Pass& pass, const SingleBlock& block, Rows x, const TokenCounts&) {
  const std::int64_t dim = pass.config.dim();
  const std::int64_t ffn = pass.config.feed_forward_dim();
  const Rows modulation = pass.modulation.slice_rows(0, 3);
  modulate(pass, block.modulation, modulation);
  const Branch branch = branch_of(modulation);

  const Arena::Scope scope(pass.scratch);
  const Rows normed = pass.scratch.rows(x.rows, dim);
  const Rows both = pass.scratch.rows(x.rows, dim + ffn);
  norm(pass, normed, x, branch);
  {
    const Arena::Scope of_heads(pass.scratch);
    const Heads heads = make_heads(pass.scratch, x.rows, dim);
    project(pass, block.attention, normed, heads);
    attend(pass, both.slice_cols(0, dim), heads, block.attention.v.weight.dtype);
  }
  swiglu(pass, both.slice_cols(dim, ffn), normed, block.feed_forward);
  block.out.apply(pass.kernels, normed, both);
  pass.kernels.add_scaled(x, normed, branch.gate);
}

std::size_t block_scratch(const OvisConfig& c, const TokenCounts& tokens) {
  const std::int64_t ffn = c.feed_forward_dim();
  CountingArena attention, feed_forward, heads, gate, single;
  attention.rows(tokens.all(), c.dim());
  make_heads(attention, tokens.all(), c.dim());
  attention.rows(tokens.all(), c.dim());

  const std::int64_t rows = std::max(tokens.caption, tokens.image);
  feed_forward.rows(rows, c.dim());
  feed_forward.rows(rows, ffn);
  feed_forward.rows(rows, ffn);

  single.rows(tokens.all(), c.dim());
  single.rows(tokens.all(), c.dim() + ffn);
  make_heads(heads, tokens.all(), c.dim());
  gate.rows(tokens.all(), ffn);
  const std::size_t in_single = single.floats() + std::max(heads.floats(), gate.floats());
  return std::max({c.double_blocks > 0 ? std::max(attention.floats(), feed_forward.floats()) : 0,
                   c.single_blocks > 0 ? in_single : 0});
}

}  // namespace engines::ovis
