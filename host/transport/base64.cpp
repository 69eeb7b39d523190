// SPDX-License-Identifier: Apache-2.0
#include "host/transport/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace roundhouse::host {
namespace {

constexpr std::size_t kEncodedAtOnce = 3 << 20;  // OpenSSL counts in int

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string base64_encoded(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kEncodedAtOnce);
    std::string encoded((piece.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL adds a null
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), bytes_of(piece),
                    static_cast<int>(piece.size()));
    encoded.pop_back();
    text += encoded;
    bytes.remove_prefix(piece.size());
  }
  return text;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  if (!std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(padding), is_digit))
    return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kEncodedAtOnce * 4 / 3);
    std::string decoded(piece.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()), bytes_of(piece),
                        static_cast<int>(piece.size())) < 0)
      return std::nullopt;
    bytes += decoded;
    rest.remove_prefix(piece.size());
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace roundhouse::host
