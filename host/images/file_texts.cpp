// SPDX-License-Identifier: Apache-2.0
#include "host/images/file_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <boost/locale/encoding_utf.hpp>
#include <cstring>

#include "host/log/terminal_text.h"

namespace roundhouse::host {
namespace {

constexpr const char* kParameters = "parameters";
constexpr std::uint16_t kOrientation = 0x0112, kExifPointer = 0x8769, kUserComment = 0x9286;
constexpr std::uint16_t kShort = 3, kLong = 4, kUndefined = 7;
constexpr std::string_view kUnicode("UNICODE\0", 8), kAscii("ASCII\0\0\0", 8), kNoCode("\0\0\0\0\0\0\0\0", 8);
constexpr std::string_view kNameSpace = "https://roundhouse.invalid/ns/image/1/";

template <typename Value>
void put_big(std::string& bytes, Value value) {
  boost::endian::native_to_big_inplace(value);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_entry(std::string& bytes, std::uint16_t tag, std::uint16_t type, std::uint32_t count,
               std::uint32_t value) {
  put_big(bytes, tag);
  put_big(bytes, type);
  put_big(bytes, count);
  put_big(bytes, value);
}

// Numbers of a TIFF structure, and nothing for a place outside of it.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes)
      : bytes_(bytes), little_(bytes.starts_with("II")), known_(little_ || bytes.starts_with("MM")) {
    known_ = known_ && number<std::uint16_t>(2) == 42;
  }

  struct Entry {
    std::uint16_t type;
    std::uint32_t count;
    std::size_t value;  // where its four bytes are
  };

  bool big_endian() const { return !little_; }

  template <typename Value>
  std::optional<Value> number(std::size_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(Value)) return std::nullopt;
    Value value{};
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return little_ ? boost::endian::little_to_native(value) : boost::endian::big_to_native(value);
  }

  std::optional<std::size_t> first_directory() const {
    return known_ ? std::optional<std::size_t>(number<std::uint32_t>(4)) : std::nullopt;
  }

  std::optional<Entry> find(std::optional<std::size_t> directory, std::uint16_t tag) const {
    constexpr std::size_t kEntry = 12;
    if (!directory) return std::nullopt;
    const std::size_t count = number<std::uint16_t>(*directory).value_or(0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = *directory + 2 + i * kEntry;
      if (!number<std::uint32_t>(at + 8)) return std::nullopt;
      if (number<std::uint16_t>(at) == tag)
        return Entry{*number<std::uint16_t>(at + 2), *number<std::uint32_t>(at + 4), at + 8};
    }
    return std::nullopt;
  }

  // The bytes of an entry of single bytes; those that are there.
  std::string_view bytes_of(const Entry& entry) const {
    const std::size_t at = entry.count <= 4 ? entry.value : *number<std::uint32_t>(entry.value);
    return at >= bytes_.size() ? std::string_view() : bytes_.substr(at, entry.count);
  }

 private:
  std::string_view bytes_;
  bool little_, known_;
};

// Many programs write UTF-16 in the order that the structure does not have. Most texts have more characters
// below U+0100 than others, so that the zeros tell.
bool is_big_endian(std::string_view utf16, bool stated) {
  if (utf16.starts_with("\xFE\xFF")) return true;
  if (utf16.starts_with("\xFF\xFE")) return false;
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
    even += utf16[i] == '\0' ? 1 : 0;
    odd += utf16[i + 1] == '\0' ? 1 : 0;
  }
  return even == odd ? stated : even > odd;
}

std::string utf8_of_utf16(std::string_view bytes, bool stated_big) {
  const bool big = is_big_endian(bytes, stated_big);
  std::u16string text(bytes.size() / 2, u'\0');
  std::memcpy(text.data(), bytes.data(), text.size() * 2);
  for (char16_t& unit : text) {
    const auto value = static_cast<std::uint16_t>(unit);
    unit = big ? boost::endian::big_to_native(value) : boost::endian::little_to_native(value);
  }
  if (text.starts_with(u'\xFEFF')) text.erase(0, 1);
  return boost::locale::conv::utf_to_utf<char>(text);
}

bool is_xml_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto later = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), later);
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '\r') {
      escaped += "&#13;";  // a bare one becomes a line feed in every reader
    } else if (static_cast<unsigned char>(c) >= ' ' || c == '\t' || c == '\n') {
      escaped += c;
    }
  }
  return escaped;
}

