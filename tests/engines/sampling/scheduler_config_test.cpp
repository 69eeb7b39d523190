// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <fstream>

#include "engines/sampling/sampler.h"
#include "tests/engines/sampling/fixture.h"

namespace engines::testing {
namespace {

class SchedulerConfigFile : public ::testing::Test {
 protected:
  SchedulerConfigFile() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("scheduler_config_") + test->name() + "_" + std::to_string(::getpid()) + ".json");
  }
  ~SchedulerConfigFile() override { std::filesystem::remove(path_); }

  SchedulerConfig read(const std::string& text) {
    std::ofstream(path_) << text;
    return SchedulerConfig::read(path_, "scheduler/scheduler_config.json");
  }
  SchedulerConfig read_fields(const std::string& fields) {
    return read(R"({"_class_name": "FlowMatchEulerDiscreteScheduler")" +
                (fields.empty() ? "" : ", " + fields) + "}");
  }

  std::filesystem::path path_;
};

TEST_F(SchedulerConfigFile, OfAnotherClassIsRefused) {
  expect_error(RH_MODEL_INVALID, "_class_name", [&] { read(R"({"_class_name": "DDIMScheduler"})"); });
  expect_error(RH_MODEL_INVALID, "_class_name", [&] { read(R"({"shift": 3})"); });
  expect_error(RH_MODEL_INVALID, "_class_name", [&] { read(R"({"_class_name": 7})"); });
}

TEST_F(SchedulerConfigFile, WithAValueOutOfRangeIsRefusedByName) {
  for (const std::string fields : {
           R"("shift": 0)",
           R"("shift": -3)",
           R"("shift": 1e300)",
           R"("shift": "3")",
           R"("num_train_timesteps": 0)",
           R"("num_train_timesteps": 2147483648)",
           R"("shift_terminal": 1)",
           R"("shift_terminal": -0.1)",
           R"("base_shift": 1e9)",
           R"("max_shift": -1e9)",
           R"("base_image_seq_len": 0)",
           R"("max_image_seq_len": 256)",
           R"("time_shift_type": "cubic")",
           R"("use_dynamic_shifting": 1)",
           R"("invert_sigmas": true)",
           R"("stochastic_sampling": "yes")",
       }) {
    const std::string field = fields.substr(1, fields.find('"', 1) - 1);
    expect_error(RH_MODEL_INVALID, "scheduler/scheduler_config.json: " + field, [&] { read_fields(fields); });
  }
}

TEST_F(SchedulerConfigFile, WithTwoResamplingsIsRefused) {
  expect_error(RH_MODEL_INVALID, "use_karras_sigmas",
               [&] { read_fields(R"("use_karras_sigmas": true, "use_beta_sigmas": true)"); });
}

TEST_F(SchedulerConfigFile, ThatIsNoJsonIsRefused) {
  expect_error(RH_MODEL_INVALID, "scheduler_config.json", [&] { read(R"({"shift": NaN})"); });
  expect_error(RH_MODEL_INVALID, "scheduler_config.json", [&] { read(R"({"_class_name": )"); });
  expect_error(RH_MODEL_INVALID, "scheduler_config.json", [&] { read("[]"); });
}

TEST_F(SchedulerConfigFile, HasTheDefaultsOfItsClass) {
  const SchedulerConfig config = read_fields(R"("shift_terminal": null)");
  EXPECT_EQ(config.shift, 1);
  EXPECT_EQ(config.num_train_timesteps, 1000);
  EXPECT_FALSE(config.use_dynamic_shifting);
  EXPECT_EQ(config.shift_terminal, 0);
}

TEST_F(SchedulerConfigFile, IsReadFieldByField) {
  const SchedulerConfig config = read_fields(
      R"("shift": 6, "use_dynamic_shifting": true, "base_shift": 0.4, "max_shift": 1.2,
         "base_image_seq_len": 128, "max_image_seq_len": 8192, "time_shift_type": "linear",
         "shift_terminal": 0.02, "use_beta_sigmas": true, "stochastic_sampling": true,
         "num_train_timesteps": 500)");
  EXPECT_EQ(config.shift, 6);
  EXPECT_TRUE(config.use_dynamic_shifting);
  EXPECT_EQ(config.base_shift, 0.4);
  EXPECT_EQ(config.max_shift, 1.2);
  EXPECT_EQ(config.base_image_seq_len, 128);
  EXPECT_EQ(config.max_image_seq_len, 8192);
  EXPECT_EQ(config.time_shift_type, "linear");
  EXPECT_EQ(config.shift_terminal, 0.02);
  EXPECT_TRUE(config.use_beta_sigmas);
  EXPECT_TRUE(config.stochastic_sampling);
  EXPECT_EQ(config.num_train_timesteps, 500);
}

TEST(SchedulerConfig, OfTheTinyModelIsRead) {
  const SchedulerConfig config = SchedulerConfig::read(
      std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny/scheduler/scheduler_config.json",
      "scheduler/scheduler_config.json");
  EXPECT_EQ(config.shift, 3);
  EXPECT_FALSE(config.use_dynamic_shifting);
}

}  // namespace
}  // namespace engines::testing
