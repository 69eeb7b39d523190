// SPDX-License-Identifier: Apache-2.0
// The document that describes the routes, held against the routes and against itself.
#include "host/server/openapi.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/server/daemon_test.h"
#include "tests/server/schema.h"

namespace roundhouse::test {
namespace {

using Operation = std::pair<std::string, std::string>;  // "get", "/progress/{id}"

std::string lower(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class OpenApi : public DaemonTest {
 protected:
  std::set<Operation> documented() const {
    std::set<Operation> all;
    for (const auto& [path, operations] : document_.at("paths").items()) {
      for (const auto& [method, operation] : operations.items())
        all.emplace(method, path);
    }
    return all;
  }
  std::set<Operation> routed() {
    std::set<Operation> all;
    for (const auto& route : daemon().router().routes()) {
      std::string path = route.pattern;
      if (const auto dots = path.find("...}"); dots != std::string::npos) path.erase(dots, 3);
      all.emplace(lower(route.method), path);
    }
    return all;
  }

  const nlohmann::json document_ = host::openapi_document("1.2.3");
};

TEST_F(OpenApi, describes_every_route_and_no_other) {
  EXPECT_EQ(documented(), routed());
}

TEST_F(OpenApi, is_what_the_daemon_serves) {
  const Answer answer = ask(port(), "GET", "/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json().at("openapi"), "3.1.0");
  EXPECT_EQ(answer.json().at("paths"), document_.at("paths"));
}

TEST_F(OpenApi, gives_every_operation_a_name_a_summary_and_answers) {
  std::set<std::string> names;
  for (const auto& [method, path] : documented()) {
    const nlohmann::json& operation = document_.at("paths").at(path).at(method);
    EXPECT_TRUE(names.insert(operation.at("operationId").get<std::string>()).second) << path;
    EXPECT_FALSE(operation.at("summary").get<std::string>().empty()) << path;
    EXPECT_FALSE(operation.at("responses").empty()) << path;
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
      EXPECT_TRUE(operation.contains("parameters")) << path;
    }
  }
}

TEST_F(OpenApi, refers_only_to_what_it_has) {
  const auto visit = [&](const auto& self, const nlohmann::json& value) -> void {
    if (value.is_object() && value.contains("$ref") && value.at("$ref").is_string()) {
      const std::string reference = value.at("$ref");
      ASSERT_TRUE(reference.starts_with("#/")) << reference;
      EXPECT_TRUE(document_.contains(nlohmann::json::json_pointer(reference.substr(1)))) << reference;
    }
    if (!value.is_structured()) return;
    for (const auto& child : value)
      self(self, child);
  };
  visit(visit, document_);
}

class Shape : public OpenApi, public testing::WithParamInterface<const char*> {};

TEST_P(Shape, of_the_answer_is_the_one_that_is_described) {
  const std::string path = GetParam();
  const Answer answer = ask(port(), "GET", path);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const nlohmann::json& schema = document_.at("paths")
                                     .at(path)
                                     .at("get")
                                     .at("responses")
                                     .at("200")
                                     .at("content")
                                     .at("application/json")
                                     .at("schema");
  EXPECT_EQ(schema_problem(document_, schema, answer.json()), "");
}
INSTANTIATE_TEST_SUITE_P(paths, Shape, testing::Values("/health", "/engines", "/models", "/loras"),
                         [](const auto& path) { return std::string(path.param).substr(1); });

}  // namespace
}  // namespace roundhouse::test
