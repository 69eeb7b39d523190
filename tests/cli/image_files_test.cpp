// SPDX-License-Identifier: Apache-2.0
// The kinds of files that `generate` writes.
#include "host/images/read_image.h"
#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class ImageFiles : public Program {
 protected:
  static Arguments card(const Arguments& more) {
    Arguments all = {"generate", "a red circle", "--engine", "testcard", "--width", "64", "--height", "48"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Name and content of the one file that these arguments make.
  std::pair<std::string, std::string> made(const Arguments& arguments) const {
    const std::string file = run_json(card(arguments)).at("files").at(0);
    return {file, content(work() / file)};
  }
};

TEST_F(ImageFiles, are_of_the_format_that_was_asked_for_with_a_name_that_says_so) {
  const std::tuple<const char*, const char*, host::ImageFormat> formats[] = {
      {"png", ".png", host::ImageFormat::png},
      {"jpeg", ".jpg", host::ImageFormat::jpeg},
      {"webp", ".webp", host::ImageFormat::webp}};
  for (const auto& [name, extension, format] : formats) {
    const auto [file, bytes] = made({"--format", name});
    EXPECT_TRUE(file.ends_with(extension)) << file;
    EXPECT_EQ(host::format_of_bytes(bytes), format);
    EXPECT_EQ(host::read_image(bytes, "image").image.height, 48U);
    const host::ImageTexts texts = host::read_image_texts(bytes, "image");
    ASSERT_EQ(texts.size(), 2U);
    EXPECT_THAT(texts[0].second, HasSubstr("a red circle"));
    EXPECT_THAT(host::read_image_texts(made({"--format", name, "--no-metadata"}).second, "image"), IsEmpty());
  }
  EXPECT_LT(made({"--format", "webp", "--quality", "5"}).second.size(),
            made({"--format", "webp", "--quality", "100"}).second.size());
}

TEST_F(ImageFiles, of_no_known_format_or_quality_are_refused_before_anything_is_made) {
  for (const Arguments& bad : {Arguments{"--format", "gif"}, Arguments{"--quality", "50"},
                               Arguments{"--format", "jpeg", "--quality", "101"},
                               Arguments{"--format", "jpeg", "--quality", "high"}}) {
    const Outcome outcome = run(card(bad));
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(bad[0] == "--format" && bad.size() == 2 ? "--format" : "--quality"));
  }
  EXPECT_THAT(listing(output()), IsEmpty());
}

}  // namespace
}  // namespace roundhouse::test
