// SPDX-License-Identifier: Apache-2.0
// The weights of one component folder, from one file or from shards.
#include "engines/weights/weight_set.h"

#include <algorithm>
#include <array>
#include <set>

#include "engines/weights/gguf.h"
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

// The same without dimensions of 1.
std::vector<std::int64_t> without_ones(std::vector<std::int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

}  // namespace

WeightSet::WeightSet(const std::filesystem::path& folder, const std::string& stem,
                     const WeightOptions& options, const NameTable& names)
    : options_(options),
      shown_(folder.filename().empty() ? folder.parent_path().filename().string()
                                       : folder.filename().string()) {
  const std::string single = stem + ".safetensors";
  const std::string index = single + ".index.json";
  const std::string gguf = stem + ".gguf";
  const auto present = [&](const std::string& file) {
    std::error_code ignored;
    return std::filesystem::exists(folder / file, ignored);
  };
  if (present(gguf)) {
    for (const auto& other : {single, index})
      if (present(other))
        throw Error(RH_MODEL_INVALID,
                    shown_ + ": has both " + gguf + " and " + other + ", expected one of them");
    files_.push_back(std::make_unique<GgufFile>(folder / gguf));
    gguf_ = true;
  } else if (present(single)) {
    files_.push_back(std::make_unique<SafetensorsFile>(folder / single));
  } else if (present(index)) {
    open_shards(folder, index);
  } else {
    throw Error(RH_WEIGHTS_MISSING, "missing " + shown_ + "/" + single + " (or " + gguf + ")");
  }
  for (std::size_t file = 0; file < files_.size(); ++file)
    add(file, names);
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

  std::map<std::string, const WeightFile*> opened;
  for (const auto& shard : shards)
    opened[shard] = files_.emplace_back(std::make_unique<SafetensorsFile>(folder / shard)).get();
  for (const auto& [tensor, shard] : placed) {
    if (opened.at(shard)->raw(tensor) == nullptr)
      throw Error(RH_MODEL_INVALID, shown + ": tensor " + in_quotes(tensor) + " is not in " +
                                        in_quotes(shard) + ", where the index places it");
  }
}

void WeightSet::add(std::size_t file, const NameTable& names) {
  for (const auto& stored_name : files_[file]->names())
    add(file, stored_name, names.meaning(stored_name));
}

void WeightSet::add(std::size_t file, const std::string& stored_name, const NameTable::Meaning& meaning) {
  const WeightFile& from = *files_[file];
  const WeightFile::Raw& raw = *from.raw(stored_name);
  const WeightView* const whole = from.find(stored_name);
  const std::size_t parts = meaning.names.size();
  for (std::size_t part = 0; part < parts; ++part) {
    Stored stored{file, stored_name, raw.dtype, raw.bytes / parts, std::nullopt};
    if (whole != nullptr) {
      WeightView view = *whole;
      if (parts > 1) {
        const auto count = static_cast<std::int64_t>(parts);
        if (view.shape.size() < 2 || view.shape[0] % count != 0)
          throw Error(RH_MODEL_INVALID, from.shown() + ": tensor " + in_quotes(stored_name) + ": shape is " +
                                            shown_shape(view.shape) + ", expected rows in " +
                                            std::to_string(parts) + " equal parts");
        view.shape[0] /= count;
        view.data += static_cast<std::int64_t>(part) * view.bytes();
      }
      while (meaning.squeeze && view.shape.size() > 2 && view.shape.back() == 1)
        view.shape.pop_back();
      stored.view = std::move(view);
    }
    const auto [place, fresh] = tensors_.emplace(meaning.names[part], std::move(stored));
    if (fresh) continue;
    const Stored& other = place->second;
    throw Error(RH_MODEL_INVALID,
                from.shown() + ": tensor " + in_quotes(stored_name) + " is in " +
                    files_[other.file]->shown() + ", too" +
                    (other.stored_name == stored_name ? "" : " (as " + in_quotes(other.stored_name) + ")"));
  }
}

