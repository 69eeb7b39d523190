// SPDX-License-Identifier: Apache-2.0
// Tensors of 8-bit floats in a set: their scales, and the bf16 that they become. Nothing multiplies with them
// as they are stored.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "engines/weights/json_file.h"
#include "engines/weights/weight_set.h"

namespace engines {
namespace {

// "[64,32]"
std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t side : shape)
    text += fmt::format("{}{}", (text.empty() ? "" : ","), side);
  return "[" + text + "]";
}

constexpr std::int64_t kFloat8Piece = 1 << 20;
constexpr std::size_t kFloat8Alignment = 64;

// What files call the scale of "x.weight", without the "weight" of "x.weight".
constexpr std::string_view kScales[] = {"scale_weight", "weight_scale", "weight_scale_inv"};

// What else lies beside such a weight, without being one.
constexpr std::string_view kBeside[] = {"scale_weight", "weight_scale", "weight_scale_inv",
                                        "scale_input",  "input_scale",  "comfy_quant"};
// Scales of activations and caches: of no weight, and nothing that these engines round.
constexpr std::string_view kOfActivations[] = {"scale_input", "input_scale", "input_scale_ub", "output_scale",
                                               "k_scale",     "v_scale",     "q_scale",        "bias_scale"};
constexpr std::string_view kIntegers[] = {"BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64"};

std::string sibling(std::string_view name, std::string_view other) {
  constexpr std::string_view weight = "weight";
  if (!name.ends_with("." + std::string(weight))) return std::string(name) + "." + std::string(other);
  return std::string(name.substr(0, name.size() - weight.size())).append(other);
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::ranges::find(names, name) != std::end(names);
}

std::size_t room_for(std::size_t bytes) {
  return std::max((bytes + kFloat8Alignment - 1) / kFloat8Alignment * kFloat8Alignment, kFloat8Alignment);
}

}  // namespace

WeightSet::Memory WeightSet::zeros(std::size_t bytes) {
  return Memory(static_cast<std::byte*>(std::calloc(room_for(bytes), 1)));
}

WeightSet::Memory WeightSet::allocated(std::size_t bytes) {
  return Memory(static_cast<std::byte*>(std::aligned_alloc(kFloat8Alignment, room_for(bytes))));
}

// How a block format that is not read is called, by the scales beside a tensor; empty for other tensors.
std::string WeightSet::block_format(std::string_view name, const Stored& tensor) const {
  constexpr std::int64_t kNvfp4 = 16;  // elements that share a scale; two of them lie in a byte
  const bool packed = tensor.type == "U8" || tensor.type == "I8";
  if (!packed && !float8_of(tensor.type)) return "";
  if (packed && tensors_.contains(sibling(name, "weight_scale_2"))) return "nvfp4";
  for (const std::string_view spelling : kScales) {
    const auto found = tensors_.find(sibling(name, spelling));
    if (found == tensors_.end()) continue;
    const Stored& scale = found->second;
    const bool bits = scale.type == "U8" || scale.type == "F8_E8M0";  // exponents, by either name
    if (!packed) return bits ? "mxfp8" : "";
    if (scale.type == "F8_E4M3") return "nvfp4";
    if (!bits || tensor.shape.empty() || scale.shape.empty()) continue;
    const std::int64_t groups = std::max<std::int64_t>(1, scale.shape.back());
    return 2 * tensor.shape.back() / groups == kNvfp4 ? "nvfp4" : "mxfp4";
  }
  return "";
}

// The scales beside a weight under names that say not how they are meant.
std::vector<std::string> WeightSet::unknown_scales(std::string_view name) const {
  const std::string module = sibling(name, "");
  std::vector<std::string> unknown;
  for (auto it = tensors_.lower_bound(module); it != tensors_.end() && it->first.starts_with(module); ++it) {
    const std::string_view leaf = std::string_view(it->first).substr(module.size());
    const bool other_module = leaf.find('.') != std::string_view::npos && !leaf.starts_with("weight.");
    if (other_module || leaf.find("scale") == std::string_view::npos) continue;
    if (!is_one_of(leaf, kScales) && !is_one_of(leaf, kOfActivations)) unknown.push_back(it->first);
  }
  return unknown;
}

bool WeightSet::is_beside(std::string_view name) const {
  for (const std::string_view ending : kBeside) {
    const std::string dotted = "." + std::string(ending);
    if (!name.ends_with(dotted)) continue;
    const std::string whole = std::string(name.substr(0, name.size() - dotted.size()));
    for (const std::string& weight : {whole + ".weight", whole}) {
      const auto found = tensors_.find(weight);
      if (found != tensors_.end() && float8_of(found->second.type)) return true;
    }
  }
  const auto found = tensors_.find(name);
  if (found == tensors_.end() || found->second.view) return false;
  const Stored& tensor = found->second;
  const bool matrix = tensor.shape.size() > 1 && (tensor.type == "I8" || tensor.type == "U8");
  const bool number = float8_of(tensor.type)
                          ? tensor.shape.size() < 2 && name == "scaled_fp8"
                          : std::ranges::find(kIntegers, tensor.type) != std::end(kIntegers);
  return number && !matrix;
}

