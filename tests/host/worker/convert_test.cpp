// SPDX-License-Identifier: Apache-2.0
// Conversions in workers: an engine that misbehaves first, then reports, progress and cancelling.
#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;

class ConvertTest : public WorkerTest {
 protected:
  ConvertResult convert_to(const std::string& type, const ConvertProgress& seen = {}) {
    return convert(*make(puppet_manifest()), {"/source", "/target", type, "", {}}, seen);
  }
  void expect_convert_error(const std::string& type, rh_status code, const std::string& part) {
    expect_error(code, part, [&] { convert_to(type); });
    EXPECT_EQ(convert_to("fine").tensors.size(), 1U);
  }
};

TEST_F(ConvertTest, AnExitAndAKillAreCrashes) {
  expect_convert_error("exit", RH_ENGINE_CRASHED,
                       "engine 'puppet' ended its process with status 3 in convert");
  expect_convert_error("kill yourself", RH_ENGINE_CRASHED, "signal 9 (SIGKILL) in convert");
}

TEST_F(ConvertTest, SilenceIsAHang) {
  options_.timeouts.step = milliseconds(300);
  expect_convert_error("hang", RH_TIMEOUT, "engine 'puppet' showed no progress for 0.3 s in convert");
}

TEST_F(ConvertTest, AFailureNamesTheEngineAndTheTensor) {
  expect_convert_error("fail", RH_CONVERSION_FAILED, "engine 'puppet': tensor 'w': element 3 is nan");
}

TEST_F(ConvertTest, WhatNoEngineMaySayIsABrokenEngine) {
  expect_convert_error("cancelled by nobody", RH_ENGINE_BROKEN, "although nobody had cancelled");
  expect_convert_error("huge rank", RH_ENGINE_BROKEN, "a tensor of rank 1000000");
  expect_convert_error("no number", RH_ENGINE_BROKEN, "an error that is not a number");
  expect_convert_error("no file", RH_ENGINE_BROKEN, "file is NULL");
  expect_convert_error("endless", RH_ENGINE_BROKEN, "tensors without end");
}

TEST_F(ConvertTest, AnEngineWithoutTheExtensionSaysSo) {
  expect_error(RH_CAPABILITY_UNSUPPORTED, "has no extension rh.convert/1", [&] {
    convert(*make(bad_manifest("good")), {"/source", "/target", "f32", "", {}}, {});
  });
}

TEST_F(ConvertTest, TellsEveryTensorWithCleanedNames) {
  std::vector<std::uint64_t> done;
  const ConvertResult result =
      convert_to("q8_0", [&](const ConvertEvent& event) { done.push_back(event.done_bytes); });
  ASSERT_EQ(result.tensors.size(), 1U);
  const ConvertedTensor& tensor = result.tensors.front();
  EXPECT_EQ(tensor.file, "transformer/w.safetensors");
  EXPECT_EQ(tensor.name, "w\xEF\xBF\xBD ");
  EXPECT_EQ(tensor.from, "bf16");
  EXPECT_EQ(tensor.to, "q8_0");
  EXPECT_THAT(tensor.shape, ElementsAre(2, 3));
  EXPECT_EQ(tensor.size_bytes, 12U);
  EXPECT_EQ(tensor.elements, 6U);
  EXPECT_EQ(tensor.squares, 4);
  EXPECT_EQ(tensor.squares_of_errors, 0.25);
  EXPECT_THAT(done, ElementsAre(12));
  EXPECT_GT(result.peak_memory_bytes, 0U);
}

TEST_F(ConvertTest, ACancelStopsIt) {
  const auto client = make(puppet_manifest());
  expect_error(RH_CANCELLED, "engine 'puppet': cancelled during convert", [&] {
    convert(*client, {"/source", "/target", "slow", "", {}}, [&](const ConvertEvent&) { client->cancel(); });
  });
  EXPECT_EQ(convert(*client, {"/source", "/target", "fine", "", {}}, {}).tensors.size(), 1U);
}

TEST_F(ConvertTest, WhatTheListenerThrowsStopsItAndComesOut) {
  for (const bool in_process : {false, true}) {
    const auto client =
        in_process ? make_in_process_client(puppet_manifest(), options_) : make(puppet_manifest());
    expect_error(RH_IO_ERROR, "the pipe is closed", [&] {
      convert(*client, {"/source", "/target", "slow", "", {}},
              [](const ConvertEvent&) { throw Error(RH_IO_ERROR, "the pipe is closed"); });
    });
    EXPECT_EQ(convert(*client, {"/source", "/target", "fine", "", {}}, {}).tensors.size(), 1U);
  }
}

}  // namespace
}  // namespace roundhouse::host
