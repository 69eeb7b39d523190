// SPDX-License-Identifier: Apache-2.0
// What of a directory becomes part of a model: links, odd names, files that are not what they are called, and
// what is counted.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "host/store/blob_writer.h"
#include "host/store/validate.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ImportFilesTest : public StoreTest {
 protected:
  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  std::set<std::string> stored(const std::string& name) const {
    std::set<std::string> paths;
    for (const ModelFile& file : store().manifest(get(name)).files)
      paths.insert(file.path);
    return paths;
  }
  fs::path secret() const {
    write(directory_.path() / "secret.json", "{\"key\": 1}");
    return directory_.path() / "secret.json";
  }
};

TEST_F(ImportFilesTest, LinksThatLeaveTheDirectoryAreNotFollowed) {
  fs::create_symlink(secret(), model() / "x.json");
  fs::create_directory_symlink(directory_.path(), model() / "around");
  fs::create_symlink("vae/config.json", model() / "inside.json");
  import("m");
  EXPECT_FALSE(stored("m").contains("x.json"));
  EXPECT_FALSE(stored("m").contains("around/secret.json"));
  EXPECT_TRUE(stored("m").contains("inside.json"));
}

TEST_F(ImportFilesTest, WhatTheModelNeedsBehindSuchALinkIsMissingAndTheHintSaysWhy) {
  fs::rename(model() / "vae/config.json", directory_.path() / "elsewhere.json");
  fs::create_symlink(directory_.path() / "elsewhere.json", model() / "vae/config.json");
  try {
    import("m");
    FAIL() << "was imported";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_WEIGHTS_MISSING);
    EXPECT_THAT(error.what(), HasSubstr("missing vae/config.json"));
    EXPECT_THAT(std::string(error.hint()), HasSubstr("'vae/config.json'"));
  }
}

TEST_F(ImportFilesTest, ASnapshotOfAHubsCacheIsWhole) {
  const fs::path repository = directory_.path() / "hub/models--org--tiny",
                 snapshot = repository / "snapshots/abc";
  fs::create_directories(repository / "blobs");
  fs::create_directories(snapshot.parent_path());
  fs::rename(model(), snapshot);
  fs::rename(snapshot / "vae/config.json", repository / "blobs/0123");
  fs::create_symlink("../../../blobs/0123", snapshot / "vae/config.json");
  fs::create_symlink(secret(), snapshot / "vae/secret.json");
  store().import_directory(snapshot, ModelName::parse("m"), {});
  EXPECT_TRUE(stored("m").contains("vae/config.json"));
  EXPECT_FALSE(stored("m").contains("vae/secret.json"));
}

TEST_F(ImportFilesTest, WhatNoModelCanHaveDoesNotMatter) {
  for (const char* name : {"assets/a\\b.txt", "assets/new\nline.txt", "vae/\xff.json"})
    write(model() / name, "x");
  write(model() / "assets/夜 図 (1)/a b.png", "x");
  ASSERT_EQ(::mkfifo((model() / "assets/fifo").c_str(), 0600), 0);
  fs::create_symlink("nowhere", model() / "assets/dangling");
  import("m");
  const auto paths = stored("m");
  EXPECT_TRUE(paths.contains("assets/夜 図 (1)/a b.png"));
  for (const std::string& path : paths) {
    if (!path.starts_with("assets/")) continue;
    EXPECT_EQ(path, "assets/夜 図 (1)/a b.png");
  }
}

TEST_F(ImportFilesTest, WhatAnEngineHasWrittenHasNoLinks) {
  const auto make = [&](const fs::path& target, ImportOptions&) {
    fs::copy(model(), target, fs::copy_options::recursive);
    fs::create_symlink(secret(), target / "vae/x.json");
  };
  EXPECT_THAT(outcome([&] { store().build(ModelName::parse("m"), {}, make); }),
              StartsWith("IO_ERROR: file 'vae/x.json': is a symbolic link"));
}

