// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/model_catalogue.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kSpec = "schema: 1\nname: small\narchitecture: ZImagePipeline\npath: small\n";

rh_status refusal(const ModelCatalogue& catalogue, const std::string& reference) {
  try {
    catalogue.resolve(reference);
    return RH_OK;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(ModelCatalogue, RefusesNamesThatAreNoNames) {
  const ModelCatalogue catalogue({{}, {}});
  for (const std::string name : {"", ".hidden", "a..b", "a b", "a\\b", "-flag", "a\nb", "caf\xc3\xa9"}) {
    EXPECT_EQ(refusal(catalogue, name), RH_UNSAFE_NAME) << name;
  }
  EXPECT_EQ(refusal(catalogue, std::string("a\0b", 3)), RH_UNSAFE_NAME);
  EXPECT_EQ(refusal(catalogue, std::string(129, 'a')), RH_UNSAFE_NAME);
}

TEST(ModelCatalogue, AnUnknownNameSaysWhatThereIs) {
  const TemporaryDirectory directory;
  directory.write("small.yaml", kSpec);
  try {
    ModelCatalogue({{directory.path()}, {}}).resolve("large");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_MODEL_NOT_FOUND);
    EXPECT_THAT(error.what(), HasSubstr("'large' was not found among: small"));
  }
}

TEST(ModelCatalogue, ASlashMeansADirectory) {
  const TemporaryDirectory directory;
  const ModelCatalogue catalogue({{}, {}});
  EXPECT_EQ(refusal(catalogue, directory.path().string() + "/none"), RH_MODEL_NOT_FOUND);
  const auto model = catalogue.resolve(fs::path(ROUNDHOUSE_MODELS) / "pocket-turbo");
  EXPECT_EQ(model.size.minimum, 16u);
  EXPECT_EQ(model.size.maximum, 2048u);
  EXPECT_EQ(model.defaults.width, 256u) << "the VAE's sample_size";
  EXPECT_FALSE(model.spec.has_value());
}

TEST(ModelCatalogue, TheFirstSpecOfANameWins) {
  const TemporaryDirectory first, second;
  first.write("small.yaml", std::string(kSpec) + "title: first\n");
  second.write("small.yaml", std::string(kSpec) + "title: second\n");
  EXPECT_EQ(ModelCatalogue({{first.path(), second.path()}, {}}).resolve("small").spec->title, "first");
}

TEST(ModelCatalogue, OnlyAllowedNamesAreThere) {
  const TemporaryDirectory directory;
  directory.write("small.yaml", std::string(kSpec) + "aliases: [little]\n");
  directory.write("large.yaml", "schema: 1\nname: large\narchitecture: ZImagePipeline\npath: large\n");
  ModelSearch search{{directory.path()}, {}};
  search.allowed = {"sm*", "medium"};
  const ModelCatalogue catalogue(search);
  EXPECT_EQ(refusal(catalogue, "small"), RH_OK);
  EXPECT_EQ(refusal(catalogue, "little"), RH_OK) << "an alias of it";
  EXPECT_EQ(refusal(catalogue, "large"), RH_MODEL_NOT_FOUND);
  ASSERT_EQ(catalogue.entries().size(), 1u);
  EXPECT_EQ(catalogue.entries()[0].spec.name, "small");
}

TEST(ModelCatalogue, AnUnreadableSpecDoesNotHideItsNeighbours) {
  const TemporaryDirectory directory;
  directory.write("broken.yaml", "schema: 9\n");
  directory.write("small.yaml", kSpec);
  const ModelCatalogue catalogue({{directory.path()}, {}});
  EXPECT_EQ(catalogue.problems().size(), 1u);
  EXPECT_EQ(refusal(catalogue, "small"), RH_OK);
}

TEST(ModelCatalogue, ADirectoryOfTheUserIsAModelByName) {
  const TemporaryDirectory user;
  fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", user.path() / "mine", fs::copy_options::recursive);
  const ModelCatalogue catalogue({{}, user.path()});
  EXPECT_EQ(catalogue.resolve("mine").directory, user.path() / "mine");
  ASSERT_EQ(catalogue.entries().size(), 1u);
  EXPECT_TRUE(catalogue.entries()[0].present);
}

TEST(ModelCatalogue, ASpecFindsItsModelBesideItOrInTheUsersDirectory) {
  const TemporaryDirectory specs, user;
  specs.write("small.yaml", kSpec);
  const ModelCatalogue catalogue({{specs.path()}, user.path()});
  EXPECT_EQ(catalogue.resolve("small").directory, user.path() / "small");
  EXPECT_FALSE(catalogue.entries()[0].present);
  fs::create_directory(specs.path() / "small");
  EXPECT_EQ(catalogue.resolve("small").directory, specs.path() / "small");
}

TEST(ModelCatalogue, SearchesInADocumentedOrder) {
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_EQ(model_search(none, "/p/bin/roundhouse").spec_directories,
            std::vector<fs::path>{"/p/share/roundhouse/models"});
  const auto all = [](const std::string& name) -> std::optional<std::string> {
    if (name == "XDG_DATA_HOME") return "/data";
    if (name == "ROUNDHOUSE_MODEL_PATH") return "/a::/b";
    return std::nullopt;
  };
  const auto search = model_search(all, "/p/bin/roundhouse");
  EXPECT_EQ(search.user_directory, "/data/roundhouse/models");
  EXPECT_EQ(search.spec_directories,
            (std::vector<fs::path>{"/a", "/b", "/data/roundhouse/models", "/p/share/roundhouse/models"}));
}

}  // namespace
}  // namespace roundhouse::host
