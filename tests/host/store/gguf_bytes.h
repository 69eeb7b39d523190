// SPDX-License-Identifier: Apache-2.0
// GGUF files piece by piece, right or wrong as a test wants them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace roundhouse::test {

inline std::string little(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

class GgufBytes {
 public:
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;  // of the writer; a key that says another is the test's affair
  std::uint64_t extra_tensors = 0, extra_keys = 0;  // claimed and not there

  static std::string text(const std::string& value) { return little(value.size(), 8) + value; }
  GgufBytes& raw(const std::string& key, std::uint32_t kind, const std::string& value) {
    keys_.push_back(text(key) + little(kind, 4) + value);
    return *this;
  }
  GgufBytes& text_key(const std::string& key, const std::string& value) { return raw(key, 8, text(value)); }
  GgufBytes& u32_key(const std::string& key, std::uint32_t value) { return raw(key, 4, little(value, 4)); }
  // `dimensions`: fastest first.
  GgufBytes& tensor(const std::string& name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                    std::uint64_t offset) {
    std::string info = text(name) + little(dimensions.size(), 4);
    for (const auto size : dimensions)
      info += little(size, 8);
    tensors_.push_back(info + little(type, 4) + little(offset, 8));
    return *this;
  }

  std::string bytes(const std::string& data = "") const {
    std::string file = "GGUF" + little(version, 4) + little(tensors_.size() + extra_tensors, 8) +
                       little(keys_.size() + extra_keys, 8);
    for (const auto& key : keys_)
      file += key;
    for (const auto& tensor : tensors_)
      file += tensor;
    file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
    return file + data;
  }

 private:
  std::vector<std::string> keys_, tensors_;
};

// A text model's file with two tensors of 64 and 34 bytes of data.
inline GgufBytes small_text_gguf(const std::string& architecture = "qwen3") {
  GgufBytes file;
  file.text_key("general.architecture", architecture).text_key("tokenizer.ggml.model", "gpt2");
  file.tensor("token_embd.weight", {8, 2}, 0, 0).tensor("output_norm.weight", {32}, 8, 64);
  return file;
}
inline std::string small_text_gguf_data() {
  return std::string(64, 'a') + std::string(34, 'b');
}

}  // namespace roundhouse::test
