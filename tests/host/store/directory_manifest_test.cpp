// SPDX-License-Identifier: Apache-2.0
// manifest.json of model directories, and directories that appear only when they are whole.
#include "host/store/directory_manifest.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "host/store/partial_directory.h"
#include "temporary_directory.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string safetensors_bytes() {
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + "0123456789ab";
}

template <typename Call>
void expect_error(rh_status code, const std::string& part, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "no error, expected " << status_name(code) << " with " << part;
  } catch (const Error& error) {
    EXPECT_EQ(status_name(error.code()), status_name(code)) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

class DirectoryManifest : public ::testing::Test {
 protected:
  DirectoryManifest() {
    directory_.write("config.json", "{}");
    directory_.write("unet/model.safetensors", safetensors_bytes());
    write_directory_manifest(root(), "roundhouse 1.2.3", {});
  }
  fs::path root() const { return directory_.path(); }
  std::string text(const std::string& file = "manifest.json") const {
    std::ifstream stream(root() / file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }
  void replace(const nlohmann::json& manifest) const { directory_.write("manifest.json", manifest.dump()); }

  TemporaryDirectory directory_;
};

TEST_F(DirectoryManifest, ListsEveryFileAndTensorInOrder) {
  const auto manifest = nlohmann::json::parse(text());
  EXPECT_EQ(manifest.at("version"), 1);
  EXPECT_EQ(manifest.at("tool"), "roundhouse 1.2.3");
  ASSERT_EQ(manifest.at("files").size(), 2U);
  EXPECT_EQ(manifest.at("files")[0].at("path"), "config.json");
  EXPECT_EQ(manifest.at("files")[0].at("sha256"),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(manifest.at("files")[0].at("size"), 2);
  const auto& tensors = manifest.at("files")[1].at("tensors");
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[0].at("name"), "a");
  EXPECT_EQ(tensors[0].at("dtype"), "F32");
  EXPECT_EQ(tensors[0].at("shape"), nlohmann::json({2}));
  EXPECT_EQ(tensors[0].at("sha256"), sha256("01234567").hex());
}

TEST_F(DirectoryManifest, IsTheSameForTheSameFiles) {
  TemporaryDirectory other;
  fs::copy(root(), other.path(), fs::copy_options::recursive);
  fs::remove(other.path() / "manifest.json");
  write_directory_manifest(other.path(), "roundhouse 1.2.3", {});
  std::ifstream stream(other.path() / "manifest.json");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), text());
  EXPECT_EQ(digest_of_directory(root(), {}), digest_of_directory(other.path(), {}));
}

TEST_F(DirectoryManifest, FindsEveryKindOfDamage) {
  EXPECT_THAT(verify_directory(root(), {}), IsEmpty());
  EXPECT_NO_THROW(require_listed_sizes(root()));
  std::string bytes = safetensors_bytes();
  bytes[bytes.size() - 1] ^= 1;
  directory_.write("unet/model.safetensors", bytes);
  auto damages = verify_directory(root(), {});
  ASSERT_EQ(damages.size(), 1U);
  EXPECT_EQ(damages[0].file, "unet/model.safetensors");
  EXPECT_EQ(damages[0].kind, "tensor");
  EXPECT_EQ(damages[0].tensors, std::vector<std::string>{"b"});
  EXPECT_NO_THROW(require_listed_sizes(root())) << "sizes are all that is cheap";

  directory_.write("unet/model.safetensors", bytes.substr(1));
  EXPECT_EQ(verify_directory(root(), {}).at(0).kind, "truncated");
  expect_error(RH_INTEGRITY_MISMATCH, "file 'unet/model.safetensors': truncated",
               [&] { require_listed_sizes(root()); });
  fs::remove(root() / "unet/model.safetensors");
  EXPECT_EQ(verify_directory(root(), {}).at(0).kind, "missing");
  expect_error(RH_WEIGHTS_MISSING, "file 'unet/model.safetensors'", [&] { require_listed_sizes(root()); });
  directory_.write("config.json", "[]");
  EXPECT_EQ(verify_directory(root(), {}).at(0).file, "config.json");
}

