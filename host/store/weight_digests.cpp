// SPDX-License-Identifier: Apache-2.0
#include "host/store/weight_digests.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/store/gguf_header.h"
#include "host/store/small_file.h"
#include "host/store/weight_files.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kLengthBytes = 8;

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

bool WeightDigests::apply_to(const std::string& path) {
  return path.ends_with(".safetensors") || path.ends_with(".gguf");
}

void WeightDigests::update(std::string_view bytes) {
  if (usable_ && !ready_) take_header(bytes);
  if (usable_ && ready_ && !bytes.empty()) take_data(bytes);
}

// Moves bytes to the header until it has `size`; whether it has.
bool WeightDigests::take_until(std::string_view& bytes, std::uint64_t size) {
  const auto count = std::min<std::uint64_t>(bytes.size(), size - header_.size());
  header_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  return header_.size() == size;
}

// Moves what belongs to the header out of `bytes`.
void WeightDigests::take_header(std::string_view& bytes) {
  if (header_.size() < kLengthBytes) {
    if (!take_until(bytes, kLengthBytes)) return;
    gguf_ = header_.starts_with("GGUF");  // as a length, more than a safetensors header may have
    const std::uint64_t length = little_endian(header_);
    usable_ = gguf_ || (length > 0 && length <= kMaximumHeaderBytes);
    if (!usable_) return;
    if (!gguf_) header_bytes_ = kLengthBytes + length;
  }
  if (gguf_) {
    header_.append(bytes);
    bytes = {};
    take_gguf(false);
  } else if (take_until(bytes, header_bytes_)) {
    offset_ = header_bytes_;
    ready_ = usable_ = read_header();
  }
}

// A GGUF's header does not say how long it is. It is tried whenever there is twice as much as before, and
// what came along with it is data.
void WeightDigests::take_gguf(bool at_end) {
  if (header_bytes_ == 0) {
    if (header_.size() < 2 * tried_ && !at_end) return;
    tried_ = header_.size();
    try {
      auto header = parse_gguf_header(header_, "header");
      if (!header) return;
      header_bytes_ = header->bytes;
      for (GgufTensor& tensor : header->tensors)
        ranges_.push_back({std::move(tensor.name), std::move(tensor.dtype), std::move(tensor.shape),
                           tensor.begin, tensor.end});
    } catch (const Error&) {
      usable_ = false;
      return;
    }
  }
  if (header_.size() < header_bytes_) return;  // its padding is to come
  const std::string data = header_.substr(static_cast<std::size_t>(header_bytes_));
  header_.resize(static_cast<std::size_t>(header_bytes_));
  offset_ = header_bytes_;
  ready_ = true;
  take_data(data);
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
  if (usable_ && gguf_ && !ready_) take_gguf(true);
  if (!usable_ || !ready_) return std::nullopt;
  end_tensors();
  if (current_ != ranges_.size()) return std::nullopt;
  return WeightRecord{header_bytes_, sha256(header_), std::move(tensors_)};
}

}  // namespace roundhouse::host
