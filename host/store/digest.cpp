// SPDX-License-Identifier: Apache-2.0
#include "host/store/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr std::string_view kPrefix = "sha256:";

void require(int done) {
  if (done != 1) throw Error(RH_INTERNAL, "a digest is not available from the OpenSSL library");
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

class HashContext {
 public:
  explicit HashContext(const EVP_MD* kind) {
    require(evp_ != nullptr ? 1 : 0);
    require(EVP_DigestInit_ex(evp_, kind, nullptr));
  }
  ~HashContext() { EVP_MD_CTX_free(evp_); }
  HashContext(const HashContext&) = delete;
  HashContext& operator=(const HashContext&) = delete;

  void update(std::string_view bytes) { require(EVP_DigestUpdate(evp_, bytes.data(), bytes.size())); }

  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(evp_, raw.data(), &size));
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
      hex += "0123456789abcdef"[raw.at(i) >> 4];
      hex += "0123456789abcdef"[raw.at(i) & 15];
    }
    return hex;
  }

 private:
  EVP_MD_CTX* evp_ = EVP_MD_CTX_new();
};

Sha256::Sha256() : context_(std::make_unique<HashContext>(EVP_sha256())) {
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  context_->update(bytes);
}

Digest Sha256::finish() {
  return *Digest::from_hex(context_->finish());
}

GitBlobSha1::GitBlobSha1(std::uint64_t size) : context_(std::make_unique<HashContext>(EVP_sha1())) {
  const std::string head = fmt::format("blob {}", size);
  context_->update({head.c_str(), head.size() + 1});
}

GitBlobSha1::~GitBlobSha1() = default;

void GitBlobSha1::update(std::string_view bytes) {
  context_->update(bytes);
}

std::string GitBlobSha1::finish() {
  return context_->finish();
}

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

}  // namespace roundhouse::host