std::string xml_unescaped(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kNames[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#13;", '\r'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string plain;
  while (!text.empty()) {
    const auto* known = std::find_if(std::begin(kNames), std::end(kNames),
                                     [&](const auto& n) { return text.starts_with(n.first); });
    const bool named = known != std::end(kNames);
    plain += named ? known->second : text.front();
    text.remove_prefix(named ? known->first.size() : 1);
  }
  return plain;
}

}  // namespace

std::string exif_of_texts(const ImageTexts& texts) {
  const auto found =
      std::find_if(texts.begin(), texts.end(), [](const auto& text) { return text.first == kParameters; });
  if (found == texts.end()) return {};
  const std::u16string utf16 = boost::locale::conv::utf_to_utf<char16_t>(found->second);
  // Big-endian, as A1111 writes the text, so that readers who follow the structure agree with those who do
  // not.
  std::string bytes("MM\0\x2a", 4);
  put_big(bytes, std::uint32_t{8});
  put_big(bytes, std::uint16_t{1});
  constexpr std::uint32_t kDirectory = 2 + 12 + 4;  // count, an entry, and where the next directory is
  put_entry(bytes, kExifPointer, kLong, 1, 8 + kDirectory);
  put_big(bytes, std::uint32_t{0});
  put_big(bytes, std::uint16_t{1});
  put_entry(bytes, kUserComment, kUndefined, static_cast<std::uint32_t>(kUnicode.size() + 2 * utf16.size()),
            8 + 2 * kDirectory);
  put_big(bytes, std::uint32_t{0});
  bytes += kUnicode;
  for (const char16_t unit : utf16)
    put_big(bytes, static_cast<std::uint16_t>(unit));
  return bytes;
}

std::string xmp_of_texts(const ImageTexts& texts) {
  std::string properties;
  for (const auto& [keyword, text] : texts) {
    if (keyword == kParameters || !is_xml_name(keyword) || !is_utf8(text)) continue;
    properties += fmt::format("<roundhouse:{0}>{1}</roundhouse:{0}>", keyword, xml_escaped(text));
  }
  if (properties.empty()) return {};
  return fmt::format(
      "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
      "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
      "<rdf:Description rdf:about=\"\" xmlns:roundhouse=\"{}\">{}</rdf:Description>"
      "</rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>",
      kNameSpace, properties);
}

ImageTexts texts_of_exif(std::string_view exif) {
  const Tiff tiff(exif);
  const auto pointer = tiff.find(tiff.first_directory(), kExifPointer);
  if (!pointer) return {};
  const auto comment = tiff.find(tiff.number<std::uint32_t>(pointer->value), kUserComment);
  if (!comment) return {};
  std::string_view bytes = tiff.bytes_of(*comment);
  std::string text;
  if (bytes.starts_with(kUnicode)) {
    text = utf8_of_utf16(bytes.substr(kUnicode.size()), tiff.big_endian());
  } else {
    if (bytes.starts_with(kAscii) || bytes.starts_with(kNoCode)) bytes.remove_prefix(kAscii.size());
    bytes = bytes.substr(0, bytes.find('\0'));
    if (is_utf8(bytes)) text = bytes;
  }
  return text.empty() ? ImageTexts{} : ImageTexts{{kParameters, text}};
}

ImageTexts texts_of_xmp(std::string_view xmp) {
  ImageTexts texts;
  const std::size_t space = xmp.find(kNameSpace);
  if (space == std::string_view::npos) return texts;
  xmp.remove_prefix(space);
  constexpr std::string_view kOpen = "<roundhouse:";
  for (std::size_t at = xmp.find(kOpen); at != std::string_view::npos; at = xmp.find(kOpen)) {
    xmp.remove_prefix(at + kOpen.size());
    const std::string_view keyword = xmp.substr(0, xmp.find('>'));
    if (!is_xml_name(keyword)) continue;
    const std::size_t end = xmp.find(fmt::format("</roundhouse:{}>", keyword));
    if (end == std::string_view::npos) break;
    const std::string_view text = xmp.substr(keyword.size() + 1, end - keyword.size() - 1);
    if (is_utf8(text)) texts.emplace_back(keyword, xml_unescaped(text));
    xmp.remove_prefix(end);
  }
  return texts;
}

int orientation_of_exif(std::string_view exif) {
  const Tiff tiff(exif);
  const auto entry = tiff.find(tiff.first_directory(), kOrientation);
  if (!entry || entry->type != kShort) return 1;
  const int value = tiff.number<std::uint16_t>(entry->value).value_or(1);
  return value >= 1 && value <= 8 ? value : 1;
}

}  // namespace roundhouse::host
