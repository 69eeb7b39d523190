// SPDX-License-Identifier: Apache-2.0
// The header of a safetensors file.
#include <algorithm>
#include <cctype>
#include <cstring>

#include "engines/weights/json_file.h"
#include "engines/weights/tensor_writer.h"

namespace engines {
namespace {

constexpr std::uint64_t kHeaderMultiple = 8;

std::string format_name(Dtype dtype) {
  std::string name(name_of(dtype));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

}  // namespace

TensorWriter TensorWriter::safetensors(const std::filesystem::path& file, std::vector<TensorSpec> tensors,
                                       const std::map<std::string, std::string>& metadata) {
  std::ranges::sort(tensors, [](const TensorSpec& a, const TensorSpec& b) {
    return std::pair(-block_bytes(a.dtype), std::string_view(a.name)) <
           std::pair(-block_bytes(b.dtype), std::string_view(b.name));
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    if (is_quantised(tensor.dtype))
      throw Error(RH_CONVERSION_FAILED,
                  shown_path(file) + ": tensor " + in_quotes(tensor.name) + ": safetensors has no type " +
                      std::string(name_of(tensor.dtype)) + ", expected f32, bf16 or f16");
    if (tensor.name == "__metadata__")
      throw Error(RH_CONVERSION_FAILED, shown_path(file) + ": no tensor can be named '__metadata__'");
    const std::uint64_t end = offset + tensor.bytes();
    header[tensor.name] = {
        {"dtype", format_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + kHeaderMultiple - 1) / kHeaderMultiple * kHeaderMultiple, ' ');
  std::string bytes(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, sizeof length);
  return {file, bytes + text, std::move(tensors), 1};
}

}  // namespace engines
