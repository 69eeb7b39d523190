// SPDX-License-Identifier: Apache-2.0
// SHA-256: the names of blobs, and what computes them.
#pragma once

#include <cstddef>
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
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest sha256(std::string_view bytes);

}  // namespace roundhouse::host
