// SPDX-License-Identifier: Apache-2.0
#include "host/cli/tensor_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaximumHeader = std::uint64_t{64} << 20;
constexpr std::uint64_t kLargestTensor = std::uint64_t{256} << 20;  // as an engine may show one
constexpr std::size_t kHeaderBytes = std::size_t{1} << 20;          // of some thousands of tensors
constexpr std::size_t kLongestEscape = 6;                           // bytes of one in a text of JSON

std::string length_of(std::uint64_t header) {
  std::string bytes(kLengthBytes, '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    bytes[i] = static_cast<char>(header >> (8 * i) & 0xFF);
  return bytes;
}

std::string read_at(const File& file, std::uint64_t offset, std::uint64_t size, const std::string& shown) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system(shown, errno);
    if (count == 0) throw Error(RH_MODEL_INVALID, shown + ": is cut short");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

std::uint64_t header_length(const File& file, std::uint64_t size, const std::string& shown) {
  if (size < kLengthBytes) throw Error(RH_MODEL_INVALID, shown + ": is not a safetensors file");
  const std::string bytes = read_at(file, 0, kLengthBytes, shown);
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > kMaximumHeader || length > size - kLengthBytes)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: header: of {} bytes in a file of {}", shown, length, size));
  return length;
}

}  // namespace

// ---- writing ----

TensorFileWriter::TensorFileWriter(std::filesystem::path file, TensorTexts texts)
    : file_(std::move(file)), opened_(create_file(file_)), header_bytes_(kHeaderBytes) {
  for (const auto& [name, text] : texts)
    header_bytes_ += kLongestEscape * (name.size() + text.size());
  header_["__metadata__"] = std::move(texts);
  write_all(opened_, length_of(header_bytes_) + std::string(header_bytes_, ' '), file_.string());
}

TensorFileWriter::~TensorFileWriter() {
  std::error_code ignored;
  if (!finished_) std::filesystem::remove(file_, ignored);
}

void TensorFileWriter::add(const TraceTensor& tensor) {
  const std::string_view bytes(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  write_all(opened_, bytes, file_.string());
  header_[tensor.name] = {{"dtype", tensor.type == TraceTensor::Type::f32 ? "F32" : "I32"},
                          {"shape", tensor.shape},
                          {"data_offsets", {written_, written_ + bytes.size()}}};
  written_ += bytes.size();
}

void TensorFileWriter::finish() {
  const std::string text = header_.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > header_bytes_) throw Error(RH_IO_ERROR, file_.string() + ": has too many tensors");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::pwrite(opened_.get(), text.data() + done, text.size() - done,
                                   static_cast<off_t>(kLengthBytes + done));
    if (count < 0 && errno != EINTR) throw_system(file_.string(), errno);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  finished_ = true;
}

// ---- reading ----

TensorFileReader::TensorFileReader(const std::filesystem::path& file)
    : shown_("fixture '" + file.string() + "'"), opened_(open_for_reading(file, shown_, true)) {
  const std::uint64_t size = file_size(opened_, shown_);
  const std::uint64_t length = header_length(opened_, size, shown_);
  data_ = kLengthBytes + length;
  const nlohmann::json header =
      parse_json_object(read_at(opened_, kLengthBytes, length, shown_), shown_ + ": header");
  try {
    for (const auto& [name, tensor] : header.items()) {
      if (name == "__metadata__") {
        texts_ = tensor.get<TensorTexts>();
        continue;
      }
      const auto offsets = tensor.at("data_offsets").get<std::array<std::uint64_t, 2>>();
      const Entry entry{tensor.at("dtype").get<std::string>(),
                        tensor.at("shape").get<std::vector<std::uint64_t>>(), offsets[0], offsets[1]};
      if (entry.begin > entry.end || entry.end > size - data_ || entry.end - entry.begin > kLargestTensor)
        throw Error(RH_MODEL_INVALID, fmt::format("{}: tensor '{}': bytes {} to {} of {}", shown_, name,
                                                  entry.begin, entry.end, size - data_));
      entries_.emplace(name, entry);
      names_.push_back(name);
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(RH_MODEL_INVALID, shown_ + ": header: " + error.what());
  }
  std::ranges::sort(names_, {}, [this](const std::string& name) { return entries_.at(name).begin; });
}

std::optional<TraceTensor> TensorFileReader::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  const Entry& entry = found->second;
  const std::string where = fmt::format("{}: tensor '{}'", shown_, name);
  if (entry.dtype != "F32" && entry.dtype != "I32")
    throw Error(RH_MODEL_INVALID, where + ": is of type '" + entry.dtype + "', expected F32 or I32");
  std::uint64_t bytes = 4;
  for (const std::uint64_t axis : entry.shape) {
    if (__builtin_mul_overflow(bytes, axis, &bytes))
      throw Error(RH_MODEL_INVALID, where + ": shape: has more bytes than can be counted");
  }
  if (bytes != entry.end - entry.begin)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: {} bytes, expected {} of its shape", where, entry.end - entry.begin, bytes));
  TraceTensor tensor;
  tensor.name = name;
  tensor.type = entry.dtype == "F32" ? TraceTensor::Type::f32 : TraceTensor::Type::i32;
  tensor.shape = entry.shape;
  const std::string data = read_at(opened_, data_ + entry.begin, bytes, where);
  tensor.data.assign(data.begin(), data.end());
  return tensor;
}

}  // namespace roundhouse::host
