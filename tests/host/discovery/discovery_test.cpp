// SPDX-License-Identifier: Apache-2.0
// The search order, and what is found: nothing is skipped in silence, and nothing hides its neighbours.
#include "host/discovery/discovery.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <map>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DiscoveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "discovery_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern);
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path directory(const std::string& name) {
    fs::create_directories(root_ / name);
    return root_ / name;
  }

  fs::path add_engine(const std::string& where, const std::string& id) {
    const fs::path file = directory(where) / (id + ".json");
    std::ofstream(file) << R"({"schema": 1, "id": ")" << id
                        << R"(", "name": "n", "version": "1", "abi": "1.0", "library": "x.so",)"
                        << R"("capabilities": {"task": ["chat"], "device": ["cpu"]}})";
    return file;
  }

  std::vector<std::string> searched(const DiscoveryInput& input) {
    std::vector<std::string> result;
    for (const auto& found : search_directories(input))
      result.push_back(found.origin + " " + found.path.string());
    return result;
  }

  DiscoveryInput input() {
    return {.flag_directories = {},
            .environment = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables_.find(name);
              if (found == variables_.end()) return std::nullopt;
              return found->second;
            },
            .executable = "/opt/rh/bin/roundhouse"};
  }

  fs::path root_;
  std::map<std::string, std::string> variables_;
};

TEST_F(DiscoveryTest, AFlagThatLeadsNowhereIsACandidateWithAReason) {
  const auto found = discover({{root_ / "absent", "flag"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].manifest);
  ASSERT_TRUE(found[0].error);
  EXPECT_EQ(found[0].error->code(), RH_IO_ERROR);
  EXPECT_THAT(found[0].error->what(), HasSubstr("absent"));
}

TEST_F(DiscoveryTest, AFileInPlaceOfADirectoryIsACandidateWithAReason) {
  std::ofstream(root_ / "file") << "x";
  const auto found = discover({{root_ / "file", "environment"}});
  ASSERT_EQ(found.size(), 1U);
  ASSERT_TRUE(found[0].error);
  EXPECT_EQ(found[0].error->code(), RH_IO_ERROR);
}

TEST_F(DiscoveryTest, OtherMissingDirectoriesAreSilentlyEmpty) {
  EXPECT_THAT(discover({{root_ / "absent", "user"}, {root_ / "none", "environment"}}), IsEmpty());
}

TEST_F(DiscoveryTest, ABrokenManifestIsACandidateWithAReasonAndHidesNoNeighbour) {
  const auto dir = directory("a");
  std::ofstream(dir / "1-broken.json") << "{";
  add_engine("a", "good");
  fs::create_symlink(root_ / "nowhere", dir / "link.json");
  const auto found = discover({{dir, "user"}});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].error->code(), RH_ENGINE_BROKEN);
  EXPECT_EQ(found[1].manifest->id, "good");
  EXPECT_FALSE(found[1].error);
  EXPECT_EQ(found[2].error->code(), RH_IO_ERROR);
}

TEST_F(DiscoveryTest, TheFirstOfAnIdWinsAndTheSecondIsReported) {
  const fs::path first = add_engine("a", "x");
  const fs::path second = add_engine("b", "x");
  add_engine("b", "y");
  const auto found = discover({{root_ / "a", "flag"}, {root_ / "b", "user"}});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_FALSE(found[0].duplicate_of);
  EXPECT_EQ(found[1].file, second);
  EXPECT_EQ(found[1].duplicate_of, first);
  EXPECT_EQ(found[1].origin, "user");
  EXPECT_FALSE(found[2].duplicate_of);
}

TEST_F(DiscoveryTest, ReadsOnlyJsonFilesOfTheDirectoryItselfInNameOrder) {
  add_engine("a", "b");
  add_engine("a", "a");
  add_engine("a/below", "c");
  fs::create_directories(root_ / "a" / "dir.json");
  std::ofstream(root_ / "a" / "a.so") << "not looked at";
  std::vector<std::string> ids;
  for (const auto& found : discover({{root_ / "a", "user"}}))
    ids.push_back(found.manifest->id);
  EXPECT_THAT(ids, ElementsAre("a", "b"));
}

TEST_F(DiscoveryTest, SearchesFlagsThenTheVariableThenTheUserThenTheInstallation) {
  variables_ = {{"ROUNDHOUSE_ENGINE_PATH", "/e1::/e2:"}, {"XDG_DATA_HOME", "/data"}, {"HOME", "/home/u"}};
  auto in = input();
  in.flag_directories = {"/f2", "/f1"};
  const auto found = searched(in);
  ASSERT_EQ(found.size(), 6U);
  EXPECT_THAT(std::vector(found.begin(), found.begin() + 5),
              ElementsAre("flag /f2", "flag /f1", "environment /e1", "environment /e2",
                          "user /data/roundhouse/engines"));
  EXPECT_THAT(found[5], ::testing::MatchesRegex("install /opt/rh/lib.*/roundhouse/engines"));
}

TEST_F(DiscoveryTest, RelativeDirectoriesAreSearchedAndReportedUnderTheirAbsoluteNames) {
  add_engine("engines", "x");
  const fs::path before = fs::current_path();
  fs::current_path(root_);
  variables_ = {{"ROUNDHOUSE_ENGINE_PATH", "others"}};
  auto in = input();
  in.flag_directories = {"engines", ""};
  const auto directories = search_directories(in);
  const auto found = discover(directories);
  fs::current_path(before);
  ASSERT_GE(directories.size(), 3U);
  EXPECT_EQ(directories[0].path, root_ / "engines");
  EXPECT_EQ(directories[1].path, "");
  EXPECT_EQ(directories[2].path, root_ / "others");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file, root_ / "engines" / "x.json");
  EXPECT_EQ(found[0].manifest->file, found[0].file);
  EXPECT_THAT(found[1].error->what(), HasSubstr("engine directory '': no such file or directory"));
}

TEST_F(DiscoveryTest, TheUserDirectoryIsBelowHomeUnlessXdgSaysOtherwise) {
  variables_ = {{"HOME", "/home/u"}, {"XDG_DATA_HOME", "relative/is/ignored"}};
  EXPECT_THAT(searched(input()).front(), "user /home/u/.local/share/roundhouse/engines");
  variables_ = {};
  EXPECT_THAT(searched(input()).front(), HasSubstr("install "));
}

TEST_F(DiscoveryTest, ADirectoryNamedTwiceCountsOnce) {
  directory("a");
  fs::create_directory_symlink(root_ / "a", root_ / "link");
  variables_ = {{"ROUNDHOUSE_ENGINE_PATH", (root_ / "link").string() + ":" + (root_ / "a" / "").string()}};
  auto in = input();
  in.flag_directories = {root_ / "a", root_ / "b" / ".." / "a"};
  const auto found = search_directories(in);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].origin, "flag");
  EXPECT_EQ(found[1].origin, "install");
}

TEST_F(DiscoveryTest, ABuildTreeHasItsEnginesBesideItsPrograms) {
  directory("build/bin");
  std::ofstream(root_ / "build" / "CMakeCache.txt") << "";
  auto in = input();
  in.executable = root_ / "build" / "bin" / "roundhouse";
  EXPECT_THAT(searched(in), ElementsAre("build " + (root_ / "build" / "engines").string()));
}

}  // namespace
}  // namespace roundhouse::host
