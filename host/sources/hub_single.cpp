// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_single.h"

#include <fmt/format.h>

#include <algorithm>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr const char* kEndings[] = {".gguf", ".safetensors"};
constexpr std::size_t kShownFiles = 12;

std::string in_lower_case(std::string text) {
  for (char& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string without_ending(const std::string& name) {
  for (const std::string ending : kEndings) {
    if (in_lower_case(name).ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return name;
}

// "-00001-of-00003" at the end of a name without its ending.
std::size_t split_at(const std::string& stem) {
  constexpr std::size_t kBytes = 15;
  if (stem.size() < kBytes) return std::string::npos;
  const std::string end = stem.substr(stem.size() - kBytes);
  for (std::size_t i = 0; i < kBytes; ++i) {
    const bool digit = (i >= 1 && i <= 5) || i >= 10;
    if (digit ? end[i] < '0' || end[i] > '9' : end[i] != "-     -of-     "[i]) return std::string::npos;
  }
  return stem.size() - kBytes;
}

bool is_side_file(const std::string& path) {
  const std::string name = in_lower_case(file_name(path));
  return name.find("mmproj") != std::string::npos || name.find("imatrix") != std::string::npos;
}

// "x-Q8_0" for "Q8_0".
bool ends_in(const std::string& stem, const std::string& wanted) {
  if (stem.size() <= wanted.size() || !stem.ends_with(wanted)) return false;
  return std::string_view("-_.").find(stem[stem.size() - wanted.size() - 1]) != std::string_view::npos;
}

std::vector<std::string> meant(const std::string& file, const std::vector<std::string>& paths) {
  const std::string wanted = in_lower_case(file);
  std::vector<std::string> by_name, by_type;
  for (const std::string& path : paths) {
    const std::string whole = in_lower_case(path), name = file_name(whole);
    if (whole == wanted) return {path};
    std::string stem = without_ending(name);
    if (name == wanted || stem == wanted) by_name.push_back(path);
    if (const auto split = split_at(stem); split != std::string::npos) stem.resize(split);
    if (!is_side_file(path) && (stem == wanted || ends_in(stem, wanted))) by_type.push_back(path);
  }
  return by_name.empty() ? by_type : by_name;
}

std::string listed(const std::vector<std::string>& paths) {
  std::string text;
  for (std::size_t i = 0; i < std::min(paths.size(), kShownFiles); ++i)
    text += (i == 0 ? "" : ", ") + paths[i];
  return paths.size() > kShownFiles ? fmt::format("{} and {} more", text, paths.size() - kShownFiles) : text;
}

std::string hint(const HubRepository& repository) {
  const HubRepository whole{repository.name, repository.revision};
  return fmt::format(
      "choose one: roundhouse pull {}:Q8_0 (or another type, or a file's whole name); for an image model's "
      "transformer add --base MODEL, which has the other components, as 'roundhouse import FILE --base' does",
      whole.text());
}

void refuse_split(const HubRepository& repository, const std::string& path) {
  if (split_at(without_ending(file_name(path))) == std::string::npos) return;
  throw Error(RH_WEIGHTS_MISSING,
              fmt::format("{}: '{}' is one part of a split file, which is not read", repository.text(), path),
              "choose a file that is whole, or fetch the parts, merge them with 'llama-gguf-split --merge', "
              "and import the result");
}

}  // namespace

std::vector<std::string> single_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const bool hidden = path.starts_with('.') || path.find("/.") != std::string::npos;
    if (!hidden && !is_side_file(path) && without_ending(path) != path) files.push_back(path);
  }
  return files;
}

std::string choose_single_file(const HubRepository& repository, const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (without_ending(path) != path) files.push_back(path);
  }
  const auto all = single_files(paths);
  const auto found = repository.file.empty() ? all : meant(repository.file, files);
  if (!found.empty()) refuse_split(repository, found.front());
  if (found.size() == 1) return found.front();
  const HubRepository whole{repository.name, repository.revision};
  if (repository.file.empty())
    throw Error(RH_WEIGHTS_MISSING,
                fmt::format("{}: is no model directory, but holds {} GGUF or safetensors files: {}",
                            whole.text(), all.size(), listed(all)),
                hint(repository));
  throw Error(RH_WEIGHTS_MISSING,
              fmt::format("{}: '{}' is the name of {}: {}", whole.text(), repository.file,
                          found.empty() ? "no file, expected one of" : "several files",
                          listed(found.empty() ? all : found)),
              hint(repository));
}

}  // namespace roundhouse::host