TEST_F(ImportFilesTest, WhatAnEngineHasWrittenIsWhole) {
  EXPECT_NO_THROW(require_whole_model(model()));
  const fs::path weights = model() / "vae/diffusion_pytorch_model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) - 1);
  EXPECT_THAT(outcome([&] { require_whole_model(model()); }), HasSubstr("truncated"));
  fs::create_directories(directory_.path() / "nothing");
  EXPECT_THAT(outcome([&] { require_whole_model(directory_.path() / "nothing"); }),
              StartsWith("WEIGHTS_MISSING"));
}

TEST_F(ImportFilesTest, AFileThatIsLinkedAddsNothing) {
  const ImportReport report = import("m", LinkMode::link);
  EXPECT_EQ(report.linked + report.present, report.files);
  EXPECT_EQ(report.bytes_added, 0u);
}

TEST_F(ImportFilesTest, AFileThatIsThereIsNotPlacedAgain) {
  import("m");
  const StorePaths paths = this->paths();
  StoreSession session(paths);
  BlobWriter writer(paths, session);
  const BlobPlaced placed = writer.place(model() / "vae/config.json", "vae/config.json", LinkMode::link, {});
  EXPECT_EQ(placed.how, Placed::present);
}

TEST_F(ImportFilesTest, PointersOfGitLfsAreCalledThat) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
  for (const char* file : {"vae/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer.json",
                           "vae/config.json", "model_index.json"}) {
    const fs::path path = model() / file;
    const fs::path kept = directory_.path() / "kept";
    fs::rename(path, kept);
    write(path, pointer);
    EXPECT_THAT(outcome([&] { import("m"); }),
                StartsWith("WEIGHTS_MISSING: " + std::string(file) + ": is a pointer of Git LFS"));
    fs::rename(kept, path);
  }
  write(model() / "assets/a.png", pointer);
  EXPECT_EQ(outcome([&] { import("m"); }), "ok");
}

TEST_F(ImportFilesTest, AnIndexThatIsMissingIsNamed) {
  const fs::path index = model() / "transformer/diffusion_pytorch_model.safetensors.index.json";
  ASSERT_TRUE(fs::remove(index));
  EXPECT_THAT(outcome([&] { import("m"); }),
              HasSubstr("missing transformer/diffusion_pytorch_model.safetensors.index.json "
                        "(diffusion_pytorch_model-00001-of-"));
}

TEST_F(ImportFilesTest, AStoreThatCannotBeWrittenShowsItsModelsElsewhere) {
  import("m");
  const ModelManifest manifest = store().manifest(get("m"));
  EXPECT_TRUE(fs::exists(paths().view(manifest.digest))) << "before it is used";
  store().clean();
  fs::remove_all(paths().sessions());
  write(paths().sessions(), "no directory");  // as root can write where nobody may
  ::setenv("XDG_RUNTIME_DIR", directory_.path().c_str(), 1);
  const fs::path view = store().view(manifest);
  EXPECT_EQ(inspect_model_directory(view).architecture, "ZImagePipeline");
  EXPECT_EQ(store().view(manifest), view) << "made once";
  const fs::path own = view.parent_path();
  fs::permissions(own, fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(outcome([&] { store().view(manifest); }), HasSubstr("is not this user's directory"));
  ::unsetenv("XDG_RUNTIME_DIR");
}

TEST(MadeNames, AreNamesAndStayWhatIsOne) {
  const std::pair<const char*, const char*> cases[] = {{"z-image:q8@1", "z-image:q8@1"},
                                                       {"Z Image Turbo (bf16)", "Z-Image-Turbo-bf16"},
                                                       {"-turbo", "turbo"},
                                                       {"画像", "model"},
                                                       {"", "model"}};
  for (const auto& [text, name] : cases)
    EXPECT_EQ(ModelName::made_of(text).text(), name);
  EXPECT_LE(ModelName::made_of(std::string(300, 'a')).text().size(), 96u);
}

}  // namespace
}  // namespace roundhouse::host
