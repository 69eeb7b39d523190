// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/find_tokenizer.h"

#include <fmt/format.h>

#include <vector>

#include "engines/pipeline/model_files.h"
#include "engines/tensor/error.h"
#include "engines/weights/gguf.h"

namespace engines {
namespace {

namespace fs = std::filesystem;

bool holds_tokenizer(const fs::path& folder) {
  std::error_code unreadable;  // counts as absent
  return fs::exists(folder / "tokenizer.json", unreadable) || fs::exists(folder / "vocab.json", unreadable);
}

std::vector<fs::path> gguf_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(directory, unreadable))
    if (entry.path().extension() == ".gguf") files.push_back(entry.path());
  return files;
}

}  // namespace

Tokenizer find_tokenizer(const fs::path& directory) {
  std::error_code unreadable;
  if (fs::is_regular_file(directory, unreadable)) return Tokenizer::from_gguf(GgufFile(directory));
  if (!fs::is_directory(directory, unreadable))
    throw Error(RH_MODEL_NOT_FOUND, fmt::format("directory '{}' does not exist", directory.string()));
  if (holds_tokenizer(directory)) return Tokenizer::load(directory);
  const TokenizerSource source = tokenizer_source(directory);
  if (!source.gguf.empty()) return Tokenizer::from_gguf(GgufFile(source.gguf));
  if (holds_tokenizer(source.folder)) return Tokenizer::load(source.folder);
  const auto ggufs = gguf_files(directory);
  if (ggufs.size() == 1) return Tokenizer::from_gguf(GgufFile(ggufs.front()));
  throw Error(RH_WEIGHTS_MISSING,
              fmt::format("directory '{}': has no tokenizer: neither tokenizer.json nor vocab.json, here "
                          "or in 'tokenizer', nor one GGUF file",
                          directory.filename().string()));
}

}  // namespace engines
