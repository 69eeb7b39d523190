// SPDX-License-Identifier: Apache-2.0
// The weights of one component folder, from one file or from shards.
#include "engines/weights/weight_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "engines/weights/gguf.h"
#include "engines/weights/gguf_types.h"
#include "engines/weights/json_file.h"
#include "engines/weights/safetensors.h"

namespace engines {
namespace {

constexpr std::size_t largest_index = std::size_t{64} << 20;
constexpr const char* kReadableTypes = "F32, BF16, F16, F8_E4M3, F8_E5M2";  // of safetensors' types

std::string shown_shape(const std::vector<std::int64_t>& shape) {
  return nlohmann::json(shape).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
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

// A shard that lies there without an index, or nothing.
std::string first_shard(const std::filesystem::path& folder, const std::string& stem) {
  std::string first;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool shard = name.starts_with(stem + "-") && name.find("-of-") != std::string::npos &&
                       name.ends_with(".safetensors");
    if (shard && (first.empty() || name < first)) first = name;
  }
  return first;
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
    const std::string shard = first_shard(folder, stem);
    throw Error(RH_WEIGHTS_MISSING,
                "missing " + shown_ + "/" +
                    (shard.empty() ? single + " (or " + gguf + ")" : index + " (" + shard + " is there)"));
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

WeightSet::Stored WeightSet::part_of(std::size_t file, const std::string& stored_name,
                                     const NameTable::Meaning& meaning, std::size_t part) const {
  const WeightFile::Raw& raw = *files_[file]->raw(stored_name);
  const WeightView* const whole = files_[file]->find(stored_name);
  const std::size_t parts = meaning.names.size();
  Stored stored{file, stored_name, raw.dtype, raw.bytes / parts, raw.data, raw.shape, std::nullopt, {}};
  const bool rows_fit = !raw.shape.empty() && raw.shape[0] % static_cast<std::int64_t>(parts) == 0;
  if (parts > 1 && rows_fit) {
    stored.shape[0] /= static_cast<std::int64_t>(parts);
    stored.data += part * (raw.bytes / parts);
  } else if (parts > 1 && raw.shape.size() > 1) {
    stored.fault = fmt::format("shape is {}, expected rows in {} equal parts", shown_shape(raw.shape), parts);
  }  // else a number that all parts share, such as a scale
  while (meaning.squeeze && stored.shape.size() > 2 && stored.shape.back() == 1)
    stored.shape.pop_back();
  if (whole != nullptr) stored.view = WeightView{stored.data, whole->dtype, stored.shape};
  return stored;
}

void WeightSet::add(std::size_t file, const std::string& stored_name, const NameTable::Meaning& meaning) {
  for (std::size_t part = 0; part < meaning.names.size(); ++part) {
    const auto [place, fresh] =
        tensors_.emplace(meaning.names[part], part_of(file, stored_name, meaning, part));
    if (fresh) continue;
    Stored& other = place->second;
    if (other.fault.empty())
      other.fault = "is in " + files_[file]->shown() + ", too" +
                    (other.stored_name == stored_name ? "" : " (as " + in_quotes(stored_name) + ")");
  }
}

const WeightSet::Stored& WeightSet::stored(std::string_view name) const {
  const auto place = tensors_.find(name);
  if (place == tensors_.end())
    throw Error(RH_MODEL_INVALID, shown_ + ": tensor " + in_quotes(name) + " is missing");
  if (!place->second.fault.empty())
    throw Error(RH_MODEL_INVALID, where(name, place->second) + place->second.fault);
  return place->second;
}

std::string WeightSet::where(std::string_view name, const Stored& stored) const {
  const std::string also = stored.stored_name == name ? "" : " (" + in_quotes(stored.stored_name) + ")";
  return files_[stored.file]->shown() + ": tensor " + in_quotes(name) + also + ": ";
}

void WeightSet::refuse_type(std::string_view name, const Stored& stored) const {
  const std::string format = block_format(name, stored);
  throw Error(RH_CAPABILITY_UNSUPPORTED, where(name, stored) +
                                             (format.empty() ? "is" : "is " + format + ",") + " of type " +
                                             stored.type + ", which is not read, expected one of " +
                                             (gguf_ ? readable_gguf_types() : kReadableTypes));
}

void WeightSet::refuse_shape(std::string_view name, const Stored& stored,
                             const std::vector<std::int64_t>& expected) const {
  if (!block_format(name, stored).empty()) refuse_type(name, stored);  // several numbers in one byte
  throw Error(RH_MODEL_INVALID, where(name, stored) + "shape is " + shown_shape(stored.shape) +
                                    ", expected " + shown_shape(expected));
}

const WeightView& WeightSet::readable(std::string_view name) const {
  const Stored& found = stored(name);
  if (found.view) return *found.view;
  if (float8_of(found.type)) return float8(name, found);
  refuse_type(name, found);
}

const WeightView& WeightSet::get(std::string_view name, const std::vector<std::int64_t>& shape) const {
  const Stored& found = stored(name);
  if (found.shape != shape) refuse_shape(name, found, shape);
  return readable(name);
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
  if (place == tensors_.end()) return nullptr;
  if (place->second.view) return &*place->second.view;
  return float8_of(place->second.type) ? &float8(name, place->second) : nullptr;
}

Dtype WeightSet::main_dtype() const {
  std::array<std::int64_t, kDtypes> bytes{};
  for (const auto& [name, stored] : tensors_) {
    const auto held = held_.find(name);
    const auto decoded = decoded_.find(name);
    const WeightView* const view = held != held_.end()         ? &held->second.view
                                   : decoded != decoded_.end() ? &decoded->second.view
                                   : stored.view               ? &*stored.view
                                                               : nullptr;
    if (view != nullptr) bytes[static_cast<std::size_t>(view->dtype)] += view->bytes();
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
  if (const auto held = held_.find(tensor.first); held != held_.end())
    return static_cast<std::uint64_t>(held->second.view.bytes());
  const auto decoded = decoded_.find(tensor.first);
  return decoded == decoded_.end() ? tensor.second.bytes
                                   : static_cast<std::uint64_t>(decoded->second.view.bytes());
}

std::uint64_t WeightSet::total_bytes() const {
  return bytes_under("");
}

BlockRow WeightSet::block_row(const std::string& prefix, std::size_t count, std::uint64_t rest) const {
  BlockRow row{rest, 0, count};
  for (std::size_t i = 0; i < count; ++i)
    row.block = std::max(row.block, bytes_under(fmt::format("{}{}.", prefix, i)));
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
