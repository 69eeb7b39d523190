// SPDX-License-Identifier: Apache-2.0
// The header of a GGUF file.
#include <fmt/format.h>

#include <bit>
#include <cassert>
#include <cstring>

#include "engines/weights/gguf_types.h"
#include "engines/weights/json_file.h"
#include "engines/weights/tensor_writer.h"

namespace engines {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in memory");

constexpr std::size_t kLongestWrittenName = 64;
constexpr std::size_t kMostWrittenDimensions = 4;

template <class T>
void append(std::string& bytes, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

void append_text(std::string& bytes, std::string_view text) {
  append<std::uint64_t>(bytes, text.size());
  bytes += text;
}

void append_array(std::string& bytes, GgufKind element, std::uint64_t count) {
  append(bytes, static_cast<std::uint32_t>(element));
  append(bytes, count);
}

void append_info(std::string& bytes, const TensorSpec& tensor, std::uint64_t offset) {
  append_text(bytes, tensor.name);
  append(bytes, static_cast<std::uint32_t>(tensor.shape.size()));
  for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size)
    append(bytes, static_cast<std::uint64_t>(*size));
  append(bytes, gguf_type_of(tensor.dtype).number);
  append(bytes, offset);
}

void check(const TensorSpec& tensor, const std::string& shown) {
  const auto fail = [&](const std::string& what) {
    throw Error(RH_CONVERSION_FAILED, shown + ": tensor " + in_quotes(tensor.name) + ": " + what);
  };
  if (tensor.name.empty() || tensor.name.size() > kLongestWrittenName)
    fail(fmt::format("the name is {} bytes long, expected 1 to {}", tensor.name.size(), kLongestWrittenName));
  if (tensor.shape.size() > kMostWrittenDimensions)
    fail(fmt::format("{} dimensions, expected at most {}", tensor.shape.size(), kMostWrittenDimensions));
  const std::int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
  if (row % block_length(tensor.dtype) != 0)
    fail(fmt::format("rows of {} elements are not whole blocks of {}", row, name_of(tensor.dtype)));
}

}  // namespace

void GgufKeys::begin(std::string_view key, std::uint32_t kind) {
  append_text(bytes_, key);
  append(bytes_, kind);
  ++count_;
}

void GgufKeys::add(std::string_view key, std::string_view text) {
  begin(key, static_cast<std::uint32_t>(GgufKind::text));
  append_text(bytes_, text);
}

void GgufKeys::add(std::string_view key, bool value) {
  begin(key, static_cast<std::uint32_t>(GgufKind::boolean));
  append<std::uint8_t>(bytes_, value ? 1 : 0);
}

void GgufKeys::add(std::string_view key, std::uint32_t value) {
  begin(key, static_cast<std::uint32_t>(GgufKind::u32));
  append(bytes_, value);
}

void GgufKeys::add(std::string_view key, float value) {
  begin(key, static_cast<std::uint32_t>(GgufKind::f32));
  append(bytes_, value);
}

void GgufKeys::add(std::string_view key, const std::vector<std::string>& texts) {
  begin(key, static_cast<std::uint32_t>(GgufKind::array));
  append_array(bytes_, GgufKind::text, texts.size());
  for (const auto& text : texts)
    append_text(bytes_, text);
}

void GgufKeys::add(std::string_view key, const std::vector<std::int32_t>& numbers) {
  begin(key, static_cast<std::uint32_t>(GgufKind::array));
  append_array(bytes_, GgufKind::i32, numbers.size());
  for (const auto number : numbers)
    append(bytes_, number);
}

void GgufKeys::add(std::string_view key, const GgufValue& value) {
  begin(key, static_cast<std::uint32_t>(value.kind));
  if (value.kind == GgufKind::text) append<std::uint64_t>(bytes_, value.bytes.size());
  if (value.kind == GgufKind::array) append_array(bytes_, value.element, value.count);
  bytes_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
}

TensorWriter TensorWriter::gguf(const std::filesystem::path& file, const GgufKeys& keys,
                                std::vector<TensorSpec> tensors) {
  const auto aligned = [](std::uint64_t bytes) {
    return (bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
  };
  std::string header = "GGUF";
  append(header, kGgufVersion);
  append<std::uint64_t>(header, tensors.size());
  append(header, keys.count());
  header += keys.bytes();
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    check(tensor, shown_path(file));
    append_info(header, tensor, offset);
    offset += aligned(tensor.bytes());
  }
  header.resize(aligned(header.size()), '\0');
  return {file, std::move(header), std::move(tensors), kGgufAlignment};
}

}  // namespace engines
