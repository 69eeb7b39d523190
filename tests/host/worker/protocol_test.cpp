// SPDX-License-Identifier: Apache-2.0
// Tests of the messages between host and worker.
#include "host/worker/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/worker/frame.h"
#include "host/worker/ops/bench.h"
#include "host/worker/ops/estimate.h"
#include "host/worker/ops/image.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/probe.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

TEST(Protocol, RefusesTextThatIsNoMessage) {
  const std::string deep(100000, '[');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"),
        std::string("{\"code\":\"x\"}"), std::string("{\"code\":1e99,\"message\":1}"),
        std::string("\xff\xfe"), deep}) {
    EXPECT_THROW(decode<Error>(text), FrameError) << text.substr(0, 20);
    EXPECT_THROW(decode<OpenResult>(text), FrameError) << text.substr(0, 20);
    EXPECT_THROW(decode<ImageResult>(text), FrameError) << text.substr(0, 20);
    EXPECT_THROW(decode<ProgressEvent>(text), FrameError) << text.substr(0, 20);
    EXPECT_THROW(decode<LogMessage>(text), FrameError) << text.substr(0, 20);
    EXPECT_THROW(decode<double>(text), FrameError) << text.substr(0, 20);
  }
}

TEST(Protocol, RefusesATimeThatIsNoNumber) {
  ProgressEvent event{"denoise", 1, 2, std::numeric_limits<double>::quiet_NaN(), 0};
  EXPECT_THROW(decode<ProgressEvent>(encode(event)), FrameError);
}

TEST(Protocol, CarriesHowFarLoadingIsAndWhatAPreviewShows) {
  EXPECT_EQ(decode<ProgressEvent>(encode(ProgressEvent{"load", 0, 0, 0, 0.25})).fraction, 0.25);
  PreviewEvent preview{3, 8, {16, 24, {}}};
  const auto received = decode<PreviewEvent>(encode(preview));
  EXPECT_EQ(received.step, 3U);
  EXPECT_EQ(received.steps, 8U);
  EXPECT_EQ(received.image.width, 16U);
  EXPECT_EQ(received.image.height, 24U);
  EXPECT_TRUE(received.image.rgb.empty()) << "the samples are the payload";
  EXPECT_THROW(decode<PreviewEvent>("{}"), FrameError);
}

TEST(Protocol, CountsAnUnknownCodeAsAnErrorOfTheEngine) {
  EXPECT_EQ(decode<Error>(R"({"code":12345,"message":"m","hint":""})").code(), RH_ENGINE_INTERNAL);
  EXPECT_EQ(decode<Error>(R"({"code":0,"message":"m","hint":""})").code(), RH_ENGINE_INTERNAL);
}

TEST(Protocol, CarriesAnErrorWithItsHint) {
  const Error plain = decode<Error>(encode(Error(RH_MODEL_INVALID, "damaged")));
  EXPECT_EQ(plain.code(), RH_MODEL_INVALID);
  EXPECT_STREQ(plain.what(), "damaged");
  EXPECT_EQ(plain.hint(), hint(RH_MODEL_INVALID));
  EXPECT_EQ(decode<Error>(encode(Error(RH_MODEL_INVALID, "damaged", "mend it"))).hint(), "mend it");
}

TEST(Protocol, CarriesEveryFieldOfAJob) {
  ImageTask job;
  job.prompt = "a \"red\" \xE5\x9C\x86 \n\t";
  job.negative_prompt = "";
  job.width = 336;
  job.height = 192;
  job.steps = 50;
  job.guidance = 0.1;
  job.cfg_normalization = 1.0 / 3;
  job.cfg_truncation = 0.7;
  job.seed = INT64_MAX;
  job.schedule = "beta";
  const auto back = decode<ImageTask>(encode(job));
  EXPECT_EQ(back.prompt, job.prompt);
  EXPECT_EQ(back.negative_prompt, job.negative_prompt);
  EXPECT_EQ(back.width, job.width);
  EXPECT_EQ(back.height, job.height);
  EXPECT_EQ(back.steps, job.steps);
  EXPECT_EQ(back.guidance, job.guidance);
  EXPECT_EQ(back.cfg_normalization, job.cfg_normalization);
  EXPECT_EQ(back.cfg_truncation, job.cfg_truncation);
  EXPECT_EQ(back.seed, job.seed);
  EXPECT_EQ(back.sampler, std::nullopt);
  EXPECT_EQ(back.schedule, job.schedule);
}

TEST(Protocol, CarriesAnImageToBeginWithAndItsMask) {
  ImageTask job;
  job.width = 2;
  job.height = 1;
  InitImage init{{2, 1, {1, 2, 3, 4, 5, 6}}, {0, 255}, 0.25, "sha256:x"};
  job.init = std::make_shared<const InitImage>(init);
  const Message message = with_init(encode(job), job);
  auto back = decode<ImageTask>(message.json);
  take_init(message, back);
  EXPECT_EQ(back.init->image.rgb, init.image.rgb);
  EXPECT_EQ(back.init->mask, init.mask);
  EXPECT_EQ(back.init->strength, 0.25);
  const ImageRecord record(back);
  EXPECT_EQ(record.get().init_image->row_bytes, 6U);
  EXPECT_EQ(record.get().mask->format, RH_PIXELS_GRAY_U8);

  auto short_one = message;
  short_one.payload.pop_back();
  EXPECT_THROW(take_init(short_one, back = decode<ImageTask>(message.json)), FrameError);
  ImageTask without;
  EXPECT_THROW(take_init(message, without), FrameError);
  EXPECT_NO_THROW(take_init({encode(without), {}}, without));
}

