// SPDX-License-Identifier: Apache-2.0
// Every family of decoders, as transformers and as llama.cpp keep it, against what llama.cpp computes
// (tests/fixtures/families).
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engines/text/open_language_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/engines/text/read_text.h"

namespace engines::test {
namespace {

const std::filesystem::path kFamilies = std::filesystem::path(ROUNDHOUSE_FIXTURES) / "families";

// llama.cpp's own rounding: float32 sums, and for gelu a table of half-precision numbers.
double bound_of(const std::string& family) {
  return family.starts_with("gemma") ? 5e-3 : 1e-4;
}

std::string name_of_family(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

class Families : public testing::TestWithParam<const char*> {
 protected:
  nlohmann::json expected(int prompt) const {
    std::ifstream in(kFamilies / GetParam() / ("expected" + std::to_string(prompt) + ".json"));
    return nlohmann::json::parse(in);
  }
  // The greatest difference from the expected logits, of their peak.
  double deviation(LanguageModel& model, int prompt, std::int64_t piece) const {
    const auto text = expected(prompt);
    const auto logits = text.at("logits").get<std::vector<double>>();
    const auto state = model.make_state();
    const Logits got = read_text(model, *state, text.at("ids").get<Ids>(), piece);
    double worst = 0, peak = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      worst = std::max(worst, std::abs(logits[i] - got.values.at(i)));
      peak = std::max(peak, std::abs(logits[i]));
    }
    return worst / peak;
  }
  void expect_all(const std::filesystem::path& folder) const {
    for (const KernelsChoice& choice : all_kernels()) {
      const auto kernels = choice.make();
      const auto model = open_language_model(folder, *kernels, {.cache = Dtype::f32});
      for (const int prompt : {0, 1})
        for (const std::int64_t piece : {1, 8, 11, 64})
          EXPECT_LT(deviation(*model, prompt, piece), bound_of(GetParam()))
              << choice.name << ", prompt " << prompt << ", pieces of " << piece;
    }
  }
};

TEST_P(Families, AsTransformersKeepsThem) {
  expect_all(kFamilies / GetParam());
}

TEST_P(Families, AsLlamaCppKeepsThem) {
  expect_all(kFamilies / GetParam() / "gguf");
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         testing::Values("qwen2", "llama", "llama2", "qwen3-yarn", "phi3", "phi3-long",
                                         "gemma", "gemma2", "gemma3"),
                         name_of_family);

}  // namespace
}  // namespace engines::test
