// SPDX-License-Identifier: Apache-2.0
#include "host/store/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr std::string_view kPrefix = "sha256:";

void require(int done) {
  if (done != 1) throw Error(RH_INTERNAL, "sha-256 is not available from the OpenSSL library");
}

}  // namespace

std::optional<Digest> Digest::from_hex(std::string_view hex) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hex.size() != kHexDigits || !std::all_of(hex.begin(), hex.end(), digit)) return std::nullopt;
  return Digest(hex);
}

std::optional<Digest> Digest::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  return from_hex(text.substr(kPrefix.size()));
}

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require(context_->evp != nullptr ? 1 : 0);
  require(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()));
}

Digest Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context_->evp, raw.data(), &size));
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[raw.at(i) >> 4];
    hex += "0123456789abcdef"[raw.at(i) & 15];
  }
  return *Digest::from_hex(hex);
}

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

}  // namespace roundhouse::host
