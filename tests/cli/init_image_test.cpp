// SPDX-License-Identifier: Apache-2.0
// Images that begin with another, and those of which a part stays.
#include <cstdlib>
#include <fstream>

#include "tests/cli/program.h"
#include "tests/host/images/png_reader.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const fs::path kPocket = fs::path(ROUNDHOUSE_FIXTURES) / "pocket";

class InitImage : public Program {
 protected:
  Arguments arguments(const Arguments& more) const {
    Arguments all = {"generate",     "a blue cup",
                     "--engine",     "openblas",
                     "--steps",      "4",
                     "--seed",       "11",
                     "--width",      "64",
                     "--height",     "64",
                     "--init-image", (kPocket / "input-apple.png").string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  PngContent made(const Arguments& more) const {
    return read_png(work() / run_json(arguments(more)).at("files").at(0).get<std::string>());
  }
};

// Mean difference of the samples of some rows.
double difference(const PngContent& a, const PngContent& b, std::size_t first_row, std::size_t end_row) {
  double sum = 0;
  const std::size_t row = std::size_t{3} * a.width;
  for (std::size_t i = first_row * row; i < end_row * row; ++i)
    sum += std::abs(int{a.rgb.at(i)} - int{b.rgb.at(i)});
  return sum / static_cast<double>((end_row - first_row) * row);
}

TEST_F(InitImage, goes_further_from_the_image_with_more_strength) {
  const PngContent near = made({"--strength", "0.3"}), far = made({"--strength", "1"});
  const PngContent nearest = made({"--strength", "0.01"});
  EXPECT_LT(difference(near, nearest, 0, 64), difference(far, nearest, 0, 64));
  EXPECT_EQ(made({"--strength", "0.3"}).rgb, near.rgb);
  const auto record = nlohmann::json::parse(near.texts.at("roundhouse"));
  EXPECT_EQ(record.at("init_image").at("strength"), 0.3);
  EXPECT_EQ(record.at("init_image").at("mask"), false);
  EXPECT_THAT(record.at("init_image").at("sha256").get<std::string>(), HasSubstr("sha256:"));
  EXPECT_THAT(near.texts.at("parameters"), HasSubstr("Denoising strength: 0.3"));
}

// The fixture's mask is a rectangle. Above it the image stays, but for what the autoencoder's attention lets
// through.
TEST_F(InitImage, keeps_what_the_mask_does_not_draw) {
  const std::string mask = (kPocket / "input-mask.png").string();
  const PngContent drawn = made({"--mask", mask}), other = made({"--mask", mask, "--strength", "0.7"});
  EXPECT_LT(3 * difference(drawn, other, 0, 6), difference(drawn, other, 24, 40));
  EXPECT_THAT(drawn.texts.at("parameters"), HasSubstr("Mask: yes"));
}

TEST_F(InitImage, gives_its_size_where_none_is_asked_for_and_says_what_was_cut) {
  const Arguments whole = {
      "generate",     "x",
      "--engine",     "openblas",
      "--steps",      "2",
      "--strength",   "0.5",
      "--init-image", (fs::path(ROUNDHOUSE_FIXTURES) / "images" / "lossy.webp").string()};
  const nlohmann::json result = run_json(whole);
  EXPECT_EQ(result.at("width"), 80);
  EXPECT_EQ(result.at("height"), 64);
  EXPECT_THAT(result.at("notes").dump(), HasSubstr("the init image of 13x9 was scaled and cropped to 80x64"));
}

TEST_F(InitImage, counts_in_the_estimate) {
  const auto seconds = [&](const Arguments& more) {
    Arguments all = arguments(more);
    all.emplace_back("--estimate");
    return run_json(all);
  };
  const nlohmann::json few = seconds({"--strength", "0.25"}), all = seconds({"--strength", "1"});
  const auto operations = [](const nlohmann::json& estimate, const char* stage) {
    return estimate.at("stages").at(stage).at("operations").get<double>();
  };
  EXPECT_NEAR(operations(all, "denoise") / operations(few, "denoise"), 4, 0.2);
  Arguments without = arguments({"--estimate"});
  without.resize(12);
  without.emplace_back("--estimate");
  EXPECT_GT(operations(all, "encode"), 1.5 * operations(run_json(without), "encode"));
}

TEST_F(InitImage, is_refused_by_name_before_anything_is_loaded) {
  std::ofstream(work() / "text.png") << "no image";
  const std::pair<Arguments, const char*> wrong[] = {
      {{"generate", "x", "--init-image", "absent.png"}, "--init-image 'absent.png': no such file"},
      {{"generate", "x", "--init-image", "text.png"}, "--init-image: is not a PNG, JPEG or WebP image"},
      {{"generate", "x", "--mask", "text.png"}, "--mask: is of an image to begin with"},
      {{"generate", "x", "--strength", "0.5"}, "strength: is of an image to begin with"},
      {arguments({"--strength", "0"}), "strength: 0 is out of range"},
      {arguments({"--strength", "much"}), "--strength"},
      {arguments({"--mask", "text.png"}), "--mask: is not a PNG, JPEG or WebP image"}};
  for (const auto& [given, message] : wrong) {
    const Outcome outcome = run(given);
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
  const Outcome card =
      run({"generate", "x", "--engine", "testcard", "--init-image", (kPocket / "input-apple.png").string()});
  EXPECT_EQ(card.status, 3) << card.err;
  EXPECT_THAT(card.err, HasSubstr("image-to-image"));
  EXPECT_THAT(listing(output()), IsEmpty());
}

}  // namespace
}  // namespace roundhouse::test
