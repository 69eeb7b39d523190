// SPDX-License-Identifier: Apache-2.0
// Softmax attention over tiles of keys with a running maximum (Dao et al. 2022, "FlashAttention"): the scores
// of all queries with all keys never exist.
#include <algorithm>
#include <limits>

#include "engines/kernels/cpu/operands.h"
#include "engines/kernels/cpu/simd/rounded_softmax.h"

namespace engines::cpu {
namespace {

// 256 queries' scores and probabilities for ProductSizes::keys stay in the second-level cache beside the keys
// and values of a tile. Causal blocks are smaller: what a tile computes beyond the diagonal is lost.
constexpr std::int64_t kQueryRows = 256;
constexpr std::int64_t kCausalQueryRows = 128;
// Blocks of queries are made smaller, but not below 32, to give several threads something to do.
constexpr std::int64_t kPieces = 12;
constexpr std::int64_t kFewestQueryRows = 32;

Blocks cut_queries(std::int64_t rows, const AttentionShape& shape) {
  Blocks blocks = Blocks::of(rows, shape.causal ? kCausalQueryRows : kQueryRows, 8);
  while (blocks.count() * shape.heads < kPieces && blocks.size >= 2 * kFewestQueryRows)
    blocks = Blocks::of(rows, blocks.size / 2, 8);
  return blocks;
}

// The heads of q, k or v in the type of the products: row r of head h begins at at(h, r).
struct Heads {
  const std::byte* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::int64_t head_step = 0;  // elements
  std::int64_t row_step = 0;

  const std::byte* at(std::int64_t head, std::int64_t row) const {
    return data + bytes_of(dtype, head * head_step + row * row_step);
  }
};

// x itself where floats are wanted; else rounded into `room`, the rows of a head one after another: read with
// the distance that they have in x, they would fall on few places of the caches.
Heads heads_of(const Tools& tools, float* room, ConstRows x, std::int64_t dim) {
  if (tools.operands == Dtype::f32)
    return {reinterpret_cast<const std::byte*>(x.data), Dtype::f32, dim, x.stride};
  auto* const rounded = reinterpret_cast<std::uint16_t*>(room);
  const std::int64_t heads = x.cols / dim;
  for_row_blocks(tools.context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t r = first; r < first + rows; ++r)
        round_to_bf16(rounded + (h * x.rows + r) * dim, x.row(r) + h * dim, dim);
  });
  return {reinterpret_cast<const std::byte*>(rounded), Dtype::bf16, x.rows * dim, dim};
}

struct Operands {
  Heads q, k, v;
};

Operands operands_of(const Tools& tools, ConstRows q, ConstRows k, ConstRows v, std::int64_t dim) {
  const auto floats = [&](ConstRows x) { return floats_for(tools.operands, x.rows * x.cols); };
  float* room = tools.operands == Dtype::f32
                    ? nullptr
                    : tools.context.shared_scratch.floats(floats(q) + floats(k) + floats(v));
  return {heads_of(tools, room, q, dim), heads_of(tools, room + floats(q), k, dim),
          heads_of(tools, room + floats(q) + floats(k), v, dim)};
}

// A thread's memory for one block of queries.
struct BlockScratch {
  SoftmaxState state;
  Rows sums;  // of probabilities times values so far
  float* scores;
  void* probabilities;  // may be the scores

  static std::int64_t floats(Dtype operands, std::int64_t queries, std::int64_t keys, std::int64_t dim) {
    return 3 * queries + queries * dim + queries * keys +
           (operands == Dtype::f32 ? 0 : floats_for(operands, queries * keys));
  }
  BlockScratch(Dtype operands, float* memory, std::int64_t queries, std::int64_t keys, std::int64_t dim)
      : state{memory, memory + queries, memory + 2 * queries},
        sums(memory + 3 * queries, queries, dim),
        scores(sums.row(queries)),
        probabilities(operands == Dtype::f32 ? scores : scores + queries * keys) {
    std::fill_n(state.maximum, queries, -std::numeric_limits<float>::infinity());
    std::fill_n(state.sum, queries, 0.0f);
  }
};

// One head's part of a block of queries.
struct Block {
  Rows out;
  std::int64_t first_query = 0;
  std::int64_t past = 0;  // keys before those of the queries; counts when causal
  std::int64_t head = 0, kv_head = 0;
  std::int64_t key_rows = 0;  // of k and v
};

