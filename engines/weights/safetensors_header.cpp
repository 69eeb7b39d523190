// SPDX-License-Identifier: Apache-2.0
// Checks of a safetensors header: nothing that it claims is believed before it was compared with the file.
#include "engines/weights/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::uint64_t largest_header = 100'000'000;  // as every reader of the format has it

struct DtypeSize {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<DtypeSize, 16> dtype_sizes{{{"BOOL", 1},
                                                 {"U8", 1},
                                                 {"I8", 1},
                                                 {"F8_E4M3", 1},
                                                 {"F8_E5M2", 1},
                                                 {"F8_E8M0", 1},
                                                 {"I16", 2},
                                                 {"U16", 2},
                                                 {"F16", 2},
                                                 {"BF16", 2},
                                                 {"I32", 4},
                                                 {"U32", 4},
                                                 {"F32", 4},
                                                 {"I64", 8},
                                                 {"U64", 8},
                                                 {"F64", 8}}};

// One tensor of the header: its JSON, and the words that begin every message about it.
class EntryReader {
 public:
  EntryReader(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {}

  SafetensorsEntry read(std::uint64_t data_bytes) const {
    if (!object_.is_object()) fail("is " + brief(object_) + ", expected an object");
    SafetensorsEntry entry;
    const std::uint64_t element = read_dtype(entry);
    const std::uint64_t bytes = read_shape(entry, element);
    read_offsets(entry, data_bytes);
    if (element != 0 && entry.end - entry.begin != bytes)
      fail(fmt::format("data_offsets span {} bytes, expected {} for {} of shape {}", entry.end - entry.begin,
                       bytes, entry.dtype, brief(field("shape"))));
    return entry;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(RH_MODEL_INVALID, where_ + what); }

  const nlohmann::json& field(const char* name) const {
    const auto place = object_.find(name);
    if (place == object_.end()) fail(std::string(name) + " is missing");
    return *place;
  }

  // What an element takes; 0 for a type that is not known: perhaps nobody asks for it.
  std::uint64_t read_dtype(SafetensorsEntry& entry) const {
    const auto& dtype = field("dtype");
    if (!dtype.is_string()) fail("dtype is " + brief(dtype) + ", expected a string");
    entry.dtype = dtype.get<std::string>();
    const auto* const known = std::find_if(dtype_sizes.begin(), dtype_sizes.end(),
                                           [&](const DtypeSize& d) { return d.name == entry.dtype; });
    return known == dtype_sizes.end() ? 0 : known->bytes;
  }

  // The bytes that the shape asks for.
  std::uint64_t read_shape(SafetensorsEntry& entry, std::uint64_t element) const {
    const auto& shape = field("shape");
    if (!shape.is_array()) fail("shape is " + brief(shape) + ", expected an array");
    std::uint64_t bytes = element;
    for (const auto& size : shape) {
      if (!size.is_number_unsigned()) fail("shape holds " + brief(size) + ", expected sizes of 0 or more");
      const auto number = size.get<std::uint64_t>();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
          __builtin_mul_overflow(bytes, number, &bytes))
        fail("shape " + brief(shape) + " has more elements than can be counted");
      entry.shape.push_back(static_cast<std::int64_t>(number));
    }
    return bytes;
  }

  void read_offsets(SafetensorsEntry& entry, std::uint64_t data_bytes) const {
    const auto& offsets = field("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      fail("data_offsets is " + brief(offsets) + ", expected [begin, end]");
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    if (entry.begin > entry.end) fail("data_offsets " + brief(offsets) + " end before they begin");
    if (entry.end > data_bytes)
      fail(fmt::format("data_offsets {} reach beyond the data of {} bytes", brief(offsets), data_bytes));
  }

  const nlohmann::json& object_;
  std::string where_;
};

// Null counts as absent, as for the format's own reader.
void check_metadata(const nlohmann::json& metadata, const std::string& shown) {
  if (metadata.is_null()) return;
  const bool strings =
      metadata.is_object() && std::all_of(metadata.begin(), metadata.end(),
                                          [](const nlohmann::json& value) { return value.is_string(); });
  if (!strings) throw Error(RH_MODEL_INVALID, shown + ": __metadata__ is not an object of strings");
}

// Tensors must follow each other without hole or overlap and fill the data.
void check_layout(const SafetensorsHeader& header, std::uint64_t data_bytes, const std::string& shown) {
  using Named = std::pair<const std::string, SafetensorsEntry>;
  std::vector<const Named*> order;
  for (const auto& named : header.entries)
    order.push_back(&named);
  std::sort(order.begin(), order.end(), [](const Named* a, const Named* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  std::uint64_t expected = 0;
  for (const auto* named : order) {
    const auto& entry = named->second;
    if (entry.begin != expected)
      throw Error(
          RH_MODEL_INVALID,
          fmt::format("{}: tensor {} begins at {}, expected {}{}", shown, in_quotes(named->first),
                      entry.begin, expected, (entry.begin < expected ? " (tensors overlap)" : " (a hole)")));
    expected = entry.end;
  }
  if (expected != data_bytes)
    throw Error(RH_MODEL_INVALID, fmt::format("{}: the tensors end at byte {} of the data, expected {}",
                                              shown, expected, data_bytes));
}

std::string_view header_text(std::span<const std::byte> file, const std::string& shown) {
  const auto fail = [&](const std::string& what) { throw Error(RH_MODEL_INVALID, shown + ": " + what); };
  if (file.size() < 8)
    fail(fmt::format("is {} bytes long, expected at least the 8 of a header's length", file.size()));
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;)
    length = length << 8 | std::to_integer<std::uint64_t>(file[i]);
  if (length > largest_header)
    fail(fmt::format("the header claims {} bytes, expected at most {}", length, largest_header));
  if (length > file.size() - 8)
    fail(fmt::format("the header claims {} bytes, but only {} follow", length, file.size() - 8));
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, length);
  if (text.empty() || text.front() != '{') fail("the header does not begin with '{'");
  return text;
}

}  // namespace

SafetensorsHeader read_safetensors_header(std::span<const std::byte> file, const std::string& shown) {
  const std::string_view text = header_text(file, shown);
  SafetensorsHeader header;
  header.data_offset = 8 + text.size();
  const std::uint64_t data_bytes = file.size() - header.data_offset;
  const nlohmann::json json = parse_json(text, shown + ": the header");
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      check_metadata(value, shown);
      continue;
    }
    const EntryReader reader(value, shown + ": tensor " + in_quotes(name) + ": ");
    header.entries.emplace_hint(header.entries.end(), name, reader.read(data_bytes));
  }
  check_layout(header, data_bytes, shown);
  return header;
}

}  // namespace engines
