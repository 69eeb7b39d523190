// SPDX-License-Identifier: Apache-2.0
// Matrices of a set rounded to blocks on their way into memory.
#include <fmt/format.h>

#include <cmath>

#include "engines/tensor/quantise.h"
#include "engines/weights/choose_type.h"
#include "engines/weights/json_file.h"
#include "engines/weights/weight_set.h"

namespace engines {
namespace {

constexpr std::int64_t kPieceElements = 1 << 20;  // of whole blocks; a thread's window of the file
constexpr std::size_t kAlignment = 64;

std::string shown_place(std::int64_t element, const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}, {}]", element / shape[1], element % shape[1]);
}

}  // namespace

Dtype rounded_type(const WeightView& weight, Dtype requested) {
  if (is_quantised(weight.dtype) || weight.shape.size() != 2) return weight.dtype;
  return choose_type(requested, weight.dtype, weight.shape[1], weight.size(), WeightRole::matrix);
}

const WeightView& WeightSet::matrix(std::string_view name, const std::vector<std::int64_t>& shape) {
  if (const Stored& found = this->stored(name); !found.view && float8_of(found.type)) {
    if (found.shape != shape) refuse_shape(name, found, shape);
    return float8_matrix(name, found);
  }
  const WeightView& stored = get(name, shape);
  const Dtype rounded = options_.matrices ? rounded_type(stored, *options_.matrices) : stored.dtype;
  if (rounded == stored.dtype) return stored;
  auto place = held_.find(std::string(name));
  if (place == held_.end()) place = held_.emplace(name, quantised(name, stored, rounded)).first;
  return options_.plan_only ? stored : place->second.view;
}

WeightSet::Held WeightSet::quantised(std::string_view name, const WeightView& stored, Dtype dtype) const {
  Held held{nullptr, {nullptr, dtype, stored.shape}};
  if (options_.plan_only) return held;
  const auto bytes = static_cast<std::size_t>(held.view.bytes());
  held.memory.reset(static_cast<std::byte*>(
      std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment)));
  if (!held.memory)
    throw Error(RH_OUT_OF_MEMORY,
                fmt::format("{}{} bytes could not be allocated", where(name, this->stored(name)), bytes));

  const WeightFile& file = *files_[this->stored(name).file];
  const bool mapped = file.file().holds(stored.data);  // else it was made of 8-bit floats
  const auto round_piece = [&](std::int64_t piece, int) {
    const std::int64_t first = piece * kPieceElements;
    const std::int64_t count = std::min(kPieceElements, stored.size() - first);
    const std::byte* const from = stored.data + bytes_of(stored.dtype, first);
    const std::int64_t unfit =
        quantise(held.memory.get() + bytes_of(dtype, first), dtype, from, stored.dtype, count);
    if (unfit < count) {
      const float value = load_as_float(from, stored.dtype, static_cast<std::size_t>(unfit));
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}element {} is {}, expected a number that {} can hold",
                              where(name, this->stored(name)), shown_place(first + unfit, stored.shape),
                              value, name_of(dtype)));
    }
    if (mapped) file.forget(from, static_cast<std::size_t>(bytes_of(stored.dtype, count)));
  };
  const std::int64_t pieces = (stored.size() + kPieceElements - 1) / kPieceElements;
  if (options_.pool) {
    options_.pool->parallel_for(pieces, round_piece);
  } else {
    for (std::int64_t piece = 0; piece < pieces; ++piece)
      round_piece(piece, 0);
  }
  if (mapped)
    file.forget(stored.data, static_cast<std::size_t>(stored.bytes()));  // pages that two pieces share
  held.view.data = held.memory.get();
  return held;
}

}  // namespace engines
