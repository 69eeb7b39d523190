// SPDX-License-Identifier: Apache-2.0
// Attention over keys and values in pages: row by row where they lie, or, for pieces of prompts, brought
// together and multiplied as matrices.
#include <algorithm>
#include <limits>

#include "engines/kernels/cpu/product_operations.h"
#include "engines/kernels/cpu/simd/paged_rows.h"
#include "engines/kernels/cpu/simd/softmax.h"
#include "engines/kernels/cpu/simd/unpack.h"

namespace engines::cpu {
namespace {

// The query heads of one row that read one head of keys, over the tokens first..end-1: a page at a time, so
// that the order of sums follows from the positions alone.
struct RowOfHeads {
  Rows out;                 // [heads, head_dim], zeros before
  ConstRows q;              // the same
  std::int64_t column = 0;  // of the head in keys and values
  std::int64_t first = 0, end = 0;
};

std::int64_t row_scratch(std::int64_t heads, std::int64_t page_tokens) {
  return heads * (page_tokens + 3);
}

void attend_pages(const RowOfHeads& row, const PagedKeys& seen, const AttentionShape& shape, float* memory) {
  const std::int64_t heads = row.q.rows;
  const SoftmaxState state{memory, memory + heads, memory + 2 * heads};
  std::fill_n(state.maximum, heads, -std::numeric_limits<float>::infinity());
  std::fill_n(state.sum, heads, 0.0f);
  for (std::int64_t token = row.first; token < row.end;) {
    const std::int64_t in_page = token % seen.page_tokens;
    const std::int64_t count = std::min(seen.page_tokens - in_page, row.end - token);
    const std::byte* const page =
        seen.pages[token / seen.page_tokens] + bytes_of(seen.dtype, in_page * seen.width + row.column);
    const Rows scores(memory + 3 * heads, heads, count);
    score_rows(scores, row.q, {page + seen.keys, seen.dtype, seen.width});
    if (shape.softcap != 0) cap_scores(scores, shape.scale, shape.softcap);
    softmax_tile(scores, count, 0, shape.softcap == 0 ? shape.scale : 1, state);
    scale_rows(row.out, state.correction);
    add_rows(row.out, scores, {page + seen.values, seen.dtype, seen.width});
    token += count;
  }
  for (std::int64_t h = 0; h < heads; ++h)
    state.sum[h] = 1 / state.sum[h];
  scale_rows(row.out, state.sum);
}

// The rows that begin at `place` in every page, those of the tokens from `first` on, as floats.
void gather(Context& context, float* to, const PagedKeys& from, std::int64_t place, std::int64_t first) {
  const std::int64_t first_page = first / from.page_tokens;
  const std::int64_t end_page = (from.tokens + from.page_tokens - 1) / from.page_tokens;
  context.pool.parallel_for(end_page - first_page, [&](std::int64_t piece, int) {
    const std::int64_t page = first_page + piece;
    const std::int64_t begin = std::max(first, page * from.page_tokens);
    const std::int64_t end = std::min(from.tokens, (page + 1) * from.page_tokens);
    unpack(to + (begin - first) * from.width, {from.pages[page] + place, from.dtype, {}},
           begin % from.page_tokens * from.width, (end - begin) * from.width);
  });
}

}  // namespace

void paged_attention_by_rows(Context& context, Rows out, ConstRows q, const PagedKeys& seen,
                             const AttentionShape& shape) {
  if (q.rows == 0 || shape.head_dim == 0) return;
  const std::int64_t group = shape.heads / shape.kv_heads;
  const std::int64_t floats = row_scratch(group, seen.page_tokens);
  context.reserve(floats);
  context.pool.parallel_for(q.rows * shape.kv_heads, [&](std::int64_t piece, int thread) {
    const std::int64_t i = piece / shape.kv_heads;
    const std::int64_t head = piece % shape.kv_heads;
    const std::int64_t column = head * group * shape.head_dim;
    const std::int64_t end = seen.tokens - q.rows + i + 1;
    const std::int64_t first = shape.window > 0 ? std::max<std::int64_t>(0, end - shape.window) : 0;
    const RowOfHeads row{{out.row(i) + column, group, shape.head_dim},
                         {q.row(i) + column, group, shape.head_dim},
                         head * shape.head_dim,
                         first,
                         end};
    std::fill_n(row.out.data, group * shape.head_dim, 0.0f);
    attend_pages(row, seen, shape, context.thread_scratch[thread].floats(floats));
  });
}

void paged_attention(const Tools& tools, Rows out, ConstRows q, const PagedKeys& seen,
                     const AttentionShape& shape) {
  const std::int64_t before = seen.tokens - q.rows;
  const std::int64_t first = shape.window > 0 ? std::max<std::int64_t>(0, before - shape.window + 1) : 0;
  const std::int64_t tokens = seen.tokens - first;
  float* const room = tools.context.arranged_scratch.floats(2 * tokens * seen.width);
  const Rows keys(room, tokens, seen.width);
  const Rows values(room + tokens * seen.width, tokens, seen.width);
  gather(tools.context, keys.data, seen, seen.keys, first);
  gather(tools.context, values.data, seen, seen.values, first);
  attention(tools, out, q, keys, values, shape);
}

}  // namespace engines::cpu
