// SPDX-License-Identifier: Apache-2.0
// What the store keeps: import, names, views, gc.
#include "tests/host/store/store_fixture.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "host/store/oci_index.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ino_t inode(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
  return status.st_ino;
}

TEST_F(StoreTest, RefusesAnIncompleteModelAndLeavesNothing) {
  fs::remove(model() / "vae/config.json");
  EXPECT_THAT(outcome([&] { import("m"); }), StartsWith("WEIGHTS_MISSING"));
  EXPECT_FALSE(fs::exists(root()));
}

TEST_F(StoreTest, RefusesADamagedIndexBeforeAnythingIsWritten) {
  import("m");
  const auto blobs = names_in(paths().blobs());
  for (const std::string text :
       {"", "{", "[]", "{\"schemaVersion\":2,\"manifests\":[{\"size\":9223372036854775808}]}"}) {
    change(paths().index(), [&](std::string& content) { content = text; });
    change(model() / "model_index.json", [](std::string& content) { content += " "; });
    EXPECT_THAT(outcome([&] { import("other"); }), StartsWith("MODEL_INVALID")) << text;
    EXPECT_THAT(outcome([&] { store().collect(false); }), StartsWith("MODEL_INVALID")) << text;
    EXPECT_EQ(names_in(paths().blobs()), blobs);
  }
}

TEST_F(StoreTest, WithoutAPlaceIsEmptyAndCannotBeWritten) {
  Store nowhere{fs::path()};
  EXPECT_TRUE(nowhere.list().empty());
  EXPECT_THAT(outcome([&] { nowhere.import_directory(model(), ModelName::parse("m"), {}); }),
              HasSubstr("no place"));
}

TEST_F(StoreTest, GivesBackEveryFileByteForByte) {
  const ImportReport report = import("m");
  const fs::path view = store().view(store().manifest(get("m")));
  EXPECT_EQ(inspect_model_directory(view).architecture, "ZImagePipeline");
  unsigned files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(model())) {
    if (!entry.is_regular_file()) continue;
    const fs::path shown = view / fs::relative(entry.path(), model());
    std::ifstream a(entry.path(), std::ios::binary), b(shown, std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(a), {}),
              std::string(std::istreambuf_iterator<char>(b), {}))
        << shown;
    ++files;
  }
  EXPECT_EQ(report.files, files);
}

TEST_F(StoreTest, TheSameDirectoryGivesTheSameManifest) {
  const ImportReport first = import("a");
  const ImportReport second = import("b");
  EXPECT_EQ(first.model.digest, second.model.digest);
  EXPECT_EQ(second.present, second.files);
  EXPECT_EQ(second.bytes_added, 0u);
}

TEST_F(StoreTest, AFileThatTwoModelsShareIsThereOnce) {
  import("a");
  change(model() / "transformer/config.json", [](std::string& content) { content += "\n"; });
  const ImportReport report = import("b");
  EXPECT_EQ(report.present, report.files - 1);
  const fs::path a = store().view(store().manifest(get("a")));
  const fs::path b = store().view(store().manifest(get("b")));
  EXPECT_NE(a, b);
  EXPECT_EQ(inode(a / "vae/diffusion_pytorch_model.safetensors"),
            inode(b / "vae/diffusion_pytorch_model.safetensors"));
}

TEST_F(StoreTest, ALinkedImportCopiesNothing) {
  const ImportReport report = import("m", LinkMode::link);
  EXPECT_EQ(report.linked + report.present, report.files);
  EXPECT_EQ(inode(blob_of("m", "vae/config.json")), inode(model() / "vae/config.json"));
}

TEST_F(StoreTest, ANameIsGivenAnewUnlessItHasAVersion) {
  const ImportReport first = import("m");
  import("m@1");
  change(model() / "transformer/config.json", [](std::string& content) { content += "\n"; });
  const ImportReport second = import("m");
  EXPECT_EQ(second.replaced, first.model.digest);
  EXPECT_EQ(store().list().size(), 2u);
  EXPECT_THAT(outcome([&] { import("m@1"); }), HasSubstr("for ever"));
  EXPECT_EQ(get("m@1").digest, first.model.digest);
}

