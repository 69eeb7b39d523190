// SPDX-License-Identifier: Apache-2.0
#include "host/store/weight_digests.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaximumHeaderBytes = 100'000'000;  // the limit of the safetensors format

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::optional<std::vector<std::uint64_t>> numbers(const nlohmann::json& tensor, const char* key) {
  const auto list = tensor.find(key);
  if (list == tensor.end() || !list->is_array()) return std::nullopt;
  std::vector<std::uint64_t> values;
  for (const auto& value : *list) {
    if (!value.is_number_unsigned()) return std::nullopt;
    values.push_back(value.get<std::uint64_t>());
  }
  return values;
}

}  // namespace

void WeightDigests::update(std::string_view bytes) {
  if (!usable_) return;
  if (header_bytes_ == 0 || header_.size() < header_bytes_) take_header(bytes);
  if (usable_ && !bytes.empty()) take_data(bytes);
}

// Moves what belongs to the header out of `bytes`.
void WeightDigests::take_header(std::string_view& bytes) {
  const auto take_until = [&](std::uint64_t size) {
    const auto count = std::min<std::uint64_t>(bytes.size(), size - header_.size());
    header_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    return header_.size() == size;
  };
  if (header_bytes_ == 0) {
    if (!take_until(kLengthBytes)) return;
    const std::uint64_t length = little_endian(header_);
    usable_ = length > 0 && length <= kMaximumHeaderBytes;
    if (!usable_) return;
    header_bytes_ = kLengthBytes + length;
  }
  if (!take_until(header_bytes_)) return;
  offset_ = header_bytes_;
  usable_ = read_header();
}

bool WeightDigests::read_header() {
  nlohmann::json header;
  try {
    header = parse_json_object(header_.substr(kLengthBytes), "header");
  } catch (const Error&) {
    return false;
  }
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    if (!tensor.is_object()) return false;
    const auto shape = numbers(tensor, "shape");
    const auto offsets = numbers(tensor, "data_offsets");
    const auto dtype = tensor.find("dtype");
    constexpr std::uint64_t kFar = std::uint64_t{1} << 62;
    if (!shape || !offsets || offsets->size() != 2 || dtype == tensor.end() || !dtype->is_string() ||
        (*offsets)[0] > (*offsets)[1] || (*offsets)[1] > kFar)
      return false;
    ranges_.push_back({name, dtype->get<std::string>(), *shape, header_bytes_ + (*offsets)[0],
                       header_bytes_ + (*offsets)[1]});
  }
  std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    if (ranges_[i].begin < ranges_[i - 1].end) return false;
  }
  return true;
}

// Closes the records of the tensors that end where the file has come to.
void WeightDigests::end_tensors() {
  while (current_ < ranges_.size() && ranges_[current_].end <= offset_) {
    Range& range = ranges_[current_++];
    tensors_.push_back({std::move(range.name), std::move(range.dtype), std::move(range.shape), range.begin,
                        range.end, hash_.finish()});
    hash_ = Sha256();
  }
}

void WeightDigests::take_data(std::string_view bytes) {
  while (!bytes.empty()) {
    end_tensors();
    if (current_ == ranges_.size()) {
      offset_ += bytes.size();
      return;
    }
    const Range& range = ranges_[current_];
    const bool inside = offset_ >= range.begin;
    const auto count = std::min<std::uint64_t>(bytes.size(), (inside ? range.end : range.begin) - offset_);
    if (inside) hash_.update(bytes.substr(0, count));
    offset_ += count;
    bytes.remove_prefix(count);
  }
}

std::optional<WeightRecord> WeightDigests::finish() {
  if (!usable_ || header_bytes_ == 0 || header_.size() < header_bytes_) return std::nullopt;
  end_tensors();
  if (current_ != ranges_.size()) return std::nullopt;
  return WeightRecord{header_bytes_, sha256(header_), std::move(tensors_)};
}

}  // namespace roundhouse::host
