// SPDX-License-Identifier: Apache-2.0
#include "engines/convert/component_names.h"

#include <set>

#include "engines/weights/config.h"
#include "engines/weights/gguf.h"
#include "engines/weights/gguf_types.h"

namespace engines::conversion {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kQuantisationVersion = 2;  // of ggml's block layouts
constexpr std::int64_t kMost = std::int64_t{1} << 31;

// A number of a config.json that llama.cpp's files repeat under the architecture's name.
struct Count {
  const char* key;
  const char* field;
};
constexpr Count kCounts[] = {{"block_count", "num_hidden_layers"},
                             {"context_length", "max_position_embeddings"},
                             {"embedding_length", "hidden_size"},
                             {"feed_forward_length", "intermediate_size"},
                             {"attention.head_count", "num_attention_heads"},
                             {"attention.head_count_kv", "num_key_value_heads"},
                             {"attention.key_length", "head_dim"},
                             {"attention.value_length", "head_dim"},
                             {"vocab_size", "vocab_size"}};

void add_text_keys(GgufKeys& keys, const Component& component, const fs::path& directory) {
  const std::string shown = component.folder + "config.json";
  const Config config = Config::read(directory / shown, shown);
  const std::string prefix = std::string(component.weights.gguf_architecture) + ".";
  for (const Count& count : kCounts) {
    if (config.has(count.field))
      keys.add(prefix + count.key, static_cast<std::uint32_t>(config.integer(count.field, 1, kMost)));
  }
  if (config.has("rms_norm_eps"))
    keys.add(prefix + "attention.layer_norm_rms_epsilon",
             static_cast<float>(config.number("rms_norm_eps", 0, 1)));
  if (config.has("rope_theta"))
    keys.add(prefix + "rope.freq_base", static_cast<float>(config.number("rope_theta", 1, 1e12)));
}

// Those that say how the file is written, not what the model is.
const std::set<std::string>& written_keys() {
  static const std::set<std::string> keys = {"general.file_type", "general.quantization_version",
                                             "general.alignment"};
  return keys;
}

void keep_keys(GgufKeys& keys, const fs::path& file) {
  const GgufFile source(file);
  for (const std::string& key : source.metadata().keys()) {
    if (!written_keys().contains(key)) keys.add(key, *source.metadata().find(key));
  }
}

}  // namespace

NameTable component_names(const Component& component) {
  return component.weights.names == nullptr ? NameTable() : component.weights.names();
}

GgufKeys component_keys(const Component& component, const fs::path& directory, Dtype type) {
  GgufKeys keys;
  if (component.gguf) {
    keep_keys(keys, directory / component.files.front());
  } else {
    const std::string architecture(component.weights.gguf_architecture);
    keys.add("general.architecture", architecture.empty() ? "unknown" : architecture);
    if (component.weights.kind == WeightKind::text) add_text_keys(keys, component, directory);
  }
  keys.add("general.file_type", gguf_file_type(type));
  keys.add("general.quantization_version", kQuantisationVersion);
  return keys;
}

}  // namespace engines::conversion
