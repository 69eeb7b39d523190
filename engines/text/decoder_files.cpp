// SPDX-License-Identifier: Apache-2.0
#include "engines/text/decoder_files.h"

#include <fmt/format.h>

#include <vector>

#include "engines/tensor/error.h"
#include "engines/text/decoder_family.h"
#include "engines/text/llama_cpp_names.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr const char* kStem = "model";

bool is_there(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

}  // namespace

std::string find_weights_stem(const std::filesystem::path& folder) {
  if (is_there(folder / "model.gguf") || is_there(folder / "model.safetensors") ||
      is_there(folder / "model.safetensors.index.json"))
    return kStem;
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".gguf") found.push_back(entry.path());
  if (found.size() > 1)
    throw Error(RH_MODEL_INVALID, fmt::format("{}: has {} GGUF files, expected one, or one named model.gguf",
                                              shown_path(folder), found.size()));
  return found.empty() ? kStem : found.front().stem().string();
}

DecoderFiles read_decoder_files(const std::filesystem::path& folder) {
  DecoderFiles files;
  files.stem = find_weights_stem(folder);
  const auto gguf = folder / (files.stem + ".gguf");
  const auto json = folder / "config.json";
  const bool from_gguf = is_there(gguf);
  Config config =
      from_gguf && !is_there(json) ? config_of_gguf(GgufFile(gguf)) : Config::read(json, "config.json");
  if (const auto text = config.object("text_config")) config = *text;  // of a model that sees, too
  files.shown = config.shown();
  files.names = from_gguf ? llama_cpp_names(decoder_family(config)) : llama_cpp_names();
  files.config = DecoderConfig::read(config, from_gguf);
  return files;
}

}  // namespace engines
