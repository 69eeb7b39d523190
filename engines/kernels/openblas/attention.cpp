// SPDX-License-Identifier: Apache-2.0
// Softmax attention over tiles of keys with a running maximum (Dao et al. 2022, "FlashAttention"): the scores
// of all queries with all keys never exist.
#include <algorithm>
#include <limits>

#include "engines/kernels/cpu/simd/softmax.h"
#include "engines/kernels/openblas/operations.h"
#include "engines/kernels/openblas/sgemm.h"

namespace engines::openblas {
namespace {

// 256 x 320 scores are 320 KiB and stay in the second-level cache beside the keys and values of a tile.
// Causal blocks are smaller: what a tile computes beyond the diagonal is lost.
constexpr std::int64_t kQueryRows = 256;
constexpr std::int64_t kCausalQueryRows = 128;
constexpr std::int64_t kKeyRows = 320;
// Blocks of queries are made smaller, but not below 32, to give several threads something to do.
constexpr std::int64_t kPieces = 12;
constexpr std::int64_t kFewestQueryRows = 32;

Blocks cut_queries(std::int64_t rows, const AttentionShape& shape) {
  Blocks blocks = Blocks::of(rows, shape.causal ? kCausalQueryRows : kQueryRows, 8);
  while (blocks.count() * shape.heads < kPieces && blocks.size >= 2 * kFewestQueryRows)
    blocks = Blocks::of(rows, blocks.size / 2, 8);
  return blocks;
}

// One head's part of a block of queries.
struct Head {
  Rows out;
  ConstRows q;
  ConstRows k;
  ConstRows v;
};

std::int64_t scratch_floats(std::int64_t queries, std::int64_t keys) {
  return queries * keys + 3 * queries;
}

// `first` is the row number of the block's first query, which counts when causal.
void attend(float* scratch, const Head& head, std::int64_t first, std::int64_t key_rows,
            const AttentionShape& shape) {
  const std::int64_t queries = head.q.rows;
  const std::int64_t seen = shape.causal ? std::min(head.k.rows, first + queries) : head.k.rows;
  cpu::SoftmaxState state{scratch, scratch + queries, scratch + 2 * queries};
  float* scores = scratch + 3 * queries;
  std::fill_n(state.maximum, queries, -std::numeric_limits<float>::infinity());
  std::fill_n(state.sum, queries, 0.0f);

  for (std::int64_t key = 0; key < seen; key += key_rows) {
    const std::int64_t keys = std::min(key_rows, seen - key);
    sgemm(Form::transposed, queries, keys, shape.head_dim, head.q.data, head.q.stride, head.k.row(key),
          head.k.stride, 0, scores, keys);
    const Rows tile(scores, queries, keys);
    cpu::softmax_tile(tile, shape.causal ? first - key + 1 : keys, shape.causal ? 1 : 0, shape.scale, state);
    if (key > 0) cpu::scale_rows(head.out, state.correction);
    sgemm(Form::plain, queries, shape.head_dim, keys, scores, keys, head.v.row(key), head.v.stride,
          key > 0 ? 1.0f : 0.0f, head.out.data, head.out.stride);
  }
  for (std::int64_t i = 0; i < queries; ++i)
    state.sum[i] = 1 / state.sum[i];
  cpu::scale_rows(head.out, state.sum);
}

}  // namespace

void attention(Context& context, Rows out, ConstRows q, ConstRows k, ConstRows v,
               const AttentionShape& shape) {
  if (q.rows == 0 || k.rows == 0 || shape.head_dim == 0) return;
  const Blocks blocks = cut_queries(q.rows, shape);
  const std::int64_t key_rows = Blocks::of(k.rows, kKeyRows, 16).size;
  const std::int64_t heads_per_kv_head = shape.heads / shape.kv_heads;
  const std::int64_t floats = scratch_floats(blocks.size, key_rows);
  context.reserve(floats);
  context.pool.parallel_for(blocks.count() * shape.heads, [&](std::int64_t piece, int thread) {
    // Of a causal head the last block of queries sees most: the greatest pieces go first.
    const std::int64_t block = blocks.count() - 1 - piece % blocks.count();
    const std::int64_t head = piece / blocks.count();
    const std::int64_t first = blocks.first(block);
    const std::int64_t queries = blocks.length(block);
    const std::int64_t column = head * shape.head_dim;
    const std::int64_t kv_column = head / heads_per_kv_head * shape.head_dim;
    float* scratch = context.thread_scratch[thread].floats(floats);
    attend(scratch,
           {out.slice_rows(first, queries).slice_cols(column, shape.head_dim),
            q.slice_rows(first, queries).slice_cols(column, shape.head_dim),
            k.slice_cols(kv_column, shape.head_dim), v.slice_cols(kv_column, shape.head_dim)},
           first, key_rows, shape);
  });
}

}  // namespace engines::openblas
