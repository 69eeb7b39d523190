// SPDX-License-Identifier: Apache-2.0
// The order of the rooms inside host and engines: each includes only rooms of the groups before its own.
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/structure/source_tree.h"

namespace structure {
namespace {

using Groups = std::vector<std::set<std::string>>;

const Groups kHost = {
    {"host/text"},
    {"host/log", "host/manifest", "host/transport"},
    {"host/discovery", "host/task"},
    {"host/images"},
    {"host/output", "host/registry", "host/store"},
    {"host/loading", "host/routing", "host/sources"},
    {"host/worker"},
    {"host/residency"},
    {"host/session"},
    {"host/app"},
    {"host/server"},
    {"host/cli"},
};

const Groups kEngines = {
    {"engines/tensor", "engines/threading"},
    {"engines/kernels", "engines/weights"},
    {"engines/layers"},
    {"engines/convert", "engines/sampling", "engines/text", "engines/tokenizer", "engines/vae"},
    {"engines/decoding", "engines/diffusion", "engines/pipeline"},
    {"engines/ovis", "engines/zimage"},
    {"engines/architectures"},
};

// "host/store" for "host/store/file.h"; nothing for files of other trees or of no room.
std::optional<std::string> room_of(const std::string& path) {
  if (!path.starts_with("host/") && !path.starts_with("engines/")) return std::nullopt;
  const auto end = path.find('/', path.find('/') + 1);
  return end == std::string::npos ? std::nullopt : std::optional(path.substr(0, end));
}

std::optional<std::size_t> group_of(const std::string& room) {
  const Groups& groups = room.starts_with("host/") ? kHost : kEngines;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].contains(room)) return i;
  }
  return std::nullopt;
}

// What is wrong with this include, or nothing.
std::string violation(const std::string& file, const std::string& include) {
  const auto from = room_of(file);
  const auto to = room_of(include.substr(1));
  if (!from) return "";
  const auto own = group_of(*from);
  if (!own) return *from + " has no place in the order of the rooms";
  if (!to || *to == *from) return "";
  const auto other = group_of(*to);
  // Another tree is the include rules' matter.
  if (!other || to->substr(0, 4) != from->substr(0, 4)) return "";
  return *other < *own ? "" : file + " includes " + include + ": " + *to + " does not come before " + *from;
}

TEST(RoomOrder, CatchesWhatItForbids) {
  EXPECT_EQ(violation("host/store/a.cpp", "\"host/log/log.h\""), "");
  EXPECT_EQ(violation("host/store/a.cpp", "\"host/store/b.h\""), "");
  EXPECT_NE(violation("host/store/a.cpp", "\"host/sources/b.h\""), "");
  EXPECT_NE(violation("host/store/a.cpp", "\"host/registry/b.h\""), "") << "same group";
  EXPECT_NE(violation("engines/text/a.cpp", "\"engines/pipeline/b.h\""), "");
  EXPECT_NE(violation("host/unheard_of/a.cpp", "<string>"), "");
}

TEST(RoomOrder, HoldsInEveryFile) {
  std::set<std::string> broken;
  for (const auto& file : source_files()) {
    for (const auto& include : includes_of(file))
      broken.insert(violation(file, include));
  }
  broken.erase("");
  for (const auto& line : broken)
    ADD_FAILURE() << line;
}

}  // namespace
}  // namespace structure
