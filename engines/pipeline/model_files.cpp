// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/model_files.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tensor/error.h"
#include "engines/weights/config.h"

namespace engines {
namespace {

struct NeededFile {
  const char* file;
  // Other files, each of which makes this one unnecessary.
  const char* instead = nullptr;
  const char* or_instead = nullptr;
};

// A GGUF file of the text encoder has its configuration and its tokenizer inside.
constexpr const char* kEncoderGguf = "text_encoder/model.gguf";

constexpr NeededFile needed_files[] = {
    {"model_index.json"},
    {"scheduler/scheduler_config.json"},
    {"tokenizer/tokenizer_config.json", kEncoderGguf},
    {"tokenizer/vocab.json", "tokenizer/tokenizer.json", kEncoderGguf},
    {"tokenizer/merges.txt", "tokenizer/tokenizer.json", kEncoderGguf},
    {"text_encoder/config.json", kEncoderGguf},
    {"text_encoder/model.safetensors", "text_encoder/model.safetensors.index.json", kEncoderGguf},
    {"transformer/config.json"},
    {"transformer/diffusion_pytorch_model.safetensors",
     "transformer/diffusion_pytorch_model.safetensors.index.json",
     "transformer/diffusion_pytorch_model.gguf"},
    {"vae/config.json"},
    {"vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors.index.json",
     "vae/diffusion_pytorch_model.gguf"},
};

struct ComponentClass {
  std::string_view component;
  std::vector<std::string> supported;
};

const std::vector<ComponentClass>& component_classes() {
  static const std::vector<ComponentClass> classes = {
      {"scheduler", {"FlowMatchEulerDiscreteScheduler"}},
      {"tokenizer", {"Qwen2Tokenizer", "Qwen2TokenizerFast"}},
      {"text_encoder", {"Qwen3Model", "Qwen3ForCausalLM"}},
      {"transformer", {"ZImageTransformer2DModel"}},
      {"vae", {"AutoencoderKL"}},
  };
  return classes;
}

bool present(const std::filesystem::path& file) {
  std::error_code unreadable;  // counts as absent
  return std::filesystem::exists(file, unreadable);
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? std::string() : std::string(between)) + word;
  return text;
}

}  // namespace

TokenizerSource tokenizer_source(const std::filesystem::path& directory) {
  const auto folder = directory / "tokenizer";
  if (present(folder / "tokenizer_config.json") || !present(directory / kEncoderGguf)) return {folder, {}};
  return {{}, directory / kEncoderGguf};
}

void require_zimage_files(const std::filesystem::path& directory) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(directory, unreadable))
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + directory.string() + "' does not exist");

  std::vector<std::string> missing;
  for (const NeededFile& needed : needed_files) {
    const auto found = [&](const char* file) { return file != nullptr && present(directory / file); };
    if (!found(needed.file) && !found(needed.instead) && !found(needed.or_instead))
      missing.emplace_back(needed.file);
  }
  if (!missing.empty()) {
    throw Error(RH_WEIGHTS_MISSING,
                "model directory '" + directory.filename().string() + "': missing " + joined(missing, ", "));
  }
}

void check_model_index(const std::filesystem::path& directory) {
  const Config index = Config::read(directory / "model_index.json", "model_index.json");
  if (const auto name = index.text("_class_name"); name != "ZImagePipeline")
    index.fail("_class_name", "'" + name + "' is not supported, expected 'ZImagePipeline'");
  for (const auto& [component, supported] : component_classes()) {
    const auto pair = index.texts_or(component, {});  // library and class
    if (pair.size() != 2) index.fail(component, "is missing or incomplete, expected [library, class]");
    if (std::ranges::find(supported, pair[1]) == supported.end()) {
      index.fail(component, "'" + pair[1] + "' is not supported, expected " + joined(supported, " or "));
    }
  }
}

}  // namespace engines
