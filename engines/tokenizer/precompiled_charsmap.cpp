// SPDX-License-Identifier: Apache-2.0
// SentencePiece's table of replacements: a double-array trie (darts-clone) from sequences of characters to
// places in a block of texts that end with a zero byte.
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "engines/tokenizer/base64.h"
#include "engines/tokenizer/normalizers.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

// Longer clusters are looked up character by character.
constexpr std::size_t longest_cluster = 5;

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

// The bytes of the next grapheme cluster.
std::size_t cluster_length(std::string_view text) {
  auto c = unicode::decode_first(text);
  std::size_t length = c.bytes;
  utf8proc_int32_t state = 0;
  while (length < text.size()) {
    const auto next = unicode::decode_first(text.substr(length));
    if (next.bytes == 0 ||
        utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(c.value),
                                         static_cast<utf8proc_int32_t>(next.value), &state))
      break;
    length += next.bytes;
    c = next;
  }
  return std::max<std::size_t>(length, 1);
}

// Base64 in tokenizer.json, bytes where it comes from a GGUF file.
std::optional<std::string> read_bytes(const StageConfig& component, const std::string& field) {
  const nlohmann::json* const value = component.value(field);
  if (value == nullptr || !value->is_binary()) return decode_base64(component.text_or(field, ""));
  return std::string(value->get_binary().begin(), value->get_binary().end());
}

class PrecompiledCharsmap : public Normalizer {
 public:
  explicit PrecompiledCharsmap(const StageConfig& component) {
    const std::string field = "precompiled_charsmap";
    const auto bytes = read_bytes(component, field);
    if (!bytes) component.fail(field, "is not base64");
    if (bytes->empty()) return;  // nothing is replaced
    const std::uint32_t trie = bytes->size() < 4 ? 0 : little_endian(*bytes, 0);
    if (trie == 0 || trie % 4 != 0 || trie > bytes->size() - 4)
      component.fail(field, fmt::format("is damaged: its trie has {} of {} bytes", trie, bytes->size()));
    for (std::size_t at = 4; at < 4 + std::size_t{trie}; at += 4)
      units_.push_back(little_endian(*bytes, at));
    texts_ = bytes->substr(4 + std::size_t{trie});
    if (const auto bad = unicode::first_invalid(texts_); bad != std::string_view::npos)
      component.fail(field, fmt::format("is damaged: its texts are not valid UTF-8 at byte {}", bad));
  }

  std::string apply(std::string text, std::size_t most) const override {
    if (units_.empty()) return text;
    std::string normal;
    normal.reserve(text.size());
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t length = cluster_length(rest);
      append_cluster(rest.substr(0, length), normal);
      require_no_longer(normal, most);
      rest.remove_prefix(length);
    }
    return normal;
  }

 private:
  void append_cluster(std::string_view cluster, std::string& normal) const {
    if (cluster.size() <= longest_cluster) {
      if (const auto replaced = find(cluster)) {
        normal += *replaced;
        return;
      }
    }
    while (!cluster.empty()) {
      const std::size_t bytes = std::max<std::size_t>(unicode::decode_first(cluster).bytes, 1);
      const auto character = cluster.substr(0, bytes);
      normal += find(character).value_or(character);
      cluster.remove_prefix(bytes);
    }
  }

  // What the shortest prefix of the key that has a replacement becomes: so Hugging Face's library does it.
  std::optional<std::string_view> find(std::string_view key) const {
    const auto offset = [](std::uint32_t unit) {
      return std::size_t{unit >> 10} << ((unit & (1U << 9)) >> 6);
    };
    std::size_t at = offset(units_[0]);
    for (const char byte : key) {
      if (byte == 0) break;
      at ^= static_cast<unsigned char>(byte);
      if (at >= units_.size()) return std::nullopt;
      const std::uint32_t unit = units_[at];
      if ((unit & (1U << 31 | 0xFFU)) != static_cast<unsigned char>(byte)) return std::nullopt;
      at ^= offset(unit);
      if ((unit >> 8 & 1) == 0) continue;
      if (at >= units_.size()) return std::nullopt;
      return text_at(units_[at] & ((1U << 31) - 1));
    }
    return std::nullopt;
  }

  std::optional<std::string_view> text_at(std::size_t place) const {
    const std::string_view texts = texts_;
    // A place within a character is the work of a damaged file.
    if (place > texts.size() ||
        (place < texts.size() && (static_cast<unsigned char>(texts[place]) & 0xC0) == 0x80))
      return std::nullopt;
    const auto rest = texts.substr(place);
    return rest.substr(0, rest.find('\0'));
  }

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace

NormalizerPart make_precompiled_charsmap(const StageConfig& component) {
  return std::make_unique<PrecompiledCharsmap>(component);
}

}  // namespace engines
