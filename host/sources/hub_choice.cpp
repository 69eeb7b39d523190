// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_choice.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <set>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::array kWanted = {"*.json",  "*.txt",    "*.safetensors", "*.model",
                                "*.jinja", "LICENSE*", "NOTICE*",       "*/LICENSE*"};
constexpr const char* kWeights = ".safetensors";

bool is_hidden(const std::string& path) {
  return path.starts_with('.') || path.find("/.") != std::string::npos;
}

bool is_weights_file(const std::string& path) {
  return path.ends_with(kWeights) || path.ends_with(std::string(kWeights) + ".index.json");
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// At the root: a checkpoint for other programs, where components or the plain name of a text model are there.
bool is_second_form(const std::string& path, const std::set<std::string>& all) {
  if (!folder_of(path).empty() || !is_weights_file(path)) return false;
  if (all.contains("model_index.json")) return true;
  const bool plain = all.contains("model.safetensors") || all.contains("model.safetensors.index.json");
  return plain && !path.starts_with("model.safetensors") && !path.starts_with("model-");
}

// '*' also matches '/', as in the hub's own clients.
bool is_wanted(const std::string& path) {
  return std::any_of(kWanted.begin(), kWanted.end(),
                     [&](const char* pattern) { return ::fnmatch(pattern, path.c_str(), 0) == 0; });
}

bool is_any(const std::vector<std::string>& paths, const std::string& ending) {
  return std::any_of(paths.begin(), paths.end(),
                     [&](const std::string& path) { return path.ends_with(ending); });
}

// "a.gguf, b.gguf, c.gguf and 9 more"
std::string some_of(const std::vector<std::string>& paths, const std::string& ending) {
  constexpr std::size_t kShown = 3;
  std::string text;
  std::size_t count = 0;
  for (const std::string& path : paths) {
    if (!path.ends_with(ending)) continue;
    if (++count <= kShown) text += (text.empty() ? "" : ", ") + path;
  }
  return text + (count > kShown ? fmt::format(" and {} more", count - kShown) : "");
}

bool is_described(const std::vector<std::string>& chosen) {
  return std::any_of(chosen.begin(), chosen.end(), [](const std::string& path) {
    return path == "model_index.json" || path == "config.json";
  });
}

}  // namespace

bool is_model(const std::vector<std::string>& chosen) {
  return is_described(chosen) && is_any(chosen, kWeights);
}

void refuse_no_model(const std::string& repository, const std::vector<std::string>& paths,
                     const std::vector<std::string>& chosen) {
  const std::string missing = is_described(chosen) ? "holds no safetensors of a model"
                                                   : "holds no model_index.json and no config.json";
  const std::string begin = repository + ": " + missing;
  if (is_any(paths, "adapter_config.json") || is_any(paths, "pytorch_lora_weights.safetensors"))
    throw Error(RH_WEIGHTS_MISSING, begin + "; it is a LoRA, which is not a model by itself",
                "pull the model that it was made for");
  for (const char* ending : {".bin", ".ckpt", ".pt", ".pth"}) {
    if (!is_any(paths, ending)) continue;
    throw Error(RH_WEIGHTS_MISSING, begin + ", but pickles, which are never read: " + some_of(paths, ending),
                "look for a repository with safetensors");
  }
  throw Error(RH_WEIGHTS_MISSING, begin, "see the repository's page for what it holds");
}

std::vector<std::string> model_paths(const std::vector<std::string>& paths) {
  std::vector<std::string> chosen;
  const std::set<std::string> all(paths.begin(), paths.end());
  const std::ptrdiff_t deepest = all.contains("model_index.json") ? 1 : 0;
  for (const std::string& path : paths) {
    const auto depth = std::count(path.begin(), path.end(), '/');
    if (depth > deepest || is_hidden(path) || !is_wanted(path)) continue;
    if (!is_second_form(path, all)) chosen.push_back(path);
  }
  return chosen;
}

}  // namespace roundhouse::host
