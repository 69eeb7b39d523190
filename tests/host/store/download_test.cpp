// SPDX-License-Identifier: Apache-2.0
// Files on their way into the store.
#include "host/store/download.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "host/store/model_intake.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kText = "the content of the file";

class DownloadTest : public StoreTest {
 protected:
  DownloadTarget target() const { return {"vae/config.json", kText.size(), sha256(kText), {}, {}}; }
  DownloadTarget git_target() const {
    GitBlobSha1 hash(kText.size());
    hash.update(kText);
    return {"vae/config.json", kText.size(), {}, hash.finish(), "org/name"};
  }
  std::size_t files() const { return names_in(paths().downloads()).size(); }

  StorePaths paths_ = paths();
  StoreSession session_{paths_};
  BlobWriter writer_{paths_, session_};
  const std::function<void()> patient_ = [] {};
};

TEST_F(DownloadTest, AGitBlobIsCalledWhatGitCallsIt) {
  GitBlobSha1 hash(12);
  hash.update("hello ");
  hash.update("world\n");
  EXPECT_EQ(hash.finish(), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
}

TEST_F(DownloadTest, WhatHasArrivedIsThereTheNextTime) {
  {
    Download download(paths_, target(), patient_);
    EXPECT_EQ(download.have(), 0u);
    download.append(kText.substr(0, 10));
  }
  EXPECT_EQ(missing_bytes(paths_, target()), kText.size() - 10);
  Download download(paths_, target(), patient_);
  EXPECT_EQ(download.have(), 10u);
  EXPECT_FALSE(download.complete());
  download.append(kText.substr(10));
  EXPECT_TRUE(download.complete());
  const BlobPlaced placed = download.publish(writer_);
  EXPECT_EQ(placed.digest, sha256(kText));
  EXPECT_EQ(placed.how, Placed::fetched);
  EXPECT_EQ(missing_bytes(paths_, target()), 0u);
  EXPECT_TRUE(fs::exists(paths_.blob(sha256(kText))));
  EXPECT_EQ(fs::status(paths_.blob(sha256(kText))).permissions(), fs::perms(0444));
  EXPECT_EQ(files(), 1u) << "the mark of a blob that no model has yet";
}

TEST_F(DownloadTest, AFileThatIsThereIsFoundAgainAlsoByItsGitDigest) {
  for (const DownloadTarget& wanted : {git_target(), target()}) {
    Download first(paths_, wanted, patient_);
    if (wanted.sha256) {
      EXPECT_EQ(first.present(writer_)->how, Placed::present) << "as the other has made it";
      continue;
    }
    EXPECT_FALSE(first.present(writer_));
    first.append(kText);
    first.publish(writer_);
  }
  EXPECT_EQ(Download(paths_, git_target(), patient_).present(writer_)->digest, sha256(kText));
  DownloadTarget strangers = git_target();
  strangers.scope = "other/name";
  EXPECT_FALSE(Download(paths_, strangers, patient_).present(writer_));
  fs::remove(paths_.blob(sha256(kText)));
  EXPECT_FALSE(Download(paths_, git_target(), patient_).present(writer_));
}

TEST_F(DownloadTest, WhatIsNotAsDescribedIsRemovedWithBothDigestsTold) {
  const auto publish = [&](const DownloadTarget& wanted, const std::string& text) {
    return outcome([&] {
      Download download(paths_, wanted, patient_);
      download.append(text);
      download.publish(writer_);
    });
  };
  std::string other = kText;
  other[3] = 'X';
  EXPECT_THAT(publish(target(), other),
              StartsWith("INTEGRITY_MISMATCH: file 'vae/config.json': sha256 is " + sha256(other).brief() +
                         ".., expected " + sha256(kText).brief()));
  EXPECT_THAT(publish(git_target(), other), HasSubstr("git sha1 is "));
  EXPECT_THAT(publish(target(), "short"), HasSubstr("has 5 bytes, expected 23"));
  EXPECT_THAT(publish(target(), kText + "x"), StartsWith("SOURCE_REJECTED"));
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(names_in(paths_.blobs()).empty());
}

TEST_F(DownloadTest, WeightsBringTheDigestsOfTheirTensors) {
  std::ifstream stream(model() / "vae/diffusion_pytorch_model.safetensors", std::ios::binary);
  const std::string weights{std::istreambuf_iterator<char>(stream), {}};
  const DownloadTarget wanted{
      "vae/diffusion_pytorch_model.safetensors", weights.size(), sha256(weights), {}, {}};
  { Download(paths_, wanted, patient_).append(weights.substr(0, 1000)); }
  Download download(paths_, wanted, patient_);
  download.append(weights.substr(1000));
  const BlobPlaced placed = download.publish(writer_);
  import("m");
  const ModelManifest manifest = store().manifest(get("m"));
  const auto expected = store().config(get("m"), manifest).weights.at(wanted.path);
  ASSERT_TRUE(placed.weights);
  ASSERT_EQ(placed.weights->tensors.size(), expected.tensors.size());
  EXPECT_EQ(placed.weights->tensors.back().digest, expected.tensors.back().digest);
  const auto present = Download(paths_, wanted, patient_).present(writer_);
  ASSERT_TRUE(present && present->weights);
  EXPECT_EQ(present->weights->header, expected.header);
}

TEST_F(DownloadTest, TheSecondWaitsAndFindsWhatTheFirstMade) {
  auto first = std::make_unique<Download>(paths_, target(), patient_);
  std::atomic<bool> waiting = false;
  std::optional<BlobPlaced> seen;
  std::thread second([&] {
    Download download(paths_, target(), [&] { waiting = true; });
    seen = download.present(writer_);
  });
  while (!waiting)
    std::this_thread::yield();
  first->append(kText);
  first->publish(writer_);
  first.reset();
  second.join();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->how, Placed::present);
}

