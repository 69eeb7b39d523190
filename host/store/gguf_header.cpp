// SPDX-License-Identifier: Apache-2.0
#include "host/store/gguf_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "host/log/terminal_text.h"
#include "host/store/file.h"
#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr int kMaximumArrayDepth = 4;
constexpr std::uint32_t kMaximumDimensions = 4;
constexpr std::uint64_t kDefaultAlignment = 32, kMaximumAlignment = 1 << 20;
constexpr std::uint64_t kMaximumKeyBytes = 65535, kMaximumNameBytes = 1024;
constexpr std::uint64_t kFar = std::uint64_t{1} << 62;

struct TensorType {
  std::uint32_t id;
  const char* name;
  std::uint64_t block, bytes;  // elements, and what they take
};
constexpr std::array<TensorType, 32> kTensorTypes = {{
    {0, "f32", 1, 4},         {1, "f16", 1, 2},         {2, "q4_0", 32, 18},      {3, "q4_1", 32, 20},
    {6, "q5_0", 32, 22},      {7, "q5_1", 32, 24},      {8, "q8_0", 32, 34},      {9, "q8_1", 32, 36},
    {10, "q2_k", 256, 84},    {11, "q3_k", 256, 110},   {12, "q4_k", 256, 144},   {13, "q5_k", 256, 176},
    {14, "q6_k", 256, 210},   {15, "q8_k", 256, 292},   {16, "iq2_xxs", 256, 66}, {17, "iq2_xs", 256, 74},
    {18, "iq3_xxs", 256, 98}, {19, "iq1_s", 256, 50},   {20, "iq4_nl", 32, 18},   {21, "iq3_s", 256, 110},
    {22, "iq2_s", 256, 82},   {23, "iq4_xs", 256, 136}, {24, "i8", 1, 1},         {25, "i16", 1, 2},
    {26, "i32", 1, 4},        {27, "i64", 1, 8},        {28, "f64", 1, 8},        {29, "iq1_m", 256, 56},
    {30, "bf16", 1, 2},       {34, "tq1_0", 256, 54},   {35, "tq2_0", 256, 66},   {39, "mxfp4", 32, 17},
}};

constexpr std::uint64_t kNvfp4 = 40;

