// SPDX-License-Identifier: Apache-2.0
// Digests of the tensors of a file that comes in pieces: safetensors and GGUF.
#include "host/store/weight_digests.h"

#include <algorithm>
#include <tuple>

#include "tests/fuzz/target.h"

namespace {

using namespace roundhouse;

std::optional<host::WeightRecord> record(std::string_view bytes, std::size_t piece) {
  host::WeightDigests digests;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    digests.update(bytes.substr(at, piece));
  return digests.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = record(bytes, std::max<std::size_t>(size, 1)), pieces = record(bytes, 13);
  fuzz::require(whole.has_value() == pieces.has_value(), "pieces do not matter");
  if (!whole) return 0;
  fuzz::require(whole->header == pieces->header && whole->header_bytes <= size, "nor for the header");
  for (std::size_t i = 0; i < whole->tensors.size(); ++i) {
    const host::TensorRecord &a = whole->tensors[i], &b = pieces->tensors.at(i);
    fuzz::require(
        std::tie(a.name, a.begin, a.end) == std::tie(b.name, b.begin, b.end) && a.digest == b.digest,
        "nor for a tensor");
    fuzz::require(a.begin >= whole->header_bytes && a.begin <= a.end && a.end <= size,
                  "tensors lie within the file");
  }
  return 0;
}