TEST_F(StoreTest, ARecipeComesBackAsItWas) {
  ImportOptions options;
  options.spec = parse_model_spec(
      "schema: 1\nname: x\ntitle: \"A \\\"title\\\"\"\nlicense: MIT\narchitecture: ZImagePipeline\npath: p\n"
      "defaults: {steps: 25, guidance: 4.5, negative_prompt: \"blur: [x] {y}\"}\n"
      "limits: {size: {min: 64, max: 512, multiple: 32}}\n",
      "spec");
  store().import_directory(model(), ModelName::parse("m"), options);
  const ModelConfig config = store().config(get("m"), store().manifest(get("m")));
  EXPECT_EQ(config.spec.name, "m");
  EXPECT_EQ(config.spec.title, "A \"title\"");
  EXPECT_EQ(config.spec.defaults.steps, 25u);
  EXPECT_EQ(config.spec.defaults.guidance, 4.5);
  EXPECT_EQ(config.spec.defaults.negative_prompt, "blur: [x] {y}");
  EXPECT_EQ(config.spec.size.multiple_of, 32u);
  EXPECT_FALSE(config.weights.empty());
}

TEST_F(StoreTest, AViewThatWasChangedIsMadeAnew) {
  import("m");
  const ModelManifest manifest = store().manifest(get("m"));
  const fs::path view = store().view(manifest);
  fs::remove(view / "vae/config.json");
  fs::create_symlink("/etc/passwd", view / "vae/config.json");
  std::ofstream(view / "tokenizer/extra.json") << "{}";
  fs::remove_all(view / "scheduler");
  fs::create_directory_symlink("/etc", view / "scheduler");
  EXPECT_EQ(store().view(manifest), view);
  EXPECT_EQ(fs::read_symlink(view / "vae/config.json"),
            "../../../blobs/sha256/" + manifest.find("vae/config.json")->digest.hex());
  EXPECT_FALSE(fs::exists(view / "tokenizer/extra.json"));
  EXPECT_TRUE(fs::exists("/etc/passwd"));
  EXPECT_TRUE(fs::exists(view / "scheduler/scheduler_config.json"));
}

TEST_F(StoreTest, AStoreThatWasMovedShowsItsModels) {
  import("m");
  store().view(store().manifest(get("m")));
  fs::rename(root(), directory_.path() / "elsewhere");
  Store moved(directory_.path() / "elsewhere");
  const fs::path view = moved.view(moved.manifest(moved.get(ModelName::parse("m"))));
  EXPECT_NO_THROW(inspect_model_directory(view));
}

TEST_F(StoreTest, RemovingANameKeepsItsBlobsUntilGc) {
  import("a");
  change(model() / "transformer/config.json", [](std::string& content) { content += "\n"; });
  import("b");
  const auto before = names_in(paths().blobs());
  EXPECT_TRUE(store().remove(ModelName::parse("b"), false).blobs.empty());
  EXPECT_EQ(names_in(paths().blobs()), before);
  const Collection told = store().collect(true);
  EXPECT_EQ(names_in(paths().blobs()), before);
  const Collection done = store().collect(false);
  EXPECT_EQ(told.blobs, done.blobs);
  EXPECT_EQ(done.blobs.size(), 2u) << "the manifest and the one file that only b had";
  EXPECT_TRUE(store().verify(get("a"), {}).empty());
}

TEST_F(StoreTest, PruningTakesWhatOnlyThatModelNeeded) {
  import("a");
  store().alias(ModelName::parse("a"), ModelName::parse("again"));
  EXPECT_TRUE(store().remove(ModelName::parse("again"), true).blobs.empty());
  EXPECT_TRUE(store().verify(get("a"), {}).empty());
  EXPECT_FALSE(store().remove(ModelName::parse("a"), true).blobs.empty());
  EXPECT_TRUE(names_in(paths().blobs()).empty());
  EXPECT_THAT(outcome([&] { store().remove(ModelName::parse("a"), true); }), StartsWith("MODEL_NOT_FOUND"));
}

