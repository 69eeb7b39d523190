// SPDX-License-Identifier: Apache-2.0
// References to models, and the directories that they lead to.
#include "host/store/model_location.h"

#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST_F(StoreTest, AReferenceToADirectoryIsThatDirectory) {
  EXPECT_EQ(model_directory({"m", "A", LocalDirectory{"/models/m"}}), "/models/m");
}

TEST_F(StoreTest, AReferenceToAnEntryLeadsToItsFilesAlsoAfterTheViewIsGone) {
  import("m");
  const ModelReference model{"m", "A", StoreEntry{root(), get("m").digest.text()}};
  const fs::path directory = model_directory(model);
  EXPECT_TRUE(fs::exists(directory / "model_index.json"));
  store().clean();
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_TRUE(fs::exists(model_directory(model) / "model_index.json"));
}

TEST_F(StoreTest, AReferenceMeansTheSameFilesWhateverTheNameMeansByNow) {
  import("m");
  const ModelReference before{"m", "A", StoreEntry{root(), get("m").digest.text()}};
  const fs::path directory = model_directory(before);
  change(model() / "model_index.json", [](std::string& text) { text += "\n"; });
  import("m");
  EXPECT_EQ(model_directory(before), directory);
  const ModelReference after{"m", "A", StoreEntry{root(), get("m").digest.text()}};
  EXPECT_NE(identity_of(after), identity_of(before));
}

TEST_F(StoreTest, WhatIsAtARemoteEngineHasNoDirectory) {
  EXPECT_THAT(outcome([] {
                model_directory({"m", "A", RemoteEngineModel{"their-m"}});
              }),
              HasSubstr("CAPABILITY_UNSUPPORTED: model 'their-m' is at a remote engine"));
}

TEST_F(StoreTest, AReferenceThatNamesNothingIsAnError) {
  EXPECT_THAT(outcome([this] {
                model_directory({"m", "A", StoreEntry{root(), "sha256:1"}});
              }),
              HasSubstr("INTERNAL: model 'm': 'sha256:1' is not a digest"));
}

}  // namespace
}  // namespace roundhouse::host
