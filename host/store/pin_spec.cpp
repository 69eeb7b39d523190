// SPDX-License-Identifier: Apache-2.0
#include "host/store/pin_spec.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <vector>

#include "host/store/model_catalogue.h"
#include "host/store/model_fetch.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

// Some bytes of the text for others.
struct Edit {
  std::size_t at, bytes;
  std::string text;
};

class Pinning {
 public:
  Pinning(const std::string& text, const std::filesystem::path& file, const Commits& commits)
      : text_(text), shown_(file.string()), commits_(commits) {}

  std::string run() {
    const YAML::Node root = YAML::Load(text_);
    pin(root["base"]);
    for (const auto& component : root["components"])
      pin(component.second["base"]);
    std::ranges::sort(edits_, std::greater<>(), &Edit::at);
    std::string pinned = text_;
    for (const Edit& edit : edits_)
      pinned.replace(edit.at, edit.bytes, edit.text);
    return pinned;
  }

 private:
  void pin(const YAML::Node& base) {
    if (!base.IsDefined() || !base.IsMap() || !base["hf_repo"].IsDefined()) return;
    const YAML::Node repository = base["hf_repo"], revision = base["revision"];
    const auto commit = commits_.find(repository.Scalar());
    if (commit == commits_.end())
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}: no pull has told the commit of '{}'", shown_, repository.Scalar()),
                  "pull the model again, then pin it");
    if (revision.IsDefined()) {
      edits_.push_back({place_of(revision), revision.Scalar().size(), commit->second});
      return;
    }
    std::size_t end = place_of(repository) + repository.Scalar().size();
    if (end < text_.size() && (text_[end] == '"' || text_[end] == '\'')) ++end;
    const bool flow = base.Style() == YAML::EmitterStyle::Flow;
    const int indent = base.begin()->first.Mark().column;
    edits_.push_back({end, 0,
                      flow ? ", revision: " + commit->second
                           : fmt::format("\n{:{}}revision: {}", "", indent, commit->second)});
  }

  // Where the value itself stands. The library counts characters in lines, which are bytes where all is
  // ASCII.
  std::size_t place_of(const YAML::Node& scalar) const {
    std::size_t at = 0;
    for (int line = 0; line < scalar.Mark().line; ++line)
      at = std::min(text_.find('\n', at), text_.size() - 1) + 1;
    at += static_cast<std::size_t>(scalar.Mark().column);
    if (at < text_.size() && (text_[at] == '"' || text_[at] == '\'')) ++at;
    if (at > text_.size() || text_.compare(at, scalar.Scalar().size(), scalar.Scalar()) != 0)
      throw Error(RH_MODEL_INVALID, fmt::format("{}:{}: cannot be edited, expected a plain '{}'", shown_,
                                                scalar.Mark().line + 1, scalar.Scalar()));
    return at;
  }

  const std::string& text_;
  const std::string shown_;
  const Commits& commits_;
  std::vector<Edit> edits_;
};

}  // namespace

std::string pinned_spec_text(const std::string& text, const std::filesystem::path& file,
                             const Commits& commits) {
  parse_model_spec(text, file);
  std::string pinned = Pinning(text, file, commits).run();
  for (const ModelFetch& fetch : fetches_of(parse_model_spec(pinned, file))) {
    if (!fetch.base.pinned())
      throw Error(RH_MODEL_INVALID,
                  fmt::format("{}: base of '{}' cannot be edited", file.string(), fetch.base.repository));
  }
  return pinned;
}

}  // namespace roundhouse::host
