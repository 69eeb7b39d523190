// SPDX-License-Identifier: Apache-2.0
#include "engines/convert/tensor_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engines/tensor/error.h"
#include "engines/tensor/quantise.h"

namespace engines::conversion {
namespace {

constexpr std::int64_t kRunElements = 1 << 16;    // of whole blocks of every type; a piece for a thread
constexpr std::int64_t kChunkElements = 1 << 22;  // between two calls of the sink
constexpr std::int64_t kFloats = 1024;            // compared at a time, of whole blocks of every type

// Elements that lie side by side in the source and in the target.
struct Run {
  const std::byte* from;
  Dtype type;                 // of the source
  std::int64_t first, count;  // in the target
  RoundingError error;
  std::int64_t unfit;  // the first element that cannot be, or count
};

void add_run(std::vector<Run>& runs, const std::byte* from, Dtype type, std::int64_t first,
             std::int64_t count) {
  for (std::int64_t at = 0; at < count; at += kRunElements) {
    const std::int64_t size = std::min(kRunElements, count - at);
    runs.push_back({from + bytes_of(type, at), type, first + at, size, {}, size});
  }
}

std::vector<Run> runs_of(const PlannedTensor& tensor) {
  std::vector<Run> runs;
  std::int64_t first = 0;
  for (const WeightView* part : tensor.parts) {
    if (tensor.head_rows.empty()) {
      add_run(runs, part->data, part->dtype, first, part->size());
    } else {
      const std::int64_t row = part->shape.back();
      const auto size = static_cast<std::int64_t>(tensor.head_rows.size());
      for (std::int64_t r = 0; r < part->size() / row; ++r) {
        const std::int64_t from = r / size * size + tensor.head_rows[static_cast<std::size_t>(r % size)];
        add_run(runs, part->data + bytes_of(part->dtype, from * row), part->dtype, first + r * row, row);
      }
    }
    first += part->size();
  }
  return runs;
}

// Compares what was written with what it was made of.
void compare(Run& run, const std::byte* written, Dtype to) {
  float before[kFloats], after[kFloats];
  for (std::int64_t at = 0; at < run.count; at += kFloats) {
    const std::int64_t count = std::min(kFloats, run.count - at);
    convert(reinterpret_cast<std::byte*>(before), Dtype::f32, run.from + bytes_of(run.type, at), run.type,
            count);
    convert(reinterpret_cast<std::byte*>(after), Dtype::f32, written + bytes_of(to, at), to, count);
    double squares = 0, squares_of_errors = 0;
    bool finite = true;
    for (std::int64_t i = 0; i < count; ++i) {
      const double x = before[i], difference = after[i] - x;
      squares += x * x;
      squares_of_errors += difference * difference;
      finite = finite && std::isfinite(before[i]) && std::isfinite(after[i]);
    }
    run.error.squares += squares;
    run.error.squares_of_errors += squares_of_errors;
    for (std::int64_t i = 0; !finite && i < count && run.unfit == run.count; ++i) {
      if (!std::isfinite(before[i]) || !std::isfinite(after[i])) run.unfit = at + i;
    }
  }
}

void work(Run& run, std::byte* out, Dtype to) {
  if (run.type == to) {
    std::memcpy(out, run.from, static_cast<std::size_t>(bytes_of(to, run.count)));
  } else {
    run.unfit = convert(out, to, run.from, run.type, run.count);
  }
  compare(run, out, to);
}

std::string shown_place(std::int64_t element, const std::vector<std::int64_t>& shape) {
  std::string text;
  for (auto side = shape.rbegin(); side != shape.rend(); ++side) {
    text = fmt::format("{}{}{}", element % *side, (text.empty() ? "" : ", "), text);
    element /= *side;
  }
  return "[" + text + "]";
}

[[noreturn]] void refuse(const Run& run, const PlannedTensor& tensor, const std::string& where) {
  const float value = load_as_float(run.from, run.type, static_cast<std::size_t>(run.unfit));
  const std::string expected = std::isfinite(value)
                                   ? "a number that " + std::string(name_of(tensor.spec.dtype)) + " can hold"
                                   : "a finite number";
  throw Error(RH_CONVERSION_FAILED,
              fmt::format("{}: element {} is {}, expected {}", where,
                          shown_place(run.first + run.unfit, tensor.spec.shape), value, expected));
}

}  // namespace

RoundingError stream_tensor(const PlannedTensor& tensor, const std::string& where, ThreadPool& pool,
                            const PieceSink& sink) {
  const Dtype to = tensor.spec.dtype;
  std::vector<Run> runs = runs_of(tensor);
  std::vector<std::byte> chunk;
  RoundingError sum;
  for (std::size_t begin = 0, end = 0; begin < runs.size(); begin = end) {
    const std::int64_t first = runs[begin].first;
    std::int64_t elements = 0;
    for (; end < runs.size() && (end == begin || elements + runs[end].count <= kChunkElements); ++end)
      elements += runs[end].count;
    chunk.resize(static_cast<std::size_t>(bytes_of(to, elements)));
    pool.parallel_for(static_cast<std::int64_t>(end - begin), [&](std::int64_t piece, int) {
      Run& run = runs[begin + static_cast<std::size_t>(piece)];
      work(run, chunk.data() + bytes_of(to, run.first - first), to);
    });
    for (std::size_t i = begin; i < end; ++i) {
      if (runs[i].unfit < runs[i].count) refuse(runs[i], tensor, where);
      sum.squares += runs[i].error.squares;
      sum.squares_of_errors += runs[i].error.squares_of_errors;
    }
    sink(chunk.data(), chunk.size());
  }
  return sum;
}

}  // namespace engines::conversion
