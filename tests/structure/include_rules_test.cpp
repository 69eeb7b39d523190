// SPDX-License-Identifier: Apache-2.0
// Who may include whom, and which room each outside library lives in.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "tests/structure/source_tree.h"

namespace structure {
namespace {

// Files under `room` may not include what matches `forbidden`, unless their path starts with one of `except`.
struct Rule {
  std::string room;
  std::string forbidden;
  std::vector<std::string> except;
  std::string reason;
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {"sdk/", R"(["<](host|engines|plugins|tests)/)", {}, "the SDK depends on nothing of ours"},
      {"host/", R"(["<](engines|plugins|tests)/)", {}, "the host meets the engines only through the ABI"},
      {"engines/", R"(["<](host|plugins|tests)/)", {}, "the mathematics knows no host"},
      {"engines/", R"(["<]roundhouse/(?!status\.h))", {}, "of the SDK, engines know the status codes only"},
      {"plugins/", R"(["<](host|tests)/)", {}, "a plugin sees the SDK and the mathematics"},
      {"",
       R"(<dlfcn\.h>)",
       {"host/loading/", "sdk/conformance/", "sdk/manifest/", "tests/"},
       "dlfcn lives in host/loading"},
      {"",
       R"(<(png\.h|jpeglib\.h|jerror\.h|webp/.*|lcms2\.h)>)",
       {"host/images/", "tests/"},
       "libpng, libjpeg, libwebp and Little CMS live in host/images"},
      {"", R"(<archive(_entry)?\.h>)", {"host/store/"}, "libarchive lives in host/store"},
      {"",
       R"(<openssl/)",
       {"host/store/", "host/transport/"},
       "OpenSSL lives in host/transport (TLS) and host/store (digests)"},
      {"", R"(<spdlog/)", {"host/log/", "tests/"}, "spdlog lives in host/log"},
      {"",
       R"(<CLI/)",
       {"host/cli/command_line.cpp", "sdk/conformance/main.cpp"},
       "CLI11 takes seconds to compile: one file a program"},
      {"", R"(<histedit\.h>)", {"host/cli/line_editor.cpp"}, "libedit lives in host/cli/line_editor.cpp"},
      {"host/app/",
       R"(<(iostream|cstdio|csignal|cstdlib|unistd\.h)>)",
       {},
       "use cases print nothing, catch no signals and read no environment: their callers hand these in"},
      {"", R"(<yaml-cpp/)", {"host/store/"}, "yaml-cpp lives in host/store"},
      {"", R"(<regex>)", {"tests/"}, "std::regex ends the process where the text is long"},
      {"", R"(["<]cblas\.h)", {"engines/kernels/openblas/"}, "cblas lives in engines/kernels/openblas"},
      {"", R"(["<](oneapi/)?dnnl)", {"engines/kernels/onednn/"}, "oneDNN lives in engines/kernels/onednn"},
      {"", R"(["<]hwy/)", {"engines/kernels/", "tests/engines/kernels/"}, "Highway lives in engines/kernels"},
      {"", R"(<oniguruma\.h>)", {"engines/tokenizer/"}, "Oniguruma lives in engines/tokenizer"},
      {"",
       R"(<utf8proc\.h>)",
       {"engines/tokenizer/", "host/loading/text.cpp", "host/log/terminal_text.cpp",
        "host/session/values.cpp"},
       "utf8proc reads prompts, and checks texts at the doors of the host"},
      {"",
       R"(<boost/(asio|beast)/)",
       {"host/server/", "host/transport/", "tests/"},
       "Boost.Asio lives in host/server and host/transport"},
  };
  return all;
}

bool starts_with_any(const std::string& path, const std::vector<std::string>& prefixes) {
  for (const auto& prefix : prefixes) {
    if (path.starts_with(prefix)) return true;
  }
  return false;
}

// The rules that an include breaks, one line each.
std::vector<std::string> violations(const std::string& file, const std::string& include) {
  std::vector<std::string> broken;
  for (const auto& rule : rules()) {
    if (!file.starts_with(rule.room) || starts_with_any(file, rule.except)) continue;
    if (std::regex_search(include, std::regex(rule.forbidden)))
      broken.push_back(file + " includes " + include + ": " + rule.reason);
  }
  return broken;
}

TEST(IncludeRules, CatchWhatTheyForbid) {
  EXPECT_EQ(violations("host/cli/main.cpp", "\"engines/tensor/tensor.h\"").size(), 1u);
  EXPECT_EQ(violations("engines/vae/x.cpp", "\"roundhouse/engine.h\"").size(), 1u);
  EXPECT_EQ(violations("engines/vae/x.cpp", "\"roundhouse/status.h\"").size(), 0u);
  EXPECT_EQ(violations("host/session/x.cpp", "<dlfcn.h>").size(), 1u);
  EXPECT_EQ(violations("host/loading/x.cpp", "<dlfcn.h>").size(), 0u);
  EXPECT_EQ(violations("host/sources/x.cpp", "<regex>").size(), 1u);
}

TEST(IncludeRules, HoldInEveryFile) {
  const auto files = source_files();
  ASSERT_GT(files.size(), 50u) << "the source tree was not found";
  for (const auto& file : files) {
    for (const auto& include : includes_of(file)) {
      for (const auto& line : violations(file, include))
        ADD_FAILURE() << line;
    }
  }
}

}  // namespace
}  // namespace structure