TEST_F(DownloadTest, WaitingEndsWhenTheTickThrows) {
  const Download first(paths_, target(), patient_);
  EXPECT_EQ(outcome([&] { Download(paths_, target(), [] { throw Error(RH_CANCELLED, "enough"); }); }),
            "CANCELLED: enough");
}

TEST_F(DownloadTest, CleanTakesWhatNobodyIsAtWorkOnAndGcNothing) {
  { Download(paths_, target(), patient_).append("abc"); }
  DownloadTarget busy = git_target();
  Download download(paths_, busy, patient_);
  download.append(kText.substr(0, 5));
  store().collect(false);
  EXPECT_EQ(files(), 2u);
  const Collection collection = store().clean();
  EXPECT_EQ(collection.downloads.size(), 1u);
  EXPECT_EQ(collection.bytes, 3u);
  EXPECT_EQ(files(), 1u);
  download.append(kText.substr(5));
  EXPECT_EQ(download.publish(writer_).digest, sha256(kText));
}

TEST_F(DownloadTest, GcKeepsWholeFilesOfAPullThatHasNotEnded) {
  Digest blob = sha256("");
  {
    StoreSession killed(paths_);
    BlobWriter writer(paths_, killed);
    Download download(paths_, target(), patient_);
    download.append(kText);
    blob = download.publish(writer).digest;
  }
  EXPECT_TRUE(store().collect(false).blobs.empty());
  EXPECT_EQ(missing_bytes(paths_, target()), 0u);
  store().clean();
  EXPECT_EQ(store().collect(false).blobs, std::vector{blob});
}

TEST_F(DownloadTest, WhatAModelWasMadeOfGoesWithTheModel) {
  std::ifstream stream(model() / "vae/config.json", std::ios::binary);
  const std::string config{std::istreambuf_iterator<char>(stream), {}};
  {
    Download download(paths_, {"vae/config.json", config.size(), sha256(config), {}, {}}, patient_);
    download.append(config);
    download.publish(writer_);
  }
  EXPECT_EQ(fetched_blobs(paths_), std::set{sha256(config)});
  import("m");
  EXPECT_TRUE(fetched_blobs(paths_).empty());
}

TEST_F(DownloadTest, AKilledProcessLeavesItsBytesAndNoLock) {
  const pid_t child = ::fork();
  if (child == 0) {
    Download download(paths_, target(), patient_);
    download.append(kText.substr(0, 7));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Download download(paths_, target(), [] { FAIL() << "nobody has it"; });
  EXPECT_EQ(download.have(), 7u);
}

TEST_F(DownloadTest, AnIntakeGivesANameOnlyToWhatIsComplete) {
  ModelIntake intake(root());
  for (const auto& entry : fs::recursive_directory_iterator(model())) {
    if (!entry.is_regular_file() || entry.path().filename() == "scheduler_config.json") continue;
    const std::string path = fs::relative(entry.path(), model()).generic_string();
    intake.add(path, intake.writer().place(entry.path(), path, LinkMode::automatic, [](auto) {}));
  }
  const std::string told = outcome([&] { intake.inspect("hf:org/name"); });
  EXPECT_EQ(told, "WEIGHTS_MISSING: model 'hf:org/name': missing scheduler/scheduler_config.json");
  const std::string last = "scheduler/scheduler_config.json";
  intake.add(last, intake.writer().place(model() / last, last, LinkMode::automatic, [](auto) {}));
  const ModelDirectory inspected = intake.inspect("hf:org/name");
  EXPECT_TRUE(store().list().empty());
  const ImportReport report = intake.finish(ModelName::parse("m"), inspected, {}, "hf:org/name");
  import("imported");
  EXPECT_EQ(report.model.digest, get("imported").digest);
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
  EXPECT_THAT(outcome([&] { intake.require_space(std::uint64_t{1} << 62); }),
              StartsWith("INSUFFICIENT_STORAGE"));
}

}  // namespace
}  // namespace roundhouse::host
