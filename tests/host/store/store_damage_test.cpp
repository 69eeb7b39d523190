// SPDX-License-Identifier: Apache-2.0
// Damage is found before compute, and named.
#include <fcntl.h>
#include <sys/stat.h>

#include "host/store/stamp.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kVae = "vae/diffusion_pytorch_model.safetensors";

class StoreDamage : public StoreTest {
 protected:
  StoreDamage() {
    import("m");
    // Older than the grain of a file system's clock, so that stamps are recorded.
    const timespec times[2] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
    for (const auto& entry : fs::directory_iterator(paths().blobs()))
      ::utimensat(AT_FDCWD, entry.path().c_str(), times, 0);
    ::usleep(30'000);
  }

  std::string require_sound() {
    return outcome([&] { store().require_sound(get("m"), store().manifest(get("m")), {}); });
  }
  Damage only_damage() {
    const auto damages = store().verify(get("m"), {});
    EXPECT_EQ(damages.size(), 1u);
    return damages.empty() ? Damage{} : damages[0];
  }
};

TEST_F(StoreDamage, AByteFlippedAnywhereIsFoundBeforeLoading) {
  EXPECT_EQ(require_sound(), "ok");
  for (const ModelFile& file : store().manifest(get("m")).files) {
    if (file.size == 0) continue;
    const fs::path blob = paths().blob(file.digest);
    change(blob, [](std::string& content) { content[content.size() / 2] ^= 1; });
    EXPECT_THAT(require_sound(), StartsWith("INTEGRITY_MISMATCH: model 'm': file '" + file.path))
        << file.path;
    change(blob, [](std::string& content) { content[content.size() / 2] ^= 1; });
    EXPECT_EQ(require_sound(), "ok") << file.path;
  }
}

TEST_F(StoreDamage, AFileWhoseTimesWerePutBackIsHashedAgain) {
  EXPECT_EQ(require_sound(), "ok");
  const fs::path blob = blob_of("m", kVae);
  struct stat before {};
  ASSERT_EQ(::stat(blob.c_str(), &before), 0);
  change(blob, [](std::string& content) { content.back() ^= 1; });
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, blob.c_str(), times, 0), 0);
  EXPECT_THAT(require_sound(), StartsWith("INTEGRITY_MISMATCH"));
}

TEST_F(StoreDamage, WhatWasFoundRightIsNotHashedAgain) {
  std::uint64_t hashed = 0;
  const auto count = [&](const StoreProgress& progress) { hashed = progress.done; };
  store().require_sound(get("m"), store().manifest(get("m")), count);
  EXPECT_GT(hashed, 0u);
  hashed = 0;
  store().require_sound(get("m"), store().manifest(get("m")), count);
  EXPECT_EQ(hashed, 0u);
}

TEST_F(StoreDamage, IsToldByTensor) {
  const ModelConfig config = store().config(get("m"), store().manifest(get("m")));
  const WeightRecord& record = config.weights.at(kVae);
  ASSERT_GT(record.tensors.size(), 2u);
  change(blob_of("m", kVae), [&](std::string& content) {
    content[record.tensors[1].begin] ^= 1;
    content[record.tensors[2].end - 1] ^= 1;
  });
  const Damage damage = only_damage();
  EXPECT_EQ(damage.file, kVae);
  EXPECT_EQ(damage.kind, "tensor");
  EXPECT_THAT(damage.tensors, ElementsAre(record.tensors[1].name, record.tensors[2].name));
  EXPECT_THAT(damage.detail, HasSubstr("bytes " + std::to_string(record.tensors[1].begin)));
}

TEST_F(StoreDamage, IsToldByClass) {
  const fs::path blob = blob_of("m", kVae);
  fs::copy_file(blob, directory_.path() / "kept");
  const auto damaged = [&](const std::function<void(std::string&)>& edit) {
    fs::copy_file(directory_.path() / "kept", blob, fs::copy_options::overwrite_existing);
    change(blob, edit);
    return only_damage().kind;
  };
  EXPECT_EQ(damaged([](std::string& content) { content[20] ^= 1; }), "header");
  EXPECT_EQ(damaged([](std::string& content) { content[7] = '\x7f'; }), "header");
  EXPECT_EQ(damaged([](std::string& content) { content.resize(content.size() - 1); }), "truncated");
  EXPECT_EQ(damaged([](std::string& content) { content += "x"; }), "longer");
  fs::remove(blob);
  EXPECT_EQ(only_damage().kind, "missing");
  EXPECT_THAT(require_sound(), StartsWith("WEIGHTS_MISSING"));
  fs::create_symlink("/etc/passwd", blob);
  EXPECT_EQ(only_damage().kind, "unreadable");
  fs::remove(blob);
  ASSERT_EQ(::mkfifo(blob.c_str(), 0600), 0);
  EXPECT_EQ(only_damage().kind, "unreadable");
}

TEST_F(StoreDamage, OfJsonIsToldAsSuch) {
  change(blob_of("m", "vae/config.json"), [](std::string& content) { content[0] = '!'; });
  const Damage damage = only_damage();
  EXPECT_EQ(damage.file, "vae/config.json");
  EXPECT_EQ(damage.kind, "json");
  EXPECT_THAT(damage.detail, HasSubstr("not JSON at byte 1"));
}

TEST_F(StoreDamage, OfTheRecordsIsNamed) {
  change(paths().blob(store().manifest(get("m")).config.digest),
         [](std::string& content) { content += " "; });
  EXPECT_EQ(only_damage().file, "config");
  EXPECT_THAT(require_sound(), StartsWith("INTEGRITY_MISMATCH"));
  fs::remove(paths().blob(get("m").digest));
  EXPECT_EQ(only_damage().file, "manifest");
}

TEST_F(StoreDamage, IsMendedByImportingAgain) {
  for (const char* file : {kVae, "vae/config.json"})
    change(blob_of("m", file), [](std::string& content) { content[content.size() / 2] ^= 1; });
  EXPECT_EQ(store().verify(get("m"), {}).size(), 2u);
  import("m");
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

}  // namespace
}  // namespace roundhouse::host