TEST(Protocol, CarriesAManifest) {
  EngineSetup message;
  message.threads = 3;
  message.device = "cpu";
  message.manifest.file = "/a/b.json";
  message.manifest.library = "/a/b.so";
  message.manifest.id = "b";
  message.manifest.maturity = "stable";
  message.manifest.abi_major = 1;
  message.manifest.score = -5;
  message.manifest.capabilities["task"] = {"text-to-image", "chat"};
  message.manifest.limits["width"] = {16, 2048, 16};
  message.manifest.environment = {{"A", "1", ""}, {"B", "", "openblas-coretype"}};
  message.manifest.network = true;
  const auto back = decode<EngineSetup>(encode(message));
  EXPECT_EQ(back.threads, 3U);
  EXPECT_EQ(back.manifest.library, "/a/b.so");
  EXPECT_EQ(back.manifest.score, -5);
  EXPECT_EQ(back.manifest.capabilities, message.manifest.capabilities);
  EXPECT_EQ(back.manifest.limits.at("width").multiple_of, 16);
  ASSERT_EQ(back.manifest.environment.size(), 2U);
  EXPECT_EQ(back.manifest.environment[1].computed, "openblas-coretype");
  EXPECT_TRUE(back.manifest.network);
}

TEST(Protocol, CarriesResultsWithTheirTimings) {
  ImageResult result;
  result.image.width = 64;
  result.image.height = 32;
  result.stages = {{"encode", 1.5, 12345678901234, 99}};
  result.step_milliseconds = {1, 2.25};
  result.peak_memory_bytes = 1ULL << 40;
  const auto back = decode<ImageResult>(encode(result));
  EXPECT_EQ(back.image.width, 64U);
  EXPECT_EQ(back.image.height, 32U);
  ASSERT_EQ(back.stages.size(), 1U);
  EXPECT_EQ(back.stages[0].operations, 12345678901234U);
  EXPECT_EQ(back.step_milliseconds, result.step_milliseconds);
  EXPECT_EQ(back.peak_memory_bytes, 1ULL << 40);

  OpenResult open;
  open.engine.id = "x";
  open.capacity = 8;
  open.engine.remarks = {"printed"};
  open.model = {{"dtype.encode", "bf16"}};
  const auto opened = decode<OpenResult>(encode(open));
  EXPECT_EQ(opened.engine.id, "x");
  EXPECT_EQ(opened.capacity, 8U);
  EXPECT_EQ(opened.engine.remarks, open.engine.remarks);
  EXPECT_EQ(opened.model, open.model);
}

TEST(Protocol, CarriesOptionsOfEveryTypeAndLimits) {
  ModelSource open{
      "/m", "A", 12345678901ULL, {{"weights", "q8_0"}, {"n", std::int64_t{-3}}, {"x", 2.5}, {"b", true}}};
  ImageTask job;
  job.prompt = "p";
  job.options = {{"whole", 2.0}};
  const auto back = decode<EstimateTask>(encode(EstimateTask{open, job}));
  EXPECT_EQ(back.model.memory_limit_bytes, 12345678901ULL);
  ASSERT_EQ(back.model.options.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(back.model.options[i].name, open.options[i].name);
    EXPECT_EQ(back.model.options[i].value, open.options[i].value);
  }
  ASSERT_EQ(back.image.options.size(), 1U);
  EXPECT_EQ(std::get<double>(back.image.options[0].value), 2.0)
      << "a number stays a number without a fraction";
}

TEST(Protocol, CarriesEstimates) {
  const Estimate estimate{
      {{"denoise", 1.5, 99, 1ULL << 40, {{"cuda:0", "transformer", 3}, {"cpu", "process", 4}}}},
      7,
      {{"cuda:0", "transformer", 2}}};
  const auto back = decode<Estimate>(encode(estimate));
  ASSERT_EQ(back.stages.size(), 1U);
  EXPECT_EQ(back.stages[0].stage, "denoise");
  EXPECT_EQ(back.stages[0].milliseconds, 1.5);
  EXPECT_EQ(back.stages[0].operations, 99U);
  EXPECT_EQ(back.stages[0].peak_memory_bytes, 1ULL << 40);
  EXPECT_EQ(back.held_memory_bytes, 7U);
  ASSERT_EQ(back.stages[0].memory.size(), 2U);
  EXPECT_EQ(back.stages[0].memory[0].device, "cuda:0");
  EXPECT_EQ(back.stages[0].memory[0].part, "transformer");
  EXPECT_EQ(back.held_memory.at(0).bytes, 2U);
  EXPECT_EQ(peaks_by_device(back), (std::map<std::string, std::uint64_t>{{"cpu", 4}, {"cuda:0", 3}}));
}

TEST(Protocol, ReplacesBrokenUtf8OfAnEngine) {
  EXPECT_THAT(decode<LogMessage>(encode(LogMessage{2, "engine", "a\xff"})).message,
              HasSubstr("a\xEF\xBF\xBD"));
}

}  // namespace
}  // namespace roundhouse::host
