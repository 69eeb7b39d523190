// SPDX-License-Identifier: Apache-2.0
// Forms with files: as browsers and clients send them, and as nobody should.
#include "host/server/http/multipart.h"

#include <gmock/gmock.h>

#include "host/server/http/http_error.h"

namespace roundhouse::host::http {
namespace {

using testing::HasSubstr;

constexpr const char* kType = "multipart/form-data; boundary=----b";

std::string field(const std::string& name, const std::string& value) {
  return "------b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}
const std::string kEnd = "------b--\r\n";

std::string refusal(const std::string& body, const std::string& type = kType, int status = 400) {
  try {
    parse_multipart(type, body);
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status(), status);
    return error.what();
  }
  return "was taken";
}

TEST(Multipart, gives_fields_and_files_byte_by_byte) {
  const std::string file("\x89PNG\r\n--\r\n------\0\r\n", 20);
  const std::string body =
      field("prompt", "a cat\r\non two lines") +
      "------b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"a b;.png\"\r\n"
      "content-type: image/png\r\n\r\n" +
      file + "\r\n" + field("empty", "") + kEnd;
  const auto parts = parse_multipart(kType, body);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "prompt");
  EXPECT_EQ(parts[0].body, "a cat\r\non two lines");
  EXPECT_EQ(parts[0].content_type, "text/plain");
  EXPECT_FALSE(parts[0].file_name);
  EXPECT_EQ(parts[1].name, "image[]");
  EXPECT_EQ(parts[1].file_name, "a b;.png");
  EXPECT_EQ(parts[1].content_type, "image/png");
  EXPECT_EQ(parts[1].body, file);
  EXPECT_EQ(parts[2].body, "");
}

TEST(Multipart, takes_what_the_grammar_allows) {
  EXPECT_EQ(parse_multipart("MULTIPART/form-data; Boundary=\"----b\"", field("a", "1") + kEnd).size(), 1u);
  EXPECT_EQ(parse_multipart(kType, "\r\n" + field("a", "1") + kEnd).size(), 1u);
  EXPECT_EQ(parse_multipart(kType, kEnd).size(), 0u);
  EXPECT_EQ(parse_multipart(kType, "------b \t\r\nContent-Disposition:form-data;name=a\r\n\r\nx\r\n------b--")
                .at(0)
                .body,
            "x");
}

TEST(Multipart, refuses_every_truncation) {
  const std::string whole = field("a", "1") + field("b", "2") + "------b--";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(refusal(whole.substr(0, size)), "was taken") << size;
}

TEST(Multipart, refuses_what_is_no_form) {
  EXPECT_THAT(refusal("{}", "application/json", 415), HasSubstr("expected multipart/form-data"));
  EXPECT_THAT(refusal("{}", "", 415), HasSubstr("expected multipart/form-data"));
  EXPECT_THAT(refusal(kEnd, "multipart/form-data"), HasSubstr("no boundary"));
  EXPECT_THAT(refusal(kEnd, "multipart/form-data; boundary="), HasSubstr("no boundary"));
  EXPECT_THAT(refusal(kEnd, "multipart/form-data; boundary=" + std::string(71, 'x')),
              HasSubstr("no boundary"));
  EXPECT_THAT(refusal(kEnd, "multipart/form-data; boundary=\"a\r\nb\""), HasSubstr("no boundary"));
  EXPECT_THAT(refusal("x" + kEnd), HasSubstr("does not begin"));
}

TEST(Multipart, refuses_parts_that_could_be_read_in_two_ways) {
  const auto part = [](const std::string& head) { return "------b\r\n" + head + "\r\n\r\nx\r\n" + kEnd; };
  EXPECT_THAT(refusal(part("X: y")), HasSubstr("no name"));
  EXPECT_THAT(refusal(part("Content-Disposition: form-data; name=\"\"")), HasSubstr("no name"));
  EXPECT_THAT(refusal(part("Content-Disposition: form-data; name=a; name=b")), HasSubstr("twice"));
  EXPECT_THAT(
      refusal(part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b")),
      HasSubstr("two names"));
  EXPECT_THAT(refusal(part("Content-Disposition: attachment; name=a")), HasSubstr("is not form-data"));
  EXPECT_THAT(refusal(part("no field at all")), HasSubstr("not a header field"));
  EXPECT_THAT(refusal(part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64")),
              HasSubstr("base64"));
  EXPECT_THAT(refusal("------bc\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n" + kEnd),
              HasSubstr("nothing may follow"));
}

TEST(Multipart, keeps_its_limits) {
  std::string many;
  for (int i = 0; i < 129; ++i)
    many += field("a", "1");
  EXPECT_THAT(refusal(many + kEnd), HasSubstr("more parts than the 128"));
  EXPECT_THAT(refusal("------b\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
              HasSubstr("within 8192 bytes"));
  std::string lines = "------b\r\n";
  for (int i = 0; i < 2000; ++i)
    lines += "X: yy\r\n";
  EXPECT_THAT(refusal(lines + "\r\n"), HasSubstr("within 8192 bytes"));
}

}  // namespace
}  // namespace roundhouse::host::http
