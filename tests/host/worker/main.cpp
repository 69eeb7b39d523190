// SPDX-License-Identifier: Apache-2.0
// The tests are their own worker, as the program is; "--host" is a parent that can be killed.
#include <gtest/gtest.h>

#include <string_view>

#include "test_operations.h"
#include "worker_fixture.h"

int main(int argc, char** argv) {
  const std::string_view role = argc > 1 ? argv[1] : "";
  if (role == "--worker")
    return roundhouse::host::worker_main(argc, argv, roundhouse::host::test_operations());
  if (role == "--host") {
    const auto client = roundhouse::host::make_worker_client(roundhouse::host::puppet_manifest(), {});
    client->open({});
    auto job = roundhouse::host::slow_job(argv[2]);
    job.steps = 100000;
    generate(*client, job, {});
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
