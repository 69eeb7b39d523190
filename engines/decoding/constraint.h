// SPDX-License-Identifier: Apache-2.0
// What an answer is held to, token by token.
#pragma once

#include <cstdint>

#include "engines/decoding/sampling.h"

namespace engines::decoding {

// Of one answer. One thread at a time.
class Constraint {
 public:
  virtual ~Constraint() = default;
  // The tokens that may come next, end tokens among them where the text may end. Never none. Valid until
  // `accept`.
  virtual const TokenMask& mask() = 0;
  // One of these came.
  virtual void accept(std::int32_t id) = 0;
  // Whether the text is complete and can only end.
  virtual bool done() const = 0;
};

}  // namespace engines::decoding
