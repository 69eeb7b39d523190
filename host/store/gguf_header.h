// SPDX-License-Identifier: Apache-2.0
// The header of a GGUF file, read as if a stranger had made it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roundhouse::host {

struct GgufTensor {
  std::string name;
  std::string dtype;                 // as capability lists spell it: "f32", "q8_0", "q4_k"
  std::vector<std::uint64_t> shape;  // slowest dimension first, as in safetensors
  std::uint64_t begin = 0, end = 0;  // bytes in the file
};

struct GgufHeader {
  std::uint64_t bytes = 0;                       // up to the first tensor's data, padding included
  std::map<std::string, std::string> texts;      // values of type string
  std::map<std::string, std::uint64_t> numbers;  // integers of 0 or more
  std::vector<GgufTensor> tensors;               // by begin

  // general.architecture, or empty.
  std::string architecture() const;
};

inline constexpr std::size_t kMaximumGgufHeaderBytes = 100'000'000;

// Reads the header at the beginning of `bytes`; none when it goes on behind their end. Nothing is set aside
// for more than what was read. A tensor of a type that is not known has no bytes. Throws MODEL_INVALID,
// beginning with `shown`, for what is no GGUF of version 2 or 3 (little-endian), names that are not UTF-8,
// keys or tensors that come twice, types of values that do not exist, arrays nested deeper than four,
// alignments other than a multiple of 8 up to a mebibyte, tensors of more than four dimensions, with more
// elements than can be counted, with rows of broken blocks, misaligned or overlapping.
std::optional<GgufHeader> parse_gguf_header(std::string_view bytes, const std::string& shown);

// The same of a file; its tensors must lie within it. Throws also IO_ERROR.
GgufHeader read_gguf_header(const std::filesystem::path& file, const std::string& shown);

// The class that Hugging Face configurations name for general.architecture ("qwen3": "Qwen3ForCausalLM"); the
// name itself for one that is not known here. Throws MODEL_INVALID for a file of no text model.
std::string text_architecture(const GgufHeader& header, const std::string& shown);

// Whether the tensors are those of a Z-Image transformer, by architecture or by names, as image programs
// write them.
bool is_image_transformer(const GgufHeader& header);

}  // namespace roundhouse::host
