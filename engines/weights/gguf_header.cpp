// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/gguf_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::uint32_t kOldestVersion = 2;  // the first with 64-bit counts
constexpr std::uint64_t kLongestKey = 65535;
constexpr std::uint64_t kLongestName = 1024;  // the format says 64, and files in use have more
constexpr std::uint32_t kMostDimensions = 4;
constexpr std::uint64_t kLargestAlignment = 65536;
// What an entry takes at least: a key's length, its type and a value of a byte; a name's length, no
// dimension, type and offset.
constexpr std::uint64_t kLeastPair = 8 + 4 + 1;
constexpr std::uint64_t kLeastInfo = 8 + 4 + 4 + 8;

// Walks through the file from the beginning; every failure says what was being read.
class Cursor {
 public:
  Cursor(std::span<const std::byte> file, const std::string& shown) : file_(file), shown_(shown) {}

  template <class T>
  T read(const std::string& what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  std::span<const std::byte> take(std::uint64_t bytes, const std::string& what) {
    if (bytes > left())
      fail(fmt::format("{} claims {} bytes at byte {}, but only {} follow", what, bytes, at_, left()));
    const auto taken = file_.subspan(at_, bytes);
    at_ += bytes;
    return taken;
  }

  std::span<const std::byte> take_text(std::uint64_t longest, const std::string& what) {
    const auto length = read<std::uint64_t>(what);
    if (length > longest)
      fail(fmt::format("{} claims to be {} bytes long, expected at most {}", what, length, longest));
    return take(length, what);
  }

  // A count of things that take `least` bytes each.
  void check_count(std::uint64_t count, std::uint64_t least, const std::string& what) const {
    if (count > left() / least)
      fail(fmt::format("{}: {} do not fit the {} bytes that follow", what, count, left()));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(RH_MODEL_INVALID, shown_ + ": " + what);
  }
  const std::string& shown() const { return shown_; }
  std::uint64_t left() const { return file_.size() - at_; }
  std::uint64_t at() const { return at_; }

 private:
  std::span<const std::byte> file_;
  const std::string& shown_;
  std::uint64_t at_ = 0;
};

std::string name_from(std::span<const std::byte> bytes, const Cursor& cursor, const std::string& what) {
  std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (name.empty() || name.find('\0') != std::string::npos)
    cursor.fail(what + " is " + in_quotes(name) + ", expected a name");
  return name;
}

void read_magic(Cursor& cursor) {
  const auto magic = cursor.take(4, "the magic number");
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) cursor.fail("does not begin with 'GGUF'");
  const auto version = cursor.read<std::uint32_t>("the version");
  if (version == kGgufVersion << 24 || version == kOldestVersion << 24)
    cursor.fail("is big-endian, expected little-endian");
  if (version < kOldestVersion || version > kGgufVersion)
    cursor.fail(fmt::format("is of version {}, expected 2 or 3", version));
}

std::span<const std::byte> read_texts(Cursor& cursor, std::uint64_t count, std::span<const std::byte> file,
                                      const std::string& what) {
  cursor.check_count(count, sizeof(std::uint64_t), what);
  const std::uint64_t begin = cursor.at();
  for (std::uint64_t i = 0; i < count; ++i)
    cursor.take_text(file.size(), fmt::format("{}: element {}", what, i));
  return file.subspan(begin, cursor.at() - begin);
}

void read_array(Cursor& cursor, GgufValue& value, std::span<const std::byte> file, const std::string& what) {
  const auto element = cursor.read<std::uint32_t>(what);
  value.element = GgufKind{element};
  value.count = cursor.read<std::uint64_t>(what);
  if (value.element == GgufKind::text) {
    value.bytes = read_texts(cursor, value.count, file, what);
    return;
  }
  const std::uint64_t size = bytes_of(value.element);
  if (size == 0)
    cursor.fail(fmt::format("{} is an array of type {}, expected numbers, booleans or texts", what, element));
  cursor.check_count(value.count, size, what);
  value.bytes = cursor.take(value.count * size, what);
}

GgufValue read_value(Cursor& cursor, std::span<const std::byte> file, const std::string& what) {
  const auto kind = cursor.read<std::uint32_t>(what);
  GgufValue value;
  value.kind = GgufKind{kind};
  if (value.kind == GgufKind::text) {
    value.bytes = cursor.take_text(file.size(), what);
  } else if (value.kind == GgufKind::array) {
    read_array(cursor, value, file, what);
  } else {
    const std::uint64_t size = bytes_of(value.kind);
    if (size == 0) cursor.fail(fmt::format("{} is of type {}, expected 0 to 12", what, kind));
    value.bytes = cursor.take(size, what);
  }
  return value;
}

void read_pairs(Cursor& cursor, std::uint64_t count, std::span<const std::byte> file,
                GgufMetadata& metadata) {
  cursor.check_count(count, kLeastPair, "the key-value count");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string what = fmt::format("key {}", i);
    std::string key = name_from(cursor.take_text(kLongestKey, what), cursor, what);
    const GgufValue value = read_value(cursor, file, "the value of " + in_quotes(key));
    if (!metadata.add(key, value)) cursor.fail("the key " + in_quotes(key) + " comes twice");
  }
}

