// SPDX-License-Identifier: Apache-2.0
// Images begun and cancelled, again and again: no growth of memory, descriptors or processes.
#include "host/residency/process_size.h"
#include "pool_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::SizeIs;

void generate_and_cancel(ImageRunner& runner, const PoolRequest& request, int cycles) {
  for (int i = 0; i < cycles; ++i) {
    std::atomic<bool> cancelled{false};
    ImageEvents events;
    events.progress = [&](const StepEvent& event) { cancelled = i % 2 == 0 && event.step == 1; };
    try {
      runner.run(request.plan, std::nullopt, cancelled, events);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_CANCELLED) << error.what();
    }
  }
}

TEST_F(PoolTest, GeneratingAndCancellingLeavesNothingBehind) {
  manifests_ = {read_manifest(std::filesystem::path(ROUNDHOUSE_BINARY_DIR) / "engines/testcard.json")};
  PoolRequest image = request("a card");
  image.plan.engine = *(image.plan.route.engine = "testcard");
  image.plan.job.width = image.plan.job.height = 512;
  image.plan.job.steps = 50;
  generate_and_cancel(runner(), image, 20);
  const auto descriptors = open_descriptors();
  const std::uint64_t own = process_size(getpid()).anonymous;
  const Resident worker = pool().residents().at(0);
  generate_and_cancel(runner(), image, ROUNDHOUSE_CYCLES);
  EXPECT_GT(pool().statistics().cancelled, 0U);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(pool().residents().at(0).process, worker.process) << "cancelling ends no worker";
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
  if (ROUNDHOUSE_SANITIZED) return;  // sanitizers keep what was freed
  // Eight images in the host, or three in the engine: no cycle may keep one.
  constexpr std::uint64_t kNoise = std::uint64_t{8} << 20;
  EXPECT_LT(process_size(getpid()).anonymous, own + kNoise);
  EXPECT_LT(pool().residents().at(0).resident_bytes, worker.resident_bytes + kNoise);
}

}  // namespace
}  // namespace roundhouse::host
