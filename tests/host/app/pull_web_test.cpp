// SPDX-License-Identifier: Apache-2.0
// One file of a web server as a model.
#include <charconv>

#include "host/app/pull.h"
#include "tests/host/sources/http_server.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

using test::ServerReply;
using test::ServerRequest;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PullWeb : public StoreTest {
 protected:
  PullWeb() {
    import("tiny");
    digest_ = get("tiny").digest.text();
    const auto archive = directory_.path() / "m.tar";
    store().pack(get("tiny"), archive, {});
    std::ifstream stream(archive, std::ios::binary);
    content_.assign(std::istreambuf_iterator<char>(stream), {});
    store().remove(ModelName::parse("tiny"), true);
  }

  // The content, from the byte that was asked for; every answer but the first byte is cut after `cut_` bytes.
  ServerReply answer(const ServerRequest& request) const {
    if (request.path() != "/files/m.tar" && request.path() != "/files/m.safetensors") return {404, {}, "no"};
    const std::string range = request.get("range");
    if (!ranges_ || range.empty()) return {200, {{"ETag", etag_}}, content_, withheld_};
    std::size_t from = 0;
    std::from_chars(range.data() + 6, range.data() + range.size(), from);
    const std::size_t size = range.ends_with("-0") ? 1 : content_.size() - from;
    return {206,
            {{"ETag", etag_},
             {"Content-Range", "bytes " + std::to_string(from) + "-" + std::to_string(from + size - 1) + "/" +
                                   std::to_string(content_.size())}},
            content_.substr(from, size)};
  }
  AppContext context() const {
    const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
    const auto models = [=, this] {
      return ModelCatalogue(model_search(nothing, "/nowhere", root().string()));
    };
    return {root(), models, nothing, "1.2.3", cancelled_};
  }
  std::string pulled(const std::string& path, const std::function<void(std::uint64_t)>& seen = {}) {
    return outcome([&] {
      PullRequest request;
      request.source = "http://" + server_.address() + path;
      if (seen) request.progress = [=](const StoreProgress& progress) { seen(progress.done); };
      report_ = pull(context(), request);
    });
  }

  std::string content_, digest_, etag_ = "\"a\"";
  bool ranges_ = true;
  std::size_t withheld_ = 0;
  std::atomic<bool> cancelled_ = false;
  ImportReport report_;
  test::HttpServer server_{[this](const ServerRequest& request) { return answer(request); }};
};

TEST_F(PullWeb, takes_an_archive) {
  EXPECT_EQ(pulled("/files/m.tar?signature=x"), "ok");
  EXPECT_EQ(get("tiny").digest.text(), digest_);
  EXPECT_EQ(report_.bytes_fetched, content_.size());
  EXPECT_TRUE(std::filesystem::is_empty(paths().downloads())) << "the archive is not kept";
}

TEST_F(PullWeb, goes_on_where_it_was_cut) {
  withheld_ = content_.size() / 2;
  EXPECT_EQ(pulled("/files/m.tar"), "ok");
  EXPECT_EQ(get("tiny").digest.text(), digest_);
  EXPECT_EQ(server_.requests().back().get("range"),
            "bytes=" + std::to_string(content_.size() - withheld_) + "-");
}

TEST_F(PullWeb, keeps_what_has_arrived_when_it_is_cancelled) {
  EXPECT_THAT(pulled("/files/m.tar", [this](std::uint64_t done) { cancelled_ = done > 0; }),
              StartsWith("CANCELLED"));
  cancelled_ = false;
  EXPECT_EQ(pulled("/files/m.tar"), "ok");
  EXPECT_LT(report_.bytes_fetched, content_.size());
}

TEST_F(PullWeb, begins_anew_where_the_server_has_something_else) {
  EXPECT_THAT(pulled("/files/m.tar", [this](std::uint64_t done) { cancelled_ = done > 0; }),
              StartsWith("CANCELLED"));
  cancelled_ = false;
  etag_ = "\"b\"";
  EXPECT_EQ(pulled("/files/m.tar"), "ok");
  EXPECT_EQ(report_.bytes_fetched, content_.size());
}

TEST_F(PullWeb, works_without_ranges) {
  ranges_ = false;
  EXPECT_EQ(pulled("/files/m.tar"), "ok");
  EXPECT_EQ(get("tiny").digest.text(), digest_);
}

TEST_F(PullWeb, refuses_a_version_for_what_may_change) {
  const std::string said = outcome([&] {
    PullRequest request;
    request.source = "http://" + server_.address() + "/files/m.tar";
    request.name = ModelName::parse("x@2");
    pull(context(), request);
  });
  EXPECT_THAT(said, HasSubstr("'x@2' stands for one model for ever: expected a name without a version"));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(PullWeb, refuses_weights_alone_by_their_header) {
  const std::string header = R"({"x":{"dtype":"U8","shape":[20971520],"data_offsets":[0,20971520]}})";
  content_ = std::string(8, '\0') + header + std::string(20 << 20, 'x');
  content_[0] = static_cast<char>(header.size());
  const std::string said = pulled("/files/m.safetensors");
  EXPECT_THAT(said, HasSubstr("file 'm.safetensors': holds weights alone, expected --base MODEL"));
  EXPECT_THAT(said, testing::Not(HasSubstr(root().string())));
  EXPECT_EQ(server_.requests().back().get("range"), "bytes=0-1048575");
}

TEST_F(PullWeb, says_what_it_got_instead) {
  EXPECT_THAT(pulled("/files/none.tar?token=secret"), StartsWith("MODEL_NOT_FOUND: source 'http://"));
  content_ = "<!DOCTYPE html><html><head><title>Sign in</title>";
  const std::string said = pulled("/files/m.tar?token=secret");
  EXPECT_THAT(said, HasSubstr("/files/m.tar'"));
  EXPECT_THAT(said, testing::Not(HasSubstr("secret")));
  EXPECT_THAT(store().list(), testing::IsEmpty());
}

}  // namespace
}  // namespace roundhouse::host
