// SPDX-License-Identifier: Apache-2.0
// One precision of weights that a repository holds in several.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "host/sources/hub_choice.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

// A file of a component's weights: "vae/diffusion_pytorch_model.fp16-00001-of-00002.safetensors".
struct WeightName {
  std::string path, stem;
  std::string variant;        // "fp16", or empty
  std::string shard, shards;  // "00001", "00002", or empty
  bool index = false;

  std::string as() const {
    if (!shard.empty()) return path;  // the index calls it so
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    return folder + stem + ".safetensors" + (index ? ".index.json" : "");
  }
};

constexpr std::string_view kEnding = ".safetensors";

bool is_variant(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_number(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "-00001-of-00002" at the beginning or, with the variant behind it, in the middle.
bool take_shard(std::string& middle, WeightName& name) {
  constexpr std::size_t kBytes = 15;
  const auto at = middle.find("-of-");
  if (at == std::string::npos || at < 6 || middle[at - 6] != '-') return true;
  const std::string piece = middle.substr(at - 6, kBytes);
  name.shard = piece.substr(1, 5);
  name.shards = piece.size() == kBytes ? piece.substr(10) : "";
  middle.erase(at - 6, kBytes);
  return is_number(name.shard) && is_number(name.shards);
}

// What follows the ending of an index: ".index.json", ".index.fp16.json".
bool take_index(std::string_view rest, WeightName& name) {
  if (rest.empty()) return true;
  if (!rest.starts_with(".index") || !rest.ends_with(".json")) return false;
  name.index = true;
  rest.remove_prefix(6);
  rest.remove_suffix(5);
  if (rest.empty()) return true;
  name.variant = rest.substr(1);
  return rest[0] == '.' && is_variant(name.variant);
}

std::optional<WeightName> parse_weight_name(const std::string& path) {
  const std::string base = path.substr(path.rfind('/') + 1);
  for (const char* stem : {"model", "diffusion_pytorch_model"}) {
    const std::size_t ending = base.find(kEnding);
    if (!base.starts_with(stem) || ending == std::string::npos || ending < std::string_view(stem).size())
      continue;
    WeightName name{path, stem, {}, {}, {}, false};
    if (!take_index(std::string_view(base).substr(ending + kEnding.size()), name)) continue;
    std::string middle = base.substr(name.stem.size(), ending - name.stem.size());
    if (!take_shard(middle, name)) continue;
    if (!middle.empty() && (middle[0] != '.' || !is_variant(middle.substr(1)))) continue;
    if (!middle.empty()) name.variant = middle.substr(1);
    return name;
  }
  return std::nullopt;
}

// By variant; the empty one is the plain files.
using Precisions = std::map<std::string, std::vector<WeightName>>;

std::string names_of(const Precisions& precisions) {
  std::vector<std::string> names;
  for (const auto& [variant, files] : precisions) {
    if (!variant.empty()) names.push_back(variant);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

class PrecisionChoice {
 public:
  PrecisionChoice(const std::string& repository, const std::string& variant)
      : repository_(repository), wanted_(variant) {}

  HubChoice of(const std::vector<std::string>& paths) {
    std::map<std::string, Precisions> folders;
    for (const std::string& path : paths) {
      if (auto name = parse_weight_name(path)) {
        folders[path.substr(0, path.rfind('/') + 1)][name->variant].push_back(std::move(*name));
      } else {
        choice_.files.push_back({path, path});
      }
    }
    refuse_unknown(folders);
    for (const auto& [folder, precisions] : folders)
      choose(folder, precisions);
    std::ranges::sort(choice_.files, {}, &ChosenFile::path);
    return std::move(choice_);
  }

 private:
  void refuse_unknown(const std::map<std::string, Precisions>& folders) const {
    Precisions all;
    for (const auto& [folder, precisions] : folders)
      all.insert(precisions.begin(), precisions.end());
    if (wanted_.empty() || all.contains(wanted_)) return;
    const std::string names = names_of(all);
    throw Error(RH_WEIGHTS_MISSING,
                fmt::format("{}: holds no variant '{}', {}", repository_, wanted_,
                            names.empty() ? "only the plain files" : "expected one of " + names),
                "leave --variant out for the plain files");
  }

  void choose(const std::string& folder, const Precisions& precisions) {
    const std::string where = folder.empty() ? "" : folder.substr(0, folder.size() - 1) + ": ";
    const std::string others = names_of(precisions);
    if (!wanted_.empty() && precisions.contains(wanted_)) return take(precisions.at(wanted_));
    if (precisions.contains("")) {
      take(precisions.at(""));
      if (!wanted_.empty()) {
        note(fmt::format("{}has no variant {}, the plain files are taken", where, wanted_));
      } else if (!others.empty()) {
        note(fmt::format("{}the plain files are taken; there is also {} (--variant)", where, others));
      }
      return;
    }
    if (precisions.size() > 1)
      throw Error(RH_WEIGHTS_MISSING,
                  fmt::format("{}: {}has no plain files, but the variants {}", repository_, where, others),
                  "choose one with --variant");
    take(precisions.begin()->second);
    note(fmt::format("{}{} is the only variant and is taken", where, others));
  }

  void note(std::string text) {
    if (choice_.notes.size() < kMaximumNotes) choice_.notes.push_back(std::move(text));
  }

  void take(const std::vector<WeightName>& files) {
    std::map<std::string, std::set<std::string>> shards;  // by "stem-of-N"
    const bool indexed = std::ranges::any_of(files, &WeightName::index);
    for (const WeightName& file : files) {
      choice_.files.push_back({file.path, file.as()});
      if (file.shard.empty()) continue;
      if (!indexed)
        throw Error(RH_WEIGHTS_MISSING, fmt::format("{}: '{}' is a shard without an index, expected '{}'",
                                                    repository_, file.path, index_of(file)));
      shards[file.shards].insert(file.shard);
    }
    for (const auto& [count, present] : shards) {
      if (present.size() >= std::stoul(count)) continue;
      throw Error(RH_WEIGHTS_MISSING, fmt::format("{}: holds {} of {} shards of '{}'", repository_,
                                                  present.size(), std::stoul(count), files.front().path));
    }
  }

  static std::string index_of(const WeightName& file) {
    return fmt::format("{}{}.safetensors.index{}.json", file.path.substr(0, file.path.rfind('/') + 1),
                       file.stem, file.variant.empty() ? "" : "." + file.variant);
  }

  static constexpr std::size_t kMaximumNotes = 20;
  const std::string& repository_;
  const std::string& wanted_;
  HubChoice choice_;
};

}  // namespace

HubChoice choose_precision(const std::string& repository, const std::vector<std::string>& paths,
                           const std::string& variant) {
  return PrecisionChoice(repository, variant).of(paths);
}

}  // namespace roundhouse::host