TEST_F(StoreTest, GcRemovesNothingWhenAManifestCannotBeRead) {
  import("a");
  change(paths().blob(get("a").digest), [](std::string& content) { content[0] = '!'; });
  const auto before = names_in(paths().blobs());
  EXPECT_THAT(outcome([&] { store().collect(false); }), HasSubstr("nothing is removed"));
  EXPECT_EQ(names_in(paths().blobs()), before);
  store().remove(ModelName::parse("a"), false);
  EXPECT_EQ(outcome([&] { store().collect(false); }), "ok");
  EXPECT_TRUE(names_in(paths().blobs()).empty());
}

TEST_F(StoreTest, NothingIsRemovedOrAddedWhenTheIndexIsLost) {
  import("a");
  change(model() / "model_index.json", [](std::string& content) { content += " "; });
  const auto before = names_in(paths().blobs());
  const std::function<void()> losses[] = {
      [&] { fs::remove(paths().index()); },
      [&] { fs::remove(paths().layout()); },  // and now both
      [&] { fs::create_symlink("/nowhere/index.json", paths().index()); },
  };
  for (const auto& lose : losses) {
    lose();
    for (const bool dry_run : {true, false})
      EXPECT_THAT(outcome([&] { store().collect(dry_run); }), StartsWith("MODEL_INVALID"));
    EXPECT_THAT(outcome([&] { store().list(); }), HasSubstr("index.json: is missing"));
    EXPECT_THAT(outcome([&] { import("b"); }), StartsWith("MODEL_INVALID"));
    EXPECT_EQ(names_in(paths().blobs()), before);
  }
}

TEST_F(StoreTest, GcRemovesNothingWhenAManifestIsMissing) {
  import("a");
  change(model() / "model_index.json", [](std::string& content) { content += " "; });
  import("b");
  fs::remove(paths().blob(get("a").digest));
  const auto before = names_in(paths().blobs());
  EXPECT_THAT(outcome([&] { store().collect(false); }), StartsWith("MODEL_INVALID: model 'a'"));
  EXPECT_THAT(outcome([&] { store().remove(ModelName::parse("b"), true); }), StartsWith("MODEL_INVALID"));
  EXPECT_TRUE(store().find(ModelName::parse("b")));
  EXPECT_EQ(names_in(paths().blobs()), before);
  EXPECT_EQ(outcome([&] { store().remove(ModelName::parse("a"), true); }), "ok") << "the way out";
  EXPECT_EQ(outcome([&] { store().remove(ModelName::parse("b"), true); }), "ok");
}

TEST_F(StoreTest, AFullDiskLeavesNothingBehind) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 20'000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string told = outcome([&] { import("m", LinkMode::copy); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(told, StartsWith("INSUFFICIENT_STORAGE"));
  EXPECT_TRUE(names_in(paths().sessions()).empty());
  EXPECT_TRUE(store().list().empty());
  EXPECT_EQ(outcome([&] { import("m"); }), "ok");
}

TEST(StoreRoot, ComesFromTheFlagThenTheEnvironment) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "XDG_DATA_HOME") return "/data";
    if (name == "HOME") return "/home/x";
    return std::nullopt;
  };
  EXPECT_EQ(store_root("/flag", environment), "/flag");
  EXPECT_EQ(store_root({}, environment), "/data/roundhouse");
  EXPECT_EQ(store_root({},
                       [](const std::string& name) -> std::optional<std::string> {
                         return name == "ROUNDHOUSE_HOME" ? "/own" : "/other";
                       }),
            "/own");
  EXPECT_TRUE(store_root({}, [](const std::string&) { return std::optional<std::string>(); }).empty());
}

}  // namespace
}  // namespace roundhouse::host
