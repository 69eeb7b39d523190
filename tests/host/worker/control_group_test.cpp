// SPDX-License-Identifier: Apache-2.0
// Limits of control groups, from files as the kernel shows them.
#include "host/worker/control_group.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

class ControlGroupTest : public ::testing::Test {
 protected:
  GroupLimits limits(const std::string& groups) const {
    directory_.write("groups", groups);
    return read_group_limits(directory_.path() / "groups", directory_.path() / "mounted");
  }
  void write(const std::string& file, const std::string& text) const {
    directory_.write("mounted/" + file, text);
  }
  TemporaryDirectory directory_;
};

TEST_F(ControlGroupTest, WithoutGroupsNothingIsLimited) {
  EXPECT_FALSE(limits("").memory_bytes);
  EXPECT_FALSE(limits("0::/nowhere\nnonsense\n1:memory\n2:memory:relative\n").memory_bytes);
}

TEST_F(ControlGroupTest, OfVersionTwoTheSmallestOnTheWayUpCounts) {
  write("a/b/memory.max", "max\n");
  write("a/memory.max", "1000\n");
  write("memory.max", "2000\n");
  write("a/b/cpu.max", "150000 100000\n");
  const GroupLimits found = limits("0::/a/b\n");
  EXPECT_EQ(found.memory_bytes, 1000u);
  EXPECT_EQ(found.processors, 1.5);
}

TEST_F(ControlGroupTest, OfVersionOneTooWhoseLargestNumberIsNoLimit) {
  write("memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  write("memory/a/memory.limit_in_bytes", "314572800\n");
  write("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n");
  write("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  const GroupLimits found = limits("9:cpu,cpuacct:/a\n4:memory:/a/b\n3:pids:/a\n");
  EXPECT_EQ(found.memory_bytes, 314572800u);
  EXPECT_EQ(found.processors, 0.5);
}

TEST_F(ControlGroupTest, AContainersMountShowsItsGroupAsTheRoot) {
  write("memory/memory.limit_in_bytes", "1000\n");
  EXPECT_EQ(limits("4:memory:/docker/0123\n").memory_bytes, 1000u);
}

}  // namespace
}  // namespace roundhouse::host
