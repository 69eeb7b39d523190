// SPDX-License-Identifier: Apache-2.0
// Several processes in one store, and processes that are killed.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

class StoreProcesses : public StoreTest {
 protected:
  // Runs the work in a process of its own, which ends with 0 when nothing was thrown.
  static pid_t spawn(const std::function<void()>& work) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    const std::string told = outcome(work);
    if (told != "ok") std::fprintf(stderr, "child: %s\n", told.c_str());
    ::_exit(told == "ok" ? 0 : 1);
  }
  static int wait(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

// The import ends itself without a word after that many pieces, wherever that is.
TEST_F(StoreProcesses, AnImportKilledAnywhereLeavesASoundStore) {
  for (int pieces = 1; pieces < 40; pieces += 3) {
    const pid_t pid = spawn([&] {
      int seen = 0;
      ImportOptions options;
      options.progress = [&](const StoreProgress&) {
        if (++seen == pieces) ::kill(::getpid(), SIGKILL);
      };
      store().import_directory(model(), ModelName::parse("m"), options);
    });
    const int status = wait(pid);
    if (status == 0) break;
    ASSERT_EQ(status, 128 + SIGKILL);
    EXPECT_TRUE(store().list().empty());
    const Collection collection = store().collect(false);
    EXPECT_EQ(collection.leftovers.size(), 1u);
    EXPECT_TRUE(names_in(paths().sessions()).empty());
    EXPECT_TRUE(names_in(paths().blobs()).empty());
  }
  import("m");
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

TEST_F(StoreProcesses, AnImportAfterAKillNeedsNoGc) {
  wait(spawn([&] {
    ImportOptions options;
    options.progress = [](const StoreProgress& progress) {
      if (progress.done > progress.total / 2) ::kill(::getpid(), SIGKILL);
    };
    store().import_directory(model(), ModelName::parse("m"), options);
  }));
  EXPECT_EQ(names_in(paths().sessions()).size(), 1u);
  import("m");
  EXPECT_TRUE(names_in(paths().sessions()).empty());
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

TEST_F(StoreProcesses, GcKeepsWhatALivingImportHasWritten) {
  int ready[2], go[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(go), 0);
  const pid_t pid = spawn([&] {
    bool told = false;
    ImportOptions options;
    options.progress = [&](const StoreProgress& progress) {
      if (told || progress.done < progress.total / 2) return;
      told = true;
      char byte = 'x';
      if (::write(ready[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) ::_exit(2);
    };
    store().import_directory(model(), ModelName::parse("m"), options);
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto before = names_in(paths().blobs());
  EXPECT_FALSE(before.empty());
  const Collection collection = store().collect(false);
  EXPECT_TRUE(collection.blobs.empty());
  EXPECT_TRUE(collection.leftovers.empty());
  EXPECT_EQ(names_in(paths().blobs()), before);
  ASSERT_EQ(::write(go[1], &byte, 1), 1);
  EXPECT_EQ(wait(pid), 0);
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
  for (const int descriptor : {ready[0], ready[1], go[0], go[1]})
    ::close(descriptor);
}

TEST_F(StoreProcesses, ImportsRemovalsAndGcAtOnceAgree) {
  import("kept");
  fs::copy(model(), directory_.path() / "second", fs::copy_options::recursive);
  change(directory_.path() / "second/vae/config.json", [](std::string& content) { content += "\n"; });
  std::vector<pid_t> children;
  for (int worker = 0; worker < 2; ++worker) {
    children.push_back(spawn([&, worker] {
      const fs::path source = directory_.path() / (worker == 0 ? "model" : "second");
      const ModelName name = ModelName::parse(worker == 0 ? "a" : "b");
      for (int round = 0; round < 8; ++round) {
        store().import_directory(source, name, {});
        store().view(store().manifest(store().get(name)));
        if (round < 7) store().remove(name, round % 2 == 0);
      }
    }));
  }
  children.push_back(spawn([&] {
    for (int round = 0; round < 30; ++round)
      store().collect(false);
  }));
  for (const pid_t child : children)
    EXPECT_EQ(wait(child), 0);
  EXPECT_EQ(store().list().size(), 3u);
  for (const StoredModel& model : store().list())
    EXPECT_TRUE(store().verify(model, {}).empty()) << model.name;
  store().collect(false);
  EXPECT_TRUE(names_in(paths().sessions()).empty());
}

}  // namespace
}  // namespace roundhouse::host
