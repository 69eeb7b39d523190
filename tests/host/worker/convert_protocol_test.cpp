// SPDX-License-Identifier: Apache-2.0
// Tests of the messages about conversions.
#include "host/worker/ops/convert.h"

#include <gtest/gtest.h>

#include "host/worker/frame.h"

namespace roundhouse::host {
namespace {

TEST(ConvertProtocol, RefusesTextThatIsNoMessage) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"), std::string("[[1]]"),
                                  std::string("{\"source\":1}"), std::string("\xff\xfe")}) {
    EXPECT_THROW(decode<ConvertTask>(text), FrameError) << text;
    EXPECT_THROW(decode<ConvertEvent>(text), FrameError) << text;
    EXPECT_THROW(decode<ConvertResult>(text), FrameError) << text;
    if (text == "[]") continue;  // a list of none
    EXPECT_THROW(decode_tensors({text.begin(), text.end()}), FrameError) << text;
  }
}

TEST(ConvertProtocol, CarriesEveryField) {
  const auto job = decode<ConvertTask>(encode(
      ConvertTask{"/a \"b\"", "/c", "q4_k", "gguf", {{"n", std::int64_t{3}}, {"t", std::string("x")}}}));
  EXPECT_EQ(job.source, "/a \"b\"");
  EXPECT_EQ(job.target, "/c");
  EXPECT_EQ(job.type, "q4_k");
  EXPECT_EQ(job.format, "gguf");
  ASSERT_EQ(job.options.size(), 2U);
  EXPECT_EQ(std::get<std::int64_t>(job.options[0].value), 3);
  EXPECT_EQ(std::get<std::string>(job.options[1].value), "x");

  const auto event = decode<ConvertEvent>(encode(ConvertEvent{"f", "t", 1, UINT64_MAX}));
  EXPECT_EQ(event.file + event.tensor, "ft");
  EXPECT_EQ(event.done_bytes, 1U);
  EXPECT_EQ(event.total_bytes, UINT64_MAX);

  const auto tensors =
      decode_tensors(encode_tensors({{"f", "n", "bf16", "q8_0", {2, 3}, 12, 6, 1.0 / 3, 1e-300}}));
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_EQ(tensors[0].file + tensors[0].name + tensors[0].from + tensors[0].to, "fnbf16q8_0");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(tensors[0].size_bytes, 12U);
  EXPECT_EQ(tensors[0].elements, 6U);
  EXPECT_EQ(tensors[0].squares, 1.0 / 3);
  EXPECT_EQ(tensors[0].squares_of_errors, 1e-300);
  EXPECT_EQ(decode<ConvertResult>(encode(ConvertResult{{}, 77})).peak_memory_bytes, 77U);
}

}  // namespace
}  // namespace roundhouse::host
