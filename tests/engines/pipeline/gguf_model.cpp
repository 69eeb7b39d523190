// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/pipeline/gguf_model.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "engines/tensor/quantise.h"
#include "engines/weights/choose_type.h"

namespace engines::test {
namespace {

WeightRole role_of(const std::string& name, const WeightView& view) {
  static const std::regex matrices(
      R"((layers|noise_refiner|context_refiner)\.\d+\.(attention\.to_|feed_forward\.w|adaLN_).*\.weight|)"
      R"(model\.layers\.\d+\..*_proj\.weight)");
  if (view.shape.size() < 2) return WeightRole::vector;
  if (std::regex_match(name, matrices)) return WeightRole::matrix;
  return name.find("embed_tokens") != std::string::npos ? WeightRole::embedding : WeightRole::other;
}

Dtype type_for(const std::string& name, const Rewriting& how) {
  for (const auto& [prefix, type] : how.others)
    if (name.starts_with(prefix)) return type;
  return how.type;
}

struct Written {
  TensorSpec spec;
  std::map<std::size_t, const WeightView*> parts;  // by their place
};

}  // namespace

void rewrite_weights(const std::filesystem::path& folder, const std::string& stem,
                     const std::filesystem::path& to, const Rewriting& how) {
  const WeightSet set(folder, stem);
  std::map<std::string, Written> tensors;
  for (const auto& name : set.names()) {
    const WeightView& view = *set.find(name);
    const StoredName stored = how.names.stored(name);
    Written& written = tensors[how.prefix + stored.name];
    written.spec = {
        how.prefix + stored.name,
        choose_type(type_for(name, how), view.dtype, view.shape.back(), view.size(), role_of(name, view)),
        view.shape};
    written.spec.shape[0] *= static_cast<std::int64_t>(stored.parts);
    written.parts[stored.part] = &view;
  }
  std::vector<TensorSpec> specs;
  for (const auto& [name, written] : tensors)
    specs.push_back(written.spec);
  const bool gguf = how.format == Format::gguf;
  std::filesystem::create_directories(to);
  const auto file = to / (stem + (gguf ? ".gguf" : ".safetensors"));
  TensorWriter writer =
      gguf ? TensorWriter::gguf(file, how.keys, specs) : TensorWriter::safetensors(file, specs);
  for (const auto& spec : std::vector<TensorSpec>(writer.tensors())) {
    for (const auto& [part, view] : tensors.at(spec.name).parts) {
      std::vector<std::byte> data(static_cast<std::size_t>(bytes_of(spec.dtype, view->size())));
      if (convert(data.data(), spec.dtype, view->data, view->dtype, view->size()) != view->size())
        throw std::runtime_error(spec.name + " does not fit its type");
      writer.write(data.data(), data.size());
    }
  }
  writer.finish();
}

GgufKeys encoder_keys(const std::filesystem::path& folder) {
  std::ifstream stream(folder / "config.json");
  const auto config = nlohmann::json::parse(stream);
  const auto number = [&](const char* field) { return config.at(field).get<std::uint32_t>(); };
  GgufKeys keys;
  keys.add("general.architecture", "qwen3");
  keys.add("qwen3.embedding_length", number("hidden_size"));
  keys.add("qwen3.block_count", number("num_hidden_layers"));
  keys.add("qwen3.feed_forward_length", number("intermediate_size"));
  keys.add("qwen3.attention.head_count", number("num_attention_heads"));
  keys.add("qwen3.attention.head_count_kv", number("num_key_value_heads"));
  keys.add("qwen3.attention.key_length", number("head_dim"));
  keys.add("qwen3.attention.layer_norm_rms_epsilon", config.at("rms_norm_eps").get<float>());
  keys.add("qwen3.rope.freq_base", config.at("rope_theta").get<float>());
  return keys;
}

}  // namespace engines::test