// Scores of keys that lie before a row's window become so low that what the row sees later makes their
// probabilities 0. A power of two: times any scale it is exact, so that it is its own maximum without an
// error. Key `key` is the first of the tile, `last` the position of the first row.
void mask_before_window(Rows tile, std::int64_t key, std::int64_t last, std::int64_t window) {
  constexpr float kNever = -0x1p100f;
  for (std::int64_t i = 0; i < tile.rows; ++i)
    std::fill_n(tile.row(i), std::clamp<std::int64_t>(last + i - window + 1 - key, 0, tile.cols), kNever);
}

void attend(const Tools& tools, const BlockScratch& scratch, const Operands& from, const Block& block,
            std::int64_t tile_rows, const AttentionShape& shape) {
  const std::int64_t queries = block.out.rows;
  const std::int64_t dim = shape.head_dim;
  const std::int64_t position = block.past + block.first_query;  // of the first query, when causal
  const std::int64_t seen = shape.causal ? position + queries : block.key_rows;
  const std::int64_t before = shape.window > 0 ? std::max<std::int64_t>(0, position - shape.window + 1) : 0;
  const std::int64_t first = before / tile_rows * tile_rows;
  const float scale = shape.softcap == 0 ? shape.scale : 1;
  for (std::int64_t key = first; key < seen; key += tile_rows) {
    const std::int64_t keys = std::min(tile_rows, seen - key);
    tools.products.multiply(
        {tools.operands, Form::transposed, false, queries, keys, dim, from.q.row_step, from.k.row_step, keys},
        from.q.at(block.head, block.first_query), from.k.at(block.kv_head, key), scratch.scores);
    const Rows tile(scratch.scores, queries, keys);
    if (shape.softcap != 0) cap_scores(tile, shape.scale, shape.softcap);
    if (shape.window > 0) mask_before_window(tile, key, position, shape.window);
    const std::int64_t seen_here = shape.causal ? position - key + 1 : keys;
    if (tools.operands == Dtype::f32)
      softmax_tile(tile, seen_here, shape.causal ? 1 : 0, scale, scratch.state);
    else
      rounded_softmax_tile(static_cast<std::uint16_t*>(scratch.probabilities), tile, seen_here,
                           shape.causal ? 1 : 0, scale, scratch.state);
    if (key > first) scale_rows(scratch.sums, scratch.state.correction);
    tools.products.multiply(
        {tools.operands, Form::plain, key > first, queries, dim, keys, keys, from.v.row_step, dim},
        scratch.probabilities, from.v.at(block.kv_head, key), scratch.sums.data);
  }
  for (std::int64_t i = 0; i < queries; ++i)
    scratch.state.sum[i] = 1 / scratch.state.sum[i];
  scale_rows(scratch.sums, scratch.state.sum);
  for (std::int64_t i = 0; i < queries; ++i)
    std::copy_n(scratch.sums.row(i), dim, block.out.row(i));
}

}  // namespace

void attention(const Tools& tools, Rows out, ConstRows q, ConstRows k, ConstRows v,
               const AttentionShape& shape) {
  if (q.rows == 0 || k.rows == 0 || shape.head_dim == 0) return;
  tools.products.begin_operation();
  Context& context = tools.context;
  const Operands operands = operands_of(tools, q, k, v, shape.head_dim);
  const Blocks blocks = cut_queries(q.rows, shape);
  const std::int64_t tile_rows = Blocks::of(k.rows, tools.products.sizes().keys, 16).size;
  const std::int64_t heads_per_kv_head = shape.heads / shape.kv_heads;
  const std::int64_t floats = BlockScratch::floats(tools.operands, blocks.size, tile_rows, shape.head_dim);
  context.reserve(floats);
  context.pool.parallel_for(blocks.count() * shape.heads, [&](std::int64_t piece, int thread) {
    // Of a causal head the last block of queries sees most: the greatest pieces go first.
    const std::int64_t block = blocks.count() - 1 - piece % blocks.count();
    const std::int64_t head = piece / blocks.count();
    const std::int64_t first = blocks.first(block);
    const std::int64_t queries = blocks.length(block);
    const BlockScratch scratch(tools.operands, context.thread_scratch[thread].floats(floats), queries,
                               tile_rows, shape.head_dim);
    attend(tools, scratch, operands,
           {out.slice_rows(first, queries).slice_cols(head * shape.head_dim, shape.head_dim), first,
            k.rows - q.rows, head, head / heads_per_kv_head, k.rows},
           tile_rows, shape);
  });
}

}  // namespace engines::cpu