void WeightSet::decode(const WeightView& view) {
  for (auto& [name, held] : decoded_) {
    if (&held.view != &view) continue;
    const Stored& tensor = stored(name);
    fill(held, tensor, scales_of(name, tensor));
  }
}

void WeightSet::drop(const WeightView& view) {
  for (auto& [name, held] : decoded_) {
    if (&held.view != &view) continue;
    held.memory = zeros(static_cast<std::size_t>(held.view.bytes()));
    held.view.data = held.memory.get();
  }
}

Float8Scales WeightSet::scales_of(std::string_view name, const Stored& tensor) const {
  if (const auto unknown = unknown_scales(name); !unknown.empty())
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("{}has the scale {} beside it, which is not known, expected one of {}",
                            where(name, tensor), in_quotes(unknown.front()), fmt::join(kScales, ", ")));
  const Tensors::value_type* chosen = nullptr;
  std::optional<Float8Scales> result;
  for (const std::string_view spelling : kScales) {
    const auto found = tensors_.find(sibling(name, spelling));
    if (found == tensors_.end()) continue;
    const Stored& scale = found->second;
    if (!scale.view) refuse_type(found->first, scale);
    auto scales = float8_scales(to_floats(*scale.view), scale.shape, tensor.shape);
    if (scales && result && scales->values != result->values)
      throw Error(RH_CAPABILITY_UNSUPPORTED, fmt::format("{}its scales {} and {} differ", where(name, tensor),
                                                         in_quotes(chosen->first), in_quotes(found->first)));
    if (scales && !result) {
      result = std::move(scales);
      chosen = &*found;
    }
    if (result) continue;
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                where(found->first, scale) + "shape is " + shape_text(scale.shape) +
                    ", expected one scale, one a row, or one for 128 by 128 of " + shape_text(tensor.shape));
  }
  return result.value_or(Float8Scales{});
}

void WeightSet::fill(const Held& held, const Stored& tensor, const Float8Scales& scales) const {
  const std::int64_t rows = tensor.shape.empty() ? 1 : tensor.shape.front();
  const std::int64_t cols = rows == 0 ? 0 : held.view.size() / rows;
  const std::int64_t step = std::max<std::int64_t>(1, kFloat8Piece / std::max<std::int64_t>(cols, 1));
  const auto piece = [&](std::int64_t i, int) {
    float8_rows_to_bf16(held.memory.get(), tensor.data, *float8_of(tensor.type), cols, scales, i * step,
                        std::min(step, rows - i * step));
  };
  const std::int64_t pieces = (rows + step - 1) / step;
  if (options_.pool) {
    options_.pool->parallel_for(pieces, piece);
  } else {
    for (std::int64_t i = 0; i < pieces; ++i)
      piece(i, 0);
  }
  files_[tensor.file]->forget(tensor.data, static_cast<std::size_t>(held.view.size()));
}

// The tensor as bf16, 64 bytes aligned; all zeros, which take no memory, where it is only planned.
WeightSet::Held WeightSet::made_of_float8(std::string_view name, const Stored& tensor) const {
  if (!block_format(name, tensor).empty()) refuse_type(name, tensor);
  const Float8Scales scales = scales_of(name, tensor);
  Held held{nullptr, {nullptr, Dtype::bf16, tensor.shape}};
  const auto bytes = static_cast<std::size_t>(held.view.bytes());
  held.memory = options_.plan_only ? zeros(bytes) : allocated(bytes);
  if (!held.memory)
    throw Error(RH_OUT_OF_MEMORY,
                fmt::format("{}{} bytes could not be allocated", where(name, tensor), bytes));
  held.view.data = held.memory.get();
  if (!options_.plan_only) fill(held, tensor, scales);
  return held;
}

const WeightView& WeightSet::float8(std::string_view name, const Stored& tensor) const {
  auto place = decoded_.find(std::string(name));
  if (place == decoded_.end()) place = decoded_.emplace(name, made_of_float8(name, tensor)).first;
  return place->second.view;
}

// As `matrix` of weight_set.h. Where it is rounded, the bf16 lives no longer than that takes.
const WeightView& WeightSet::float8_matrix(std::string_view name, const Stored& tensor) {
  const WeightView as_bf16{nullptr, Dtype::bf16, tensor.shape};
  const Dtype rounded = options_.matrices ? rounded_type(as_bf16, *options_.matrices) : Dtype::bf16;
  if (rounded == Dtype::bf16) return float8(name, tensor);
  if (options_.plan_only) {
    held_.try_emplace(std::string(name), Held{nullptr, {nullptr, rounded, tensor.shape}});
    return float8(name, tensor);
  }
  auto place = held_.find(std::string(name));
  if (place == held_.end()) {
    const Held whole = made_of_float8(name, tensor);
    place = held_.emplace(name, quantised(name, whole.view, rounded)).first;
  }
  return place->second.view;
}

}  // namespace engines
