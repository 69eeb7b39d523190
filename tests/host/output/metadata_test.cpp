// SPDX-License-Identifier: Apache-2.0
// Tests of the texts inside an image.
#include "host/output/metadata.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace roundhouse::host {
namespace {

ImageMetadata record() {
  ImageMetadata record;
  record.job.prompt = "a red circle";
  record.job.width = 256;
  record.job.height = 128;
  record.job.steps = 8;
  record.job.seed = 42;
  record.engine = "openblas";
  record.engine_version = "0.1.0";
  record.model = "pocket-turbo";
  record.device = "cpu";
  record.facts = {{"dtype.denoise", "bf16"}};
  record.sampler = "euler";
  record.version = "0.1.0";
  return record;
}

TEST(Parameters, are_the_prompt_and_one_line_of_pairs) {
  EXPECT_EQ(
      a1111_parameters(record()),
      "a red circle\nSteps: 8, Sampler: Euler, CFG scale: 1, Seed: 42, Size: 256x128, Model: pocket-turbo, "
      "Engine: openblas, Version: roundhouse 0.1.0");
}

TEST(Parameters, have_the_negative_prompt_on_its_own_line) {
  ImageMetadata with = record();
  with.job.negative_prompt = "blurry\ndull";
  with.job.guidance = 4.5;
  with.schedule = "flow";
  EXPECT_THAT(a1111_parameters(with),
              testing::StartsWith("a red circle\nNegative prompt: blurry\ndull\nSteps: 8, Sampler: Euler, "
                                  "Schedule type: flow, CFG scale: 5.5, Seed: 42"));
}

TEST(Parameters, do_not_show_the_noise_of_binary_fractions) {
  ImageMetadata with = record();
  with.job.guidance = 0.1;
  EXPECT_THAT(a1111_parameters(with), testing::HasSubstr("CFG scale: 1.1,"));
}

TEST(Parameters, tell_of_an_image_to_begin_with_and_of_its_mask) {
  ImageMetadata with = record();
  InitImage init{{1, 1, {0, 0, 0}}, {}, 0.33, "sha256:ab"};
  with.job.init = std::make_shared<const InitImage>(init);
  EXPECT_THAT(a1111_parameters(with),
              testing::HasSubstr("Size: 256x128, Denoising strength: 0.33, Model: pocket-turbo"));
  init.mask = {255};
  with.job.init = std::make_shared<const InitImage>(init);
  EXPECT_THAT(a1111_parameters(with), testing::HasSubstr("Denoising strength: 0.33, Mask: yes, Model"));
  EXPECT_THAT(record_json(with),
              testing::HasSubstr(R"("init_image":{"sha256":"sha256:ab","strength":0.33,"mask":true})"));
}

TEST(Parameters, omit_the_model_of_a_modelless_engine) {
  ImageMetadata with = record();
  with.model.clear();
  EXPECT_THAT(a1111_parameters(with), testing::Not(testing::HasSubstr("Model")));
}

TEST(Parameters, quote_a_value_that_would_end_its_pair) {
  EXPECT_EQ(a1111_value("plain ./model"), "plain ./model");
  EXPECT_EQ(a1111_value("./a,b"), "\"./a,b\"");
  EXPECT_EQ(a1111_value("a: b"), "\"a: b\"");
  EXPECT_EQ(a1111_value("a\nb"), "\"a\\nb\"");
  EXPECT_EQ(a1111_value("say \"x\""), "\"say \\\"x\\\"\"");
}

TEST(RecordJson, holds_everything_that_makes_the_image_again) {
  ImageMetadata with = record();
  with.job.negative_prompt = "dull";
  with.job.guidance = 4.1;
  with.job.cfg_normalization = 1;
  with.job.cfg_truncation = 0.7;
  with.job.seed = 9'223'372'036'854'775'807ULL;
  with.schedule = "karras";
  const auto json = nlohmann::json::parse(record_json(with));
  EXPECT_EQ(json.at("prompt"), "a red circle");
  EXPECT_EQ(json.at("negative_prompt"), "dull");
  EXPECT_EQ(json.at("model"), "pocket-turbo");
  EXPECT_EQ(json.at("engine"), "openblas");
  EXPECT_EQ(json.at("engine_version"), "0.1.0");
  EXPECT_EQ(json.at("seed").get<std::uint64_t>(), 9'223'372'036'854'775'807ULL);
  EXPECT_EQ(json.at("width"), 256);
  EXPECT_EQ(json.at("height"), 128);
  EXPECT_EQ(json.at("steps"), 8);
  EXPECT_EQ(json.at("guidance"), 4.1);
  EXPECT_EQ(json.at("cfg_normalization"), 1);
  EXPECT_EQ(json.at("cfg_truncation"), 0.7);
  EXPECT_EQ(json.at("sampler"), "euler");
  EXPECT_EQ(json.at("schedule"), "karras");
  EXPECT_EQ(json.at("device"), "cpu");
  EXPECT_EQ(json.at("facts").at("dtype.denoise"), "bf16");
  EXPECT_EQ(json.at("version"), "0.1.0");
}

TEST(RecordJson, is_ascii_and_survives_bytes_that_are_not_utf_8) {
  ImageMetadata with = record();
  with.job.prompt = "\xE7\x8C\xAB \xFF";
  const std::string text = record_json(with);
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  EXPECT_EQ(nlohmann::json::parse(text).at("prompt"), "\xE7\x8C\xAB \xEF\xBF\xBD");
}

}  // namespace
}  // namespace roundhouse::host
