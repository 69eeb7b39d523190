// SPDX-License-Identifier: Apache-2.0
// Tests of writing images to a directory: refusals, names, and that nothing is overwritten or left behind.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "host/output/image_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const auto kTime = std::chrono::sys_days{std::chrono::January / 2 / 2026} + std::chrono::hours{3} +
                   std::chrono::minutes{4} + std::chrono::seconds{5};

class OutputDirectory : public testing::Test {
 protected:
  OutputDirectory() {
    std::string name = (fs::temp_directory_path() / "roundhouse-output-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root = name;
  }
  ~OutputDirectory() override { fs::remove_all(root); }

  std::vector<std::string> listing(const fs::path& directory) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
      names.push_back(entry.path().filename());
    return names;
  }
  std::string content(const fs::path& file) const {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fs::path root;
};

void expect_refusal(const fs::path& directory, rh_status code, const std::string& part) {
  try {
    check_output_directory(directory);
    ADD_FAILURE() << directory << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

// Runs `body` in a child process and gives its exit status, or 125 when it threw.
int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    int status = 125;
    try {
      status = body();
    } catch (...) {
      status = 125;
    }
    _exit(status);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// In a child with its own mounts, `directory` becomes a file system of 64 KiB. False where that is not
// allowed.
bool mount_small(const fs::path& directory) {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64k") == 0;
}
constexpr int kNotAllowed = 77;

TEST_F(OutputDirectory, is_refused_when_its_name_is_empty) {
  expect_refusal("", RH_IO_ERROR, "empty");
}

TEST_F(OutputDirectory, is_refused_when_a_file_is_in_its_place) {
  std::ofstream(root / "file") << "x";
  expect_refusal(root / "file", RH_IO_ERROR, "is a file");
  expect_refusal(root / "file" / "deeper" / "still", RH_IO_ERROR, "is a file");
}

TEST_F(OutputDirectory, is_refused_when_it_is_a_link_that_leads_nowhere) {
  fs::create_symlink(root / "absent", root / "link");
  expect_refusal(root / "link", RH_IO_ERROR, "leads nowhere");
}

TEST_F(OutputDirectory, is_refused_when_it_is_a_link_to_itself) {
  fs::create_symlink(root / "loop", root / "loop");
  expect_refusal(root / "loop", RH_IO_ERROR, "loop");
}

TEST_F(OutputDirectory, is_refused_when_a_part_of_its_name_is_too_long) {
  expect_refusal(root / std::string(300, 'a'), RH_IO_ERROR, "too long");
  expect_refusal(root / "new" / std::string(300, 'a'), RH_IO_ERROR, "too long");
}

TEST_F(OutputDirectory, is_refused_where_no_file_can_be_made) {
  expect_refusal("/proc", RH_IO_ERROR, "/proc");
  expect_refusal("/proc/new", RH_IO_ERROR, "/proc/new");
}

TEST_F(OutputDirectory, is_refused_when_it_may_not_be_written) {
  fs::create_directory(root / "closed");
  fs::permissions(root, fs::perms::all);
  fs::permissions(root / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  const int status = in_child([&] {
    if (geteuid() == 0 && setuid(65534) != 0) return kNotAllowed;  // the superuser may write anywhere
    try {
      check_output_directory(root / "closed" / "new");
    } catch (const Error& error) {
      return error.code() == RH_IO_ERROR &&
                     std::string(error.what()).find("permission denied") != std::string::npos
                 ? 0
                 : 1;
    }
    return 2;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(OutputDirectory, is_refused_when_its_file_system_is_full) {
  const int status = in_child([&] {
    if (!mount_small(root)) return kNotAllowed;
    std::ofstream(root / "filler") << std::string(100'000, 'x') << std::flush;
    try {
      check_output_directory(root);
    } catch (const Error& error) {
      return error.code() == RH_INSUFFICIENT_STORAGE ? 0 : 1;
    }
    return 2;
  });
  if (status == kNotAllowed) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(status, 0);
}

TEST_F(OutputDirectory, that_passes_the_check_is_left_as_it_was) {
  check_output_directory(root);
  check_output_directory(root / "a" / "b");
  EXPECT_THAT(listing(root), testing::IsEmpty());
}

TEST_F(OutputDirectory, is_made_with_its_parents) {
  const fs::path file = write_image(root / "a" / "b", "z-image", kTime, 0, ImageFormat::png, {1, 2, 3});
  EXPECT_EQ(file, root / "a" / "b" / "z-image-20260102-030405-0.png");
  EXPECT_EQ(content(file), "\x01\x02\x03");
}

TEST_F(OutputDirectory, gets_one_file_and_nothing_beside_it) {
  write_image(root, "z-image", kTime, 2, ImageFormat::png, {1});
  EXPECT_THAT(listing(root), testing::ElementsAre("z-image-20260102-030405-2.png"));
}

TEST_F(OutputDirectory, never_loses_a_file_to_another_of_the_same_second) {
  std::ofstream(root / "z-image-20260102-030405-0.png") << "old";
  fs::create_symlink(root / "absent", root / "z-image-20260102-030405-1.png");
  EXPECT_EQ(write_image(root, "z-image", kTime, 0, ImageFormat::png, {1}).filename(),
            "z-image-20260102-030405-2.png");
  EXPECT_EQ(content(root / "z-image-20260102-030405-0.png"), "old");
  EXPECT_FALSE(fs::exists(root / "absent"));
}

TEST_F(OutputDirectory, serves_many_writers_at_once) {
  std::vector<std::thread> writers;
  for (std::uint8_t writer = 0; writer < 8; ++writer) {
    writers.emplace_back([&, writer] {
      for (std::uint8_t i = 0; i < 20; ++i)
        write_image(root, "z-image", kTime, 0, ImageFormat::png, {writer, i});
    });
  }
  for (std::thread& writer : writers)
    writer.join();
  std::set<std::string> contents;
  for (const std::string& name : listing(root))
    contents.insert(content(root / name));
  EXPECT_EQ(contents.size(), 160U);
}

TEST_F(OutputDirectory, keeps_nothing_of_a_file_that_does_not_fit) {
  const int status = in_child([&] {
    if (!mount_small(root)) return kNotAllowed;
    try {
      write_image(root, "z-image", kTime, 0, ImageFormat::png, std::vector<std::uint8_t>(200'000));
    } catch (const Error& error) {
      if (error.code() != RH_INSUFFICIENT_STORAGE) return 1;
      return listing(root).empty() ? 0 : 2;
    }
    return 3;
  });
  if (status == kNotAllowed) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(status, 0);
}

TEST_F(OutputDirectory, keeps_nothing_of_a_file_beyond_the_size_limit) {
  const int status = in_child([&] {
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    try {
      write_image(root, "z-image", kTime, 0, ImageFormat::png, std::vector<std::uint8_t>(200'000));
    } catch (const Error& error) {
      if (error.code() != RH_IO_ERROR) return 1;
      return listing(root).empty() ? 0 : 2;
    }
    return 3;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace roundhouse::host