TEST_F(DirectoryManifest, RefusesWhatIsNone) {
  const auto good = nlohmann::json::parse(text());
  const auto refused = [&](const char* pointer, const nlohmann::json& value, rh_status code,
                           const char* part) {
    auto manifest = good;
    manifest[nlohmann::json::json_pointer(pointer)] = value;
    replace(manifest);
    expect_error(code, part, [&] { verify_directory(root(), {}); });
  };
  refused("/version", 2, RH_MODEL_INVALID, "version: is 2, expected 1");
  refused("/version", "1", RH_MODEL_INVALID, "expected 1");
  refused("/files", 1, RH_MODEL_INVALID, "files: expected an array");
  refused("/files/0", 1, RH_MODEL_INVALID, "files[0].");
  refused("/files/0/path", "../x", RH_UNSAFE_NAME, "..");
  refused("/files/0/path", "/etc/passwd", RH_UNSAFE_NAME, "/etc/passwd");
  refused("/files/0/sha256", "44", RH_MODEL_INVALID, "expected 64 lower-case hexadecimal digits");
  refused("/files/0/size", -1, RH_MODEL_INVALID, "size: expected a number of bytes");
  refused("/files/1/tensors/0", 7, RH_MODEL_INVALID, "tensors: expected objects");
  directory_.write("manifest.json", "{");
  expect_error(RH_MODEL_INVALID, "manifest.json", [&] { verify_directory(root(), {}); });
  fs::remove(root() / "manifest.json");
  expect_error(RH_WEIGHTS_MISSING, "has no manifest.json", [&] { verify_directory(root(), {}); });
}

TEST_F(DirectoryManifest, LeavesFilesOfOthersAlone) {
  EXPECT_TRUE(has_directory_manifest(root()));
  replace({{"name", "an extension of a browser"}, {"manifest_version", 3}});
  EXPECT_FALSE(has_directory_manifest(root()));
  EXPECT_NO_THROW(require_listed_sizes(root()));
}

TEST(PartialDirectory, AppearsWhenItIsWhole) {
  TemporaryDirectory place;
  const fs::path target = place.path() / "out/model";
  {
    PartialDirectory partial(target);
    std::ofstream(partial.path() / "file") << "x";
    EXPECT_FALSE(fs::exists(target));
    expect_error(RH_IO_ERROR, "another process is making it", [&] { const PartialDirectory second(target); });
    partial.finish();
  }
  EXPECT_TRUE(fs::exists(target / "file"));
  EXPECT_EQ(std::distance(fs::directory_iterator(place.path() / "out"), fs::directory_iterator()), 1);
  expect_error(RH_IO_ERROR, "is not empty", [&] { const PartialDirectory again(target); });
}

TEST(PartialDirectory, LeavesNothingWhenItIsGivenUp) {
  TemporaryDirectory place;
  { const PartialDirectory partial(place.path() / "model/"); }
  EXPECT_TRUE(fs::is_empty(place.path()));
  fs::create_directory(place.path() / "model");
  {
    PartialDirectory partial(place.path() / "model");
    partial.finish();  // an empty directory may be there
  }
  place.write("file", "x");
  expect_error(RH_IO_ERROR, "is not a directory",
               [&] { const PartialDirectory partial(place.path() / "file"); });
}

TEST(PartialDirectory, TakesOverWhatAKilledProcessLeft) {
  TemporaryDirectory place;
  const fs::path target = place.path() / "model";
  const pid_t child = fork();
  if (child == 0) {
    const PartialDirectory partial(target);
    std::ofstream(partial.path() / "half") << "x";
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(target));
  PartialDirectory partial(target);
  EXPECT_TRUE(fs::is_empty(partial.path()));
}

}  // namespace
}  // namespace roundhouse::host
