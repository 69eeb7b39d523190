// SPDX-License-Identifier: Apache-2.0
// Images saved by the use case, without a command line. The test program is its own worker.
#include "host/app/generate.h"

#include <string_view>

#include "host/residency/one_worker.h"
#include "tests/host/store/temporary_directory.h"
#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class GenerateFilesTest : public WorkerTest {
 protected:
  GenerateFilesTest() : registry_({{puppet_manifest().file, "flag", puppet_manifest(), {}, {}}}) {
    options_of_files_ = {
        directory_.path() / "out", "image", std::chrono::system_clock::time_point(), {}, true, "1.2.3"};
    plan_.job = job_of("an image");
    plan_.decision = route(plan_.route, registry_.records());
    plan_.engine = plan_.decision.engine;
    plan_.device = "cpu";
    plan_.images = 2;
  }

  void run(const std::function<void(const SavedImage&)>& seen = {}) {
    OneWorker worker(registry_, options_);
    GenerateEvents events;
    events.saved = [&](const SavedImage& image) {
      saved_.push_back(image);
      if (seen) seen(image);
    };
    generate_files(plan_, worker, options_of_files_, cancelled_, events);
  }

  TemporaryDirectory directory_;
  Registry registry_;
  GeneratePlan plan_;
  SaveOptions options_of_files_;
  std::atomic<bool> cancelled_{false};
  std::vector<SavedImage> saved_;
};

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(GenerateFilesTest, SavesEachImageWithItsSeedAndWhatMadeIt) {
  run();
  ASSERT_EQ(saved_.size(), 2U);
  EXPECT_EQ(saved_[0].file.filename(), "image-19700101-000000-0.png");
  EXPECT_EQ(saved_[1].file.filename(), "image-19700101-000000-1.png");
  EXPECT_EQ(saved_[1].seed, saved_[0].seed + 1);
  for (const SavedImage& image : saved_) {
    const std::string bytes = bytes_of(image.file);
    EXPECT_EQ(bytes.size(), image.bytes);
    EXPECT_THAT(bytes, HasSubstr("Seed: " + std::to_string(image.seed)));
    EXPECT_THAT(bytes, HasSubstr("1.2.3"));
  }
}

TEST_F(GenerateFilesTest, WithoutMetadataNothingOfTheRequestIsInTheFile) {
  options_of_files_.metadata = false;
  plan_.job.prompt = "a private image";
  run();
  ASSERT_EQ(saved_.size(), 2U);
  EXPECT_THAT(bytes_of(saved_[0].file), Not(HasSubstr("private")));
}

TEST_F(GenerateFilesTest, WhatWasSavedBeforeACancelStays) {
  expect_error(RH_CANCELLED, "", [&] { run([&](const SavedImage&) { cancelled_.store(true); }); });
  ASSERT_EQ(saved_.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(saved_[0].file));
}

TEST_F(GenerateFilesTest, AFolderThatCannotBeMadeIsAnIoError) {
  directory_.write("out", "a file");
  expect_error(RH_IO_ERROR, "out", [&] { run(); });
  EXPECT_THAT(saved_, IsEmpty());
}

}  // namespace
}  // namespace roundhouse::host

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--worker") return roundhouse::host::worker_main(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
