// SPDX-License-Identifier: Apache-2.0
// SHA-256: the names of blobs, and what computes them. SHA-1 of git: what a hub says of small files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace roundhouse::host {

// The SHA-256 of a blob. A value is always 64 lower-case hexadecimal digits, so that it is safe as a file
// name.
class Digest {
 public:
  // "sha256:" and 64 lower-case hexadecimal digits; none for anything else.
  static std::optional<Digest> parse(std::string_view text);
  // The digits alone.
  static std::optional<Digest> from_hex(std::string_view hex);

  const std::string& hex() const { return hex_; }
  std::string text() const { return "sha256:" + hex_; }
  std::string brief() const { return hex_.substr(0, 12); }  // for people

  bool operator==(const Digest&) const = default;
  bool operator<(const Digest& other) const { return hex_ < other.hex_; }

 private:
  explicit Digest(std::string_view hex) : hex_(hex) {}
  std::string hex_;
};

class HashContext;

// Computes one digest of what it is given in pieces. Throws INTERNAL when the library refuses.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  Digest finish();  // once

 private:
  std::unique_ptr<HashContext> context_;
};

// Computes what git calls a file's object id: SHA-1 of "blob <size>" and a zero byte before the content.
class GitBlobSha1 {
 public:
  explicit GitBlobSha1(std::uint64_t size);
  ~GitBlobSha1();

  void update(std::string_view bytes);
  std::string finish();  // once; 40 lower-case hexadecimal digits

 private:
  std::unique_ptr<HashContext> context_;
};

Digest sha256(std::string_view bytes);

}  // namespace roundhouse::host
