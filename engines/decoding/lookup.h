// SPDX-License-Identifier: Apache-2.0
// A guess at how a text goes on: as it did after the last time that its end stood in it (prompt look-up
// decoding, Saxena 2023).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace engines::decoding {

// At most `count` ids that followed the latest earlier occurrence of the longest end of `ids` that is 2 to 4
// tokens long; often none. Looks at the last 8192 tokens.
std::vector<std::int32_t> look_up(std::span<const std::int32_t> ids, std::size_t count);

}  // namespace engines::decoding
