// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/model_files.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engines/pipeline/shared_components.h"
#include "engines/tensor/error.h"
#include "engines/weights/config.h"

namespace engines {
namespace {

constexpr const char* kIndex = "model_index.json";

bool present(const std::filesystem::path& file) {
  std::error_code unreadable;  // counts as absent
  return std::filesystem::exists(file, unreadable);
}

template <class Words>
std::string joined(const Words& words, std::string_view between) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? std::string() : std::string(between)) + std::string(word);
  return text;
}

void require(const std::filesystem::path& directory, const std::vector<NeededFile>& files) {
  std::vector<std::string> missing;
  for (const NeededFile& needed : files) {
    const auto found = [&](const char* file) { return file != nullptr && present(directory / file); };
    if (!found(needed.file) && !found(needed.instead) && !found(needed.or_instead))
      missing.emplace_back(needed.file);
  }
  if (missing.empty()) return;
  throw Error(RH_WEIGHTS_MISSING,
              "model directory '" + directory.filename().string() + "': missing " + joined(missing, ", "));
}

std::vector<NeededFile> files_of(const Architecture& architecture) {
  std::vector<NeededFile> files = {{kIndex}};
  for (const ComponentRule& component : architecture.components)
    files.insert(files.end(), component.files.begin(), component.files.end());
  return files;
}

const Architecture& named_by(const Config& index, Architectures known) {
  const std::string name = index.text("_class_name");
  const auto found = std::ranges::find(known, name, &Architecture::id);
  if (found != known.end()) return *found;
  std::vector<std::string> ids;
  for (const Architecture& architecture : known)
    ids.push_back("'" + std::string(architecture.id) + "'");
  index.fail("_class_name", "'" + name + "' is not supported, expected " + joined(ids, " or "));
}

void check_classes(const Config& index, const Architecture& architecture) {
  for (const ComponentRule& component : architecture.components) {
    const auto pair = index.texts_or(component.name, {});  // library and class
    if (pair.size() != 2) index.fail(component.name, "is missing or incomplete, expected [library, class]");
    if (std::ranges::find(component.classes, pair[1]) == component.classes.end()) {
      index.fail(component.name,
                 "'" + pair[1] + "' is not supported, expected " + joined(component.classes, " or "));
    }
  }
}

}  // namespace

TokenizerSource tokenizer_source(const std::filesystem::path& directory) {
  const auto folder = directory / "tokenizer";
  if (present(folder / "tokenizer_config.json") || !present(directory / kEncoderGguf)) return {folder, {}};
  return {{}, directory / kEncoderGguf};
}

const Architecture& checked_architecture(Architectures known, const std::filesystem::path& directory) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(directory, unreadable))
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + directory.string() + "' does not exist");
  // Without an index, what is missing of the first architecture: a directory of nothing says all of it.
  if (!present(directory / kIndex)) require(directory, files_of(known.front()));
  const Config index = Config::read(directory / kIndex, kIndex);
  const Architecture& architecture = named_by(index, known);
  require(directory, files_of(architecture));
  check_classes(index, architecture);
  return architecture;
}

}  // namespace engines
