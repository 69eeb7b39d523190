// SPDX-License-Identifier: Apache-2.0
// A small random Qwen3 whose matrices are of any type, those among them that can only be read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engines/tensor/dtype.h"
#include "tests/engines/weights/temporary_folder.h"

namespace engines::test {

class TinyDecoder {
 public:
  explicit TinyDecoder(Dtype weights);
  const std::filesystem::path& folder() const { return folder_.path(); }
  // Random ids.
  std::vector<std::int32_t> text(std::int64_t tokens, std::uint32_t seed) const;

 private:
  TemporaryFolder folder_;
};

}  // namespace engines::test