// Types of values.
enum Kind : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
  kKinds
};
constexpr std::array<std::uint64_t, kKinds> kKindBytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// The bytes given end before the header does.
struct NeedsMore {};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& shown) : bytes_(bytes), shown_(shown) {}

  GgufHeader read() {
    if (number(4) != kMagic) refuse("is not a GGUF file: it does not begin with 'GGUF'");
    const std::uint64_t version = number(4);
    if (version != 2 && version != 3)
      refuse(fmt::format("version: {} is not known, expected 2 or 3, little-endian", version));
    const std::uint64_t tensors = number(8), values = number(8);
    limit("tensor count", tensors);
    limit("key count", values);
    for (std::uint64_t i = 0; i < values; ++i)
      read_value();
    for (std::uint64_t i = 0; i < tensors; ++i)
      read_tensor();
    header_.bytes = aligned(at_);
    place_tensors();
    return std::move(header_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(RH_MODEL_INVALID, shown_ + ": " + what);
  }

  // Every item takes a byte of the header at least, so that no header has more.
  void limit(const std::string& what, std::uint64_t count) const {
    if (count > kMaximumGgufHeaderBytes)
      refuse(fmt::format("{}: {}, expected at most {}", what, count, kMaximumGgufHeaderBytes));
  }

  std::string_view take(std::uint64_t count) {
    if (count > kMaximumGgufHeaderBytes - std::min<std::uint64_t>(at_, kMaximumGgufHeaderBytes))
      refuse(fmt::format("header: {} bytes at byte {} reach beyond the {} that one may have", count, at_,
                         kMaximumGgufHeaderBytes));
    if (count > bytes_.size() - at_) throw NeedsMore{};
    const auto piece = bytes_.substr(at_, static_cast<std::size_t>(count));
    at_ += piece.size();
    return piece;
  }

  std::uint64_t number(std::size_t size) {
    const std::string_view raw = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(raw[i]);
    return value;
  }

  std::string text(std::uint64_t most, const char* what) {
    const std::uint64_t size = number(8);
    if (size > most) refuse(fmt::format("{} of {} bytes, expected at most {}", what, size, most));
    return std::string(take(size));
  }

  // For messages: one line.
  static std::string quoted(const std::string& name) {
    std::string plain;
    for (const char c : name.substr(0, 80))
      plain += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
    return "'" + plain + "'";
  }

  void read_value() {
    const std::string key = text(kMaximumKeyBytes, "key");
    if (!keys_.insert(key).second) refuse("key " + quoted(key) + " comes twice");
    const std::uint64_t kind = number(4);
    if (!is_utf8(key)) refuse("key " + quoted(key) + " is not UTF-8");
    if (kind == kString) {
      std::string value = text(kMaximumGgufHeaderBytes, "text");
      if (is_utf8(value))
        header_.texts.emplace(key, std::move(value));
      else if (key == "general.architecture")
        refuse(key + ": " + quoted(value) + " is not UTF-8");
    } else if (kind == kArray) {
      skip_array(key, 1);
    } else {
      require_kind(key, kind);
      const auto size = static_cast<std::size_t>(kKindBytes.at(kind));
      const std::uint64_t value = number(size);
      const bool is_signed = kind == kI8 || kind == kI16 || kind == kI32 || kind == kI64;
      const bool negative = is_signed && (value >> (8 * size - 1)) != 0;
      if (kind != kF32 && kind != kF64 && !negative) header_.numbers.emplace(key, value);
    }
    if (key == "general.alignment") read_alignment(kind);
  }

  void require_kind(const std::string& key, std::uint64_t kind) const {
    if (kind >= kKinds) refuse(fmt::format("key {}: type {} does not exist", quoted(key), kind));
  }

  void skip_array(const std::string& key, int depth) {
    if (depth > kMaximumArrayDepth)
      refuse(fmt::format("key {}: arrays nested deeper than {}", quoted(key), kMaximumArrayDepth));
    const std::uint64_t kind = number(4), count = number(8);
    require_kind(key, kind);
    limit("key " + quoted(key) + ": count", count);
    if (kind != kString && kind != kArray) {
      take(count * kKindBytes.at(kind));
      return;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      if (kind == kArray) {
        skip_array(key, depth + 1);
      } else {
        take(number(8));
      }
    }
  }

  void read_alignment(std::uint64_t kind) {
    const auto found = header_.numbers.find("general.alignment");
    alignment_ = kind == kU32 && found != header_.numbers.end() ? found->second : 0;
    if (alignment_ == 0 || alignment_ % 8 != 0 || alignment_ > kMaximumAlignment)
      refuse(fmt::format("general.alignment: {}, expected a multiple of 8 up to {}", alignment_,
                         kMaximumAlignment));
  }

  std::uint64_t aligned(std::uint64_t offset) const {
    return (offset + alignment_ - 1) / alignment_ * alignment_;
  }

  // Of a type that is not known the size is not known either; perhaps nobody asks for the tensor.
  TensorType read_type(std::string& name) {
    const std::uint64_t id = number(4);
    const auto* type = std::find_if(kTensorTypes.begin(), kTensorTypes.end(),
                                    [&](const TensorType& t) { return t.id == id; });
    name = type != kTensorTypes.end() ? type->name : id == kNvfp4 ? "nvfp4" : fmt::format("type_{}", id);
    return type == kTensorTypes.end() ? TensorType{0, "", 1, 0} : *type;
  }

  void read_tensor() {
    GgufTensor tensor;
    tensor.name = text(kMaximumNameBytes, "tensor name");
    const std::string where = "tensor " + quoted(tensor.name) + ": ";
    if (!names_.insert(tensor.name).second) refuse(where + "comes twice");
    if (!is_utf8(tensor.name)) refuse(where + "its name is not UTF-8");
    const std::uint64_t dimensions = number(4);
    if (dimensions > kMaximumDimensions)
      refuse(fmt::format("{}{} dimensions, expected at most 4", where, dimensions));
    std::uint64_t elements = 1;
    for (std::uint64_t i = 0; i < dimensions; ++i) {
      tensor.shape.push_back(number(8));
      if (__builtin_mul_overflow(elements, tensor.shape.back(), &elements) || elements > kFar)
        refuse(where + "has more elements than can be counted");
    }
    const TensorType type = read_type(tensor.dtype);
    if ((tensor.shape.empty() ? 1 : tensor.shape.front()) % type.block != 0)
      refuse(fmt::format("{}rows are not whole blocks of {} {}", where, type.block, type.name));
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    tensor.begin = number(8);
    std::uint64_t size = 0;
    if (__builtin_mul_overflow(elements / type.block, type.bytes, &size) || size > kFar ||
        tensor.begin > kFar)
      refuse(where + "reaches beyond every file");
    tensor.end = tensor.begin + size;
    header_.tensors.push_back(std::move(tensor));
  }

  // From offsets in the data to offsets in the file.
  void place_tensors() {
    for (GgufTensor& tensor : header_.tensors) {
      if (tensor.begin % alignment_ != 0)
        refuse(fmt::format("tensor {}: offset {} is not a multiple of {}", quoted(tensor.name), tensor.begin,
                           alignment_));
      tensor.begin += header_.bytes;
      tensor.end += header_.bytes;
    }
    std::sort(header_.tensors.begin(), header_.tensors.end(), [](const auto& a, const auto& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    for (std::size_t i = 1; i < header_.tensors.size(); ++i) {
      if (header_.tensors[i].begin < header_.tensors[i - 1].end)
        refuse("tensors " + quoted(header_.tensors[i - 1].name) + " and " + quoted(header_.tensors[i].name) +
               " overlap");
    }
  }

  std::string_view bytes_;
  const std::string& shown_;
  std::size_t at_ = 0;
  std::uint64_t alignment_ = kDefaultAlignment;
  std::set<std::string> keys_, names_;
  GgufHeader header_;
};

}  // namespace

std::string GgufHeader::architecture() const {
  const auto found = texts.find("general.architecture");
  return found == texts.end() ? "" : found->second;
}

std::string text_architecture(const GgufHeader& header, const std::string& shown) {
  static const std::map<std::string, std::string> classes = {
      {"llama", "LlamaForCausalLM"},   {"qwen2", "Qwen2ForCausalLM"}, {"qwen3", "Qwen3ForCausalLM"},
      {"phi3", "Phi3ForCausalLM"},     {"gemma", "GemmaForCausalLM"}, {"gemma2", "Gemma2ForCausalLM"},
      {"gemma3", "Gemma3ForCausalLM"}, {"bert", "BertModel"},         {"nomic-bert", "NomicBertModel"}};
  const std::string name = header.architecture();
  if (is_image_transformer(header))
    throw Error(RH_MODEL_INVALID, shown + ": holds an image model's transformer alone, expected a text model",
                "give the model with the other components: roundhouse import FILE.gguf --base MODEL");
  if (name.empty()) throw Error(RH_MODEL_INVALID, shown + ": general.architecture: expected a text");
  const auto known = classes.find(name);
  return known == classes.end() ? name : known->second;
}

bool is_image_transformer(const GgufHeader& header) {
  for (const char* name : {"lumina2", "zimage", "z_image", "z-image"}) {
    if (header.architecture() == name) return true;
  }
  const auto has = [&](const std::string& name) {
    return std::any_of(header.tensors.begin(), header.tensors.end(), [&](const GgufTensor& tensor) {
      return tensor.name == name || tensor.name == "model.diffusion_model." + name;
    });
  };
  return has("cap_embedder.0.weight") && has("x_pad_token");
}

std::optional<GgufHeader> parse_gguf_header(std::string_view bytes, const std::string& shown) {
  try {
    return Reader(bytes, shown).read();
  } catch (const NeedsMore&) {
    return std::nullopt;
  }
}

GgufHeader read_gguf_header(const std::filesystem::path& file, const std::string& shown) {
  const File opened = open_for_reading(file, shown, true);
  const std::uint64_t size = file_size(opened, shown);
  std::string beginning;
  std::optional<GgufHeader> header;
  std::size_t tried = 0;
  read_pieces(opened, shown, [&](std::string_view piece) {
    beginning += piece;
    if (beginning.size() < 2 * tried && beginning.size() < size) return true;
    tried = beginning.size();  // doubled between attempts: no byte is parsed often
    header = parse_gguf_header(beginning, shown);
    return !header;
  });
  if (!header)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: truncated: the header goes on behind its {} bytes", shown, size));
  for (const GgufTensor& tensor : header->tensors) {
    if (tensor.end > size)
      throw Error(RH_MODEL_INVALID, fmt::format("{}: truncated: tensor '{}' ends at byte {} of {}", shown,
                                                tensor.name, tensor.end, size));
  }
  return std::move(*header);
}

}  // namespace roundhouse::host
