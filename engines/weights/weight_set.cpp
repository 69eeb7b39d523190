// SPDX-License-Identifier: Apache-2.0
// The weights of one component folder, from one file or from shards.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engines/weights/config.h"
#include "engines/weights/json_file.h"
#include "engines/weights/safetensors.h"

namespace engines {
namespace {

constexpr std::size_t largest_index = std::size_t{64} << 20;

std::string shown_shape(const std::vector<std::int64_t>& shape) {
  return nlohmann::json(shape).dump();
}

void check_shard_name(const std::string& name, const std::string& shown) {
  const std::string where = shown + ": weight_map: shard " + in_quotes(name);
  if (name.find('/') != std::string::npos || name.find("..") != std::string::npos ||
      name.find('\0') != std::string::npos)
    throw Error(RH_UNSAFE_NAME, where + " is not a plain file name");
  constexpr std::string_view suffix = ".safetensors";
  if (name.size() <= suffix.size() || !std::string_view(name).ends_with(suffix))
    throw Error(RH_MODEL_INVALID, where + " is not named <name>.safetensors");
}

// Tensor name -> shard name, from the index.
std::map<std::string, std::string> read_weight_map(const std::filesystem::path& index,
                                                   const std::string& shown) {
  const nlohmann::json json = parse_json(read_file(index, shown, largest_index), shown);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    throw Error(RH_MODEL_INVALID, shown + ": weight_map: is missing, expected an object");
  std::map<std::string, std::string> placed;
  for (const auto& [tensor, shard] : json["weight_map"].items()) {
    if (!shard.is_string())
      throw Error(RH_MODEL_INVALID, shown + ": weight_map: " + in_quotes(tensor) + " is " + brief(shard) +
                                        ", expected a file name");
    placed.emplace_hint(placed.end(), tensor, shard.get<std::string>());
  }
  return placed;
}

void require_shards(const std::filesystem::path& folder, const std::set<std::string>& shards,
                    const std::string& shown_folder) {
  std::string missing;
  for (const auto& shard : shards) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / shard, ignored)) continue;
    missing += (missing.empty() ? "missing " : ", ") + shown_folder + "/" + shard;
  }
  if (!missing.empty()) throw Error(RH_WEIGHTS_MISSING, missing);
}

}  // namespace

WeightSet::WeightSet(const std::filesystem::path& folder, const std::string& stem,
                     const WeightOptions& options)
    : options_(options),
      shown_(folder.filename().empty() ? folder.parent_path().filename().string()
                                       : folder.filename().string()) {
  const std::string single = stem + ".safetensors";
  const std::string index = single + ".index.json";
  std::error_code ignored;
  if (std::filesystem::exists(folder / single, ignored)) {
    files_.emplace_back(folder / single);
  } else if (std::filesystem::exists(folder / index, ignored)) {
    open_shards(folder, index);
  } else {
    throw Error(RH_WEIGHTS_MISSING, "missing " + shown_ + "/" + single);
  }
  for (const auto& file : files_)
    add(file);
}

void WeightSet::open_shards(const std::filesystem::path& folder, const std::string& index_name) {
  const std::string shown = shown_ + "/" + index_name;
  const auto placed = read_weight_map(folder / index_name, shown);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : placed)
    shards.insert(shard);
  for (const auto& shard : shards)
    check_shard_name(shard, shown);
  require_shards(folder, shards, shown_);

  std::map<std::string, const SafetensorsFile*> opened;
  files_.reserve(shards.size());
  for (const auto& shard : shards)
    opened[shard] = &files_.emplace_back(folder / shard);
  for (const auto& [tensor, shard] : placed) {
    if (opened.at(shard)->raw(tensor) == nullptr)
      throw Error(RH_MODEL_INVALID, shown + ": tensor " + in_quotes(tensor) + " is not in " +
                                        in_quotes(shard) + ", where the index places it");
  }
}

void WeightSet::add(const SafetensorsFile& file) {
  for (const auto& name : file.names()) {
    const auto [place, fresh] = tensors_.emplace(name, file.find(name));
    if (!fresh)
      throw Error(RH_MODEL_INVALID,
                  file.shown() + ": tensor " + in_quotes(name) + " is in " + file_of(name).shown() + ", too");
  }
}

const SafetensorsFile& WeightSet::file_of(std::string_view name) const {
  for (const auto& file : files_) {
    if (file.raw(name) != nullptr) return file;
  }
  throw Error(RH_MODEL_INVALID, shown_ + ": tensor " + in_quotes(name) + " is missing");
}

const WeightView& WeightSet::get(std::string_view name, const std::vector<std::int64_t>& shape) const {
  const auto& file = file_of(name);
  const std::string where = file.shown() + ": tensor " + in_quotes(name) + ": ";
  const WeightView* const view = tensors_.at(std::string(name));
  if (view == nullptr)
    throw Error(RH_MODEL_INVALID,
                where + "dtype is " + file.raw(name)->dtype + ", expected F32, BF16 or F16");
  if (view->shape != shape)
    throw Error(RH_MODEL_INVALID,
                where + "shape is " + shown_shape(view->shape) + ", expected " + shown_shape(shape));
  return *view;
}

std::vector<float> WeightSet::floats(std::string_view name, const std::vector<std::int64_t>& shape) const {
  return to_floats(get(name, shape));
}

bool WeightSet::contains(std::string_view name) const {
  return tensors_.contains(std::string(name));
}

Dtype WeightSet::main_dtype() const {
  std::array<std::int64_t, kDtypes> bytes{};
  for (const auto& [name, stored] : tensors_) {
    if (stored == nullptr) continue;
    const auto held = held_.find(name);
    const WeightView& view = held == held_.end() ? *stored : held->second.view;
    bytes[static_cast<std::size_t>(view.dtype)] += view.bytes();
  }
  return static_cast<Dtype>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
}

void WeightSet::forget() const {
  for (const auto& file : files_)
    file.file().forget(file.file().data(), file.file().size());
}

void WeightSet::forget(const WeightView& view) const {
  for (const auto& file : files_) {
    if (file.file().holds(view.data)) file.file().forget(view.data, static_cast<std::size_t>(view.bytes()));
  }
}

void WeightSet::prefetch(const WeightView& view) const {
  for (const auto& file : files_) {
    if (file.file().holds(view.data)) file.file().prefetch(view.data, static_cast<std::size_t>(view.bytes()));
  }
}

std::uint64_t WeightSet::total_bytes() const {
  return bytes_under("");
}

std::uint64_t WeightSet::bytes_under(std::string_view prefix) const {
  std::uint64_t total = 0;
  for (const auto& file : files_) {
    for (const auto& name : file.names()) {
      if (!name.starts_with(prefix)) continue;
      const auto held = held_.find(name);
      total += held == held_.end() ? file.raw(name)->bytes : held->second.view.bytes();
    }
  }
  return total;
}

}  // namespace engines