std::uint64_t read_alignment(const GgufMetadata& metadata) {
  constexpr std::string_view key = "general.alignment";
  const auto alignment = static_cast<std::uint64_t>(
      metadata.integer_or(key, kGgufAlignment, 8, static_cast<std::int64_t>(kLargestAlignment)));
  if (!std::has_single_bit(alignment)) metadata.fail(key, fmt::format("{} is not a power of two", alignment));
  return alignment;
}

// One tensor's entry after its name.
class InfoReader {
 public:
  InfoReader(Cursor& cursor, std::string where) : cursor_(cursor), where_(std::move(where)) {}

  GgufEntry read(std::uint64_t alignment) {
    GgufEntry entry;
    const std::uint64_t elements = read_shape(entry);
    read_type(entry, elements);
    entry.begin = cursor_.read<std::uint64_t>(where_ + "the offset");
    if (entry.begin % alignment != 0)
      fail(fmt::format("offset {} is not a multiple of the alignment {}", entry.begin, alignment));
    return entry;
  }

  [[noreturn]] void fail(const std::string& what) const { cursor_.fail(where_ + what); }

 private:
  std::uint64_t read_shape(GgufEntry& entry) {
    const auto dimensions = cursor_.read<std::uint32_t>(where_ + "the dimensions");
    if (dimensions > kMostDimensions)
      fail(fmt::format("has {} dimensions, expected at most {}", dimensions, kMostDimensions));
    std::uint64_t elements = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      const auto size = cursor_.read<std::uint64_t>(where_ + "the dimensions");
      if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
          __builtin_mul_overflow(elements, size, &elements))
        fail(fmt::format("dimension {} is {}: there are more elements than can be counted", i, size));
      entry.shape.insert(entry.shape.begin(), static_cast<std::int64_t>(size));
    }
    return elements;
  }

  void read_type(GgufEntry& entry, std::uint64_t elements) {
    const auto number = cursor_.read<std::uint32_t>(where_ + "the type");
    entry.type = find_gguf_type(number);
    entry.type_name = gguf_type_name(number);
    if (entry.type == nullptr) return;  // perhaps nobody asks for it
    const auto row = static_cast<std::uint64_t>(entry.shape.empty() ? 1 : entry.shape.back());
    if (row % entry.type->length != 0)
      fail(fmt::format("rows of {} elements are not whole blocks of {}, expected a multiple of {}", row,
                       entry.type->name, entry.type->length));
    if (__builtin_mul_overflow(elements / entry.type->length, entry.type->bytes, &entry.bytes))
      fail("takes more bytes than can be counted");
  }

  Cursor& cursor_;
  std::string where_;
};

void check_layout(const GgufHeader& header, std::uint64_t data_bytes, const std::string& shown) {
  using Named = std::pair<const std::string, GgufEntry>;
  std::vector<const Named*> order;
  for (const auto& named : header.entries) {
    const GgufEntry& entry = named.second;
    if (entry.begin > data_bytes || entry.bytes > data_bytes - entry.begin)
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}: tensor {}: {} bytes at offset {} reach beyond the data of {} bytes", shown,
                              in_quotes(named.first), entry.bytes, entry.begin, data_bytes));
    order.push_back(&named);
  }
  std::sort(order.begin(), order.end(), [](const Named* a, const Named* b) {
    return std::pair(a->second.begin, a->second.bytes) < std::pair(b->second.begin, b->second.bytes);
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const GgufEntry& before = order[i - 1]->second;
    if (order[i]->second.begin < before.begin + before.bytes)
      throw Error(RH_MODEL_INVALID, fmt::format("{}: tensor {} begins at {}, inside of {} (tensors overlap)",
                                                shown, in_quotes(order[i]->first), order[i]->second.begin,
                                                in_quotes(order[i - 1]->first)));
  }
}

}  // namespace

GgufHeader read_gguf_header(std::span<const std::byte> file, const std::string& shown) {
  Cursor cursor(file, shown);
  read_magic(cursor);
  const auto tensors = cursor.read<std::uint64_t>("the tensor count");
  const auto pairs = cursor.read<std::uint64_t>("the key-value count");
  cursor.check_count(tensors, kLeastInfo, "the tensor count");
  GgufHeader header{GgufMetadata(shown), {}, 0};
  read_pairs(cursor, pairs, file, header.metadata);
  const std::uint64_t alignment = read_alignment(header.metadata);
  cursor.check_count(tensors, kLeastInfo, "the tensor count");
  for (std::uint64_t i = 0; i < tensors; ++i) {
    const std::string what = fmt::format("the name of tensor {}", i);
    const std::string name = name_from(cursor.take_text(kLongestName, what), cursor, what);
    InfoReader reader(cursor, "tensor " + in_quotes(name) + ": ");
    if (!header.entries.emplace(name, reader.read(alignment)).second) reader.fail("comes twice");
  }
  header.data_offset = (cursor.at() + alignment - 1) / alignment * alignment;
  check_layout(header, file.size() - std::min<std::uint64_t>(file.size(), header.data_offset), shown);
  return header;
}

}  // namespace engines