const WeightSet::Stored& WeightSet::stored(std::string_view name) const {
  const auto place = tensors_.find(name);
  if (place == tensors_.end())
    throw Error(RH_MODEL_INVALID, shown_ + ": tensor " + in_quotes(name) + " is missing");
  return place->second;
}

std::string WeightSet::where(std::string_view name, const Stored& stored) const {
  const std::string also = stored.stored_name == name ? "" : " (" + in_quotes(stored.stored_name) + ")";
  return files_[stored.file]->shown() + ": tensor " + in_quotes(name) + also + ": ";
}

const WeightView& WeightSet::readable(std::string_view name) const {
  const Stored& found = stored(name);
  if (found.view) return *found.view;
  throw Error(RH_MODEL_INVALID,
              where(name, found) + "dtype is " + found.type + ", expected F32, BF16 or F16");
}

const WeightView& WeightSet::get(std::string_view name, const std::vector<std::int64_t>& shape) const {
  const WeightView& view = readable(name);
  if (view.shape != shape)
    throw Error(RH_MODEL_INVALID, where(name, stored(name)) + "shape is " + shown_shape(view.shape) +
                                      ", expected " + shown_shape(shape));
  return view;
}

std::vector<float> WeightSet::floats(std::string_view name, const std::vector<std::int64_t>& shape) const {
  const WeightView& view = readable(name);
  if (gguf_ && without_ones(view.shape) == without_ones(shape)) return to_floats(view);
  return to_floats(get(name, shape));
}

bool WeightSet::contains(std::string_view name) const {
  return tensors_.contains(name);
}

std::vector<std::string> WeightSet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, stored] : tensors_)
    names.push_back(name);
  return names;
}

const WeightView* WeightSet::find(std::string_view name) const {
  const auto place = tensors_.find(name);
  return place == tensors_.end() || !place->second.view ? nullptr : &*place->second.view;
}

Dtype WeightSet::main_dtype() const {
  std::array<std::int64_t, kDtypes> bytes{};
  for (const auto& [name, stored] : tensors_) {
    if (!stored.view) continue;
    const auto held = held_.find(name);
    const WeightView& view = held == held_.end() ? *stored.view : held->second.view;
    bytes[static_cast<std::size_t>(view.dtype)] += view.bytes();
  }
  return static_cast<Dtype>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
}

void WeightSet::forget() const {
  for (const auto& file : files_)
    file->forget(file->file().data(), file->file().size());
}

void WeightSet::forget(const WeightView& view) const {
  for (const auto& file : files_) {
    if (file->file().holds(view.data)) file->forget(view.data, static_cast<std::size_t>(view.bytes()));
  }
}

void WeightSet::prefetch(const WeightView& view) const {
  for (const auto& file : files_) {
    if (file->file().holds(view.data))
      file->file().prefetch(view.data, static_cast<std::size_t>(view.bytes()));
  }
}

std::uint64_t WeightSet::bytes_held(const Tensors::value_type& tensor) const {
  const auto held = held_.find(tensor.first);
  return held == held_.end() ? tensor.second.bytes : static_cast<std::uint64_t>(held->second.view.bytes());
}

std::uint64_t WeightSet::total_bytes() const {
  return bytes_under("");
}

BlockRow WeightSet::block_row(const std::string& prefix, std::size_t count, std::uint64_t rest) const {
  BlockRow row{rest, 0, count};
  for (std::size_t i = 0; i < count; ++i)
    row.block = std::max(row.block, bytes_under(prefix + std::to_string(i) + "."));
  return row;
}

std::uint64_t WeightSet::bytes_under(std::string_view prefix) const {
  std::uint64_t total = 0;
  for (const auto& tensor : tensors_) {
    if (tensor.first.starts_with(prefix)) total += bytes_held(tensor);
  }
  return total;
}

}  // namespace engines
