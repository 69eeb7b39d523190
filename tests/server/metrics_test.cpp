// SPDX-License-Identifier: Apache-2.0
// The page of metrics: what promtool says to it, and that it counts.
#include <fstream>

#include "host/server/metrics_text.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;

class MetricsPage : public DaemonTest {
 protected:
  std::string page() {
    const Answer answer = get("/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    return answer.body;
  }
};

TEST_F(MetricsPage, leaves_promtool_nothing_to_say) {
  ASSERT_EQ(post("/generate", test_card()).status, 200);
  get("/nothing");
  get("/health");
  const std::filesystem::path file = home() / "metrics", said = home() / "said";
  std::ofstream(file) << page();
  const std::string command = "promtool check metrics <" + file.string() + " >" + said.string() + " 2>&1";
  const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe): nothing else runs yet
  std::ifstream stream(said);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text, "");
}

TEST_F(MetricsPage, counts_requests_and_images) {
  ASSERT_EQ(post("/generate", test_card()).status, 200);
  ASSERT_EQ(post("/generate", test_card()).status, 200);
  ASSERT_EQ(get("/nothing").status, 404);
  ASSERT_EQ(post("/generate", nlohmann::json::object()).status, 400);
  std::string text;
  // A request is counted a moment after its answer.
  EXPECT_TRUE(becomes_true([&] {
    text = page();
    return text.find(R"(requests_total{method="POST",route="/generate",status="200"} 2)") !=
               std::string::npos &&
           text.find(R"(requests_total{method="POST",route="/generate",status="400"} 1)") !=
               std::string::npos &&
           text.find(R"(requests_total{method="any",route="none",status="404"} 1)") != std::string::npos;
  }));
  EXPECT_THAT(text, HasSubstr(R"(roundhouse_http_requests_total{method="any",route="none",status="404"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(roundhouse_images_total{engine="testcard",model=""} 2)"));
  EXPECT_THAT(text, HasSubstr("\nroundhouse_loaded_models 1\n"));
  EXPECT_THAT(text,
              HasSubstr(R"(roundhouse_http_request_duration_seconds_bucket{route="/generate",le="+Inf"} 3)"));
}

TEST(MetricsText, escapes_labels_and_writes_every_number) {
  host::MetricsText page;
  page.metric("x", "gauge", "About x.");
  page.sample({{"a", "back\\slash \"quote\" new\nline"}}, 0.5);
  page.sample({}, std::numeric_limits<double>::infinity());
  EXPECT_EQ(
      page.text(),
      "# HELP x About x.\n# TYPE x gauge\nx{a=\"back\\\\slash \\\"quote\\\" new\\nline\"} 0.5\nx +Inf\n");
}

}  // namespace
}  // namespace roundhouse::test
