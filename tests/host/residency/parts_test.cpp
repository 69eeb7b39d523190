// SPDX-License-Identifier: Apache-2.0
// Keep-alive as clients write it, and figures of models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "host/residency/keep_alive.h"
#include "host/residency/needs.h"
#include "host/residency/process_size.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;

// ---- keep_alive ----

TEST(KeepAlive, SecondsAndDurations) {
  EXPECT_EQ(parse_keep_alive("300"), milliseconds(300'000));
  EXPECT_EQ(parse_keep_alive("0"), milliseconds(0));
  EXPECT_EQ(parse_keep_alive("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_keep_alive("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(parse_keep_alive("1.5h"), milliseconds(5'400'000));
  EXPECT_EQ(parse_keep_alive("250ms"), milliseconds(250));
  EXPECT_EQ(parse_keep_alive("0.1"), milliseconds(100));
  EXPECT_EQ(keep_alive_of(0.0001), milliseconds(1)) << "not 0, which would unload";
}

TEST(KeepAlive, NegativeAndBeyondAllTimeIsForEver) {
  for (const char* text : {"-1", "-5m", "-1h30m", "99999999999999999999", "1000000000h"})
    EXPECT_EQ(parse_keep_alive(text), kForever) << text;
  EXPECT_EQ(keep_alive_of(1e300), kForever);
  EXPECT_EQ(parse_keep_alive("-0"), milliseconds(0));
}

TEST(KeepAlive, EverythingElseIsRefusedWithTheFieldAndTheText) {
  for (const char* text :
       {"", "-", "m", "5 m", "5x", "--1", "1h30", "nan", "inf", "1e5", "0x10", "5m ", "+5"}) {
    try {
      parse_keep_alive(text, "field");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      EXPECT_THAT(error.what(), testing::HasSubstr("field: '" + std::string(text) + "' is not a time"));
    }
  }
  EXPECT_THROW(keep_alive_of(std::nan("")), Error);
}

// ---- figures ----

Cost images(std::uint64_t units) {
  return {"image", units};
}

TEST(Needs, FilesOfAModelAreFoundOnceWhateverTheirNames) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("needs-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "vae");
  std::ofstream(folder / "model.gguf") << "1234567";
  std::ofstream(folder / "vae" / "a.safetensors") << "12345";
  std::ofstream(folder / "vae" / "config.json") << "123";
  std::filesystem::create_symlink("a.safetensors", folder / "vae" / "b.safetensors");
  std::filesystem::create_symlink("nowhere", folder / "vae" / "c.safetensors");
  const WeightFiles files = weight_files(folder);
  EXPECT_EQ(files.size(), 2U);
  EXPECT_EQ(bytes_of(files), 12U);
  EXPECT_TRUE(weight_files({}).empty());
  EXPECT_TRUE(weight_files(folder / "nowhere").empty());
  std::filesystem::remove_all(folder);
}

TEST(Needs, OtherSizesAreScaledByWhatExceedsTheWeights) {
  NeedTable table;
  table.expect("m", {{1, 1, 1000}});
  EXPECT_EQ(table.need("m", images(100)).peak, 1000U);
  EXPECT_FALSE(table.need("m", images(100)).asked);
  table.note("m", images(100), 1200, 1300);
  EXPECT_TRUE(table.need("m", images(100)).exact);
  EXPECT_EQ(table.need("m", images(100)).peak, 1300U);
  EXPECT_FALSE(table.need("m", images(400)).exact);
  EXPECT_EQ(table.need("m", images(400)).peak, 1600U);
  EXPECT_EQ(table.need("m", std::nullopt).peak, 1200U);
}

TEST(Needs, AFileIsSharedOnlyByThoseWhoHaveItWhole) {
  const auto files = std::make_shared<const WeightFiles>(WeightFiles{{1, 1, 100}, {1, 2, 50}});
  EXPECT_EQ(total_bytes({{160, files}, {170, files}}), 180U);
  EXPECT_EQ(total_bytes({{160, files}, {120, files}}), 280U) << "the second streams its weights";
  EXPECT_EQ(total_bytes({}), 0U);
}

TEST(Needs, TheKernelCountsThisProcess) {
  const ProcessSize size = process_size(getpid());
  EXPECT_GT(size.resident, 1U << 20);
  EXPECT_LE(size.anonymous, size.resident);
  EXPECT_EQ(process_size(0).resident, 0U);
  EXPECT_GT(available_memory(), 1U << 20);
}

}  // namespace
}  // namespace roundhouse::host
