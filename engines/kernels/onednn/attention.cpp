// SPDX-License-Identifier: Apache-2.0
// Softmax attention over tiles of keys with a running maximum (Dao et al. 2022, "FlashAttention"): the scores
// of all queries with all keys never exist.
#include <algorithm>
#include <limits>

#include "engines/kernels/cpu/simd/rounded_softmax.h"
#include "engines/kernels/onednn/operands.h"

namespace engines::onednn {
namespace {

// 256 x 320 scores and their probabilities stay in the second-level cache beside the keys and values of a
// tile. Causal blocks are smaller: what a tile computes beyond the diagonal is lost.
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

struct Operands {
  Operand q, k, v;
};

Operands operands_of(const Tools& tools, ConstRows q, ConstRows k, ConstRows v) {
  const auto floats = [&](ConstRows x) { return floats_for(tools.operands, x.rows * x.cols); };
  float* room = tools.context.shared_scratch.floats(floats(q) + floats(k) + floats(v));
  return {operand_of(tools, room, q), operand_of(tools, room + floats(q), k),
          operand_of(tools, room + floats(q) + floats(k), v)};
}

// A thread's memory for one block of queries.
struct Scratch {
  cpu::SoftmaxState state;
  float* scores;
  void* probabilities;  // may be the scores

  static std::int64_t floats(Dtype operands, std::int64_t queries, std::int64_t keys) {
    return 3 * queries + queries * keys + (operands == Dtype::f32 ? 0 : floats_for(operands, queries * keys));
  }
  Scratch(Dtype operands, float* memory, std::int64_t queries, std::int64_t keys)
      : state{memory, memory + queries, memory + 2 * queries},
        scores(memory + 3 * queries),
        probabilities(operands == Dtype::f32 ? scores : scores + queries * keys) {
    std::fill_n(state.maximum, queries, -std::numeric_limits<float>::infinity());
    std::fill_n(state.sum, queries, 0.0f);
  }
};

// One head's part of a block of queries.
struct Head {
  Rows out;
  std::int64_t first_query = 0;
  std::int64_t column = 0;     // of the head in q
  std::int64_t kv_column = 0;  // in k and v
  std::int64_t key_rows = 0;   // of k and v
};

void attend(const Tools& tools, const Scratch& scratch, const Operands& from, const Head& head,
            std::int64_t tile_rows, const AttentionShape& shape) {
  const std::int64_t queries = head.out.rows;
  const std::int64_t seen =
      shape.causal ? std::min(head.key_rows, head.first_query + queries) : head.key_rows;
  for (std::int64_t key = 0; key < seen; key += tile_rows) {
    const std::int64_t keys = std::min(tile_rows, seen - key);
    const auto& score = tools.products.of({tools.operands, Form::transposed, false, queries, keys,
                                           shape.head_dim, from.q.stride, from.k.stride, keys});
    score.run(from.q.at(head.first_query, head.column), from.k.at(key, head.kv_column), scratch.scores);
    const Rows tile(scratch.scores, queries, keys);
    const std::int64_t seen_here = shape.causal ? head.first_query - key + 1 : keys;
    if (tools.operands == Dtype::f32)
      cpu::softmax_tile(tile, seen_here, shape.causal ? 1 : 0, shape.scale, scratch.state);
    else
      cpu::rounded_softmax_tile(static_cast<std::uint16_t*>(scratch.probabilities), tile, seen_here,
                                shape.causal ? 1 : 0, shape.scale, scratch.state);
    if (key > 0) cpu::scale_rows(head.out, scratch.state.correction);
    const auto& weigh = tools.products.of({tools.operands, Form::plain, key > 0, queries, shape.head_dim,
                                           keys, keys, from.v.stride, head.out.stride});
    weigh.run(scratch.probabilities, from.v.at(key, head.kv_column), head.out.data);
  }
  for (std::int64_t i = 0; i < queries; ++i)
    scratch.state.sum[i] = 1 / scratch.state.sum[i];
  cpu::scale_rows(head.out, scratch.state.sum);
}

}  // namespace

void attention(const Tools& tools, Rows out, ConstRows q, ConstRows k, ConstRows v,
               const AttentionShape& shape) {
  if (q.rows == 0 || k.rows == 0 || shape.head_dim == 0) return;
  tools.products.forget_if_many();
  Context& context = tools.context;
  const Operands operands = operands_of(tools, q, k, v);
  const Blocks blocks = cut_queries(q.rows, shape);
  const std::int64_t tile_rows = Blocks::of(k.rows, kKeyRows, 16).size;
  const std::int64_t heads_per_kv_head = shape.heads / shape.kv_heads;
  const std::int64_t floats = Scratch::floats(tools.operands, blocks.size, tile_rows);
  context.reserve(floats);
  context.pool.parallel_for(blocks.count() * shape.heads, [&](std::int64_t piece, int thread) {
    // Of a causal head the last block of queries sees most: the greatest pieces go first.
    const std::int64_t block = blocks.count() - 1 - piece % blocks.count();
    const std::int64_t head = piece / blocks.count();
    const std::int64_t first = blocks.first(block);
    const std::int64_t queries = blocks.length(block);
    const std::int64_t column = head * shape.head_dim;
    const Scratch scratch(tools.operands, context.thread_scratch[thread].floats(floats), queries, tile_rows);
    attend(tools, scratch, operands,
           {out.slice_rows(first, queries).slice_cols(column, shape.head_dim), first, column,
            head / heads_per_kv_head * shape.head_dim, k.rows},
           tile_rows, shape);
  });
}

}  // namespace engines::onednn
