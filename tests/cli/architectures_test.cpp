// SPDX-License-Identifier: Apache-2.0
// A tiny model of each architecture through every command that has to do with models, on every engine.
#include <cstring>

#include "tests/cli/program.h"
#include "tests/host/images/png_reader.h"
#include "tests/tiny_models.h"

namespace roundhouse::test {
namespace {

constexpr const char* kEngines[] = {"reference", "openblas", "onednn"};

class EveryArchitecture : public Program, public testing::WithParamInterface<TinyModel> {
 protected:
  EveryArchitecture() { fs::copy(fixture(), work() / "m", fs::copy_options::recursive); }

  static fs::path fixture() { return GetParam().folder(); }

  // The case "guided" of the fixture.
  static Arguments generate(const std::string& model, const std::string& engine, const Arguments& more = {}) {
    const auto json = nlohmann::json::parse(content(fixture() / "case.json"));
    const auto& params = json.at("params").at("cases").at("guided");
    const auto prompt = [&](const char* key) {
      return json.at("params").at("prompts").at(params.at(key).get<std::string>()).get<std::string>();
    };
    const auto number = [&](const nlohmann::json& value) { return value.dump(); };
    Arguments all = {"generate",
                     prompt("prompt"),
                     "--model",
                     model,
                     "--engine",
                     engine,
                     "--height",
                     number(params.at("size").at(0)),
                     "--width",
                     number(params.at("size").at(1)),
                     "--seed",
                     number(params.at("seed")),
                     "--steps",
                     number(params.at("steps")),
                     "--guidance",
                     number(params.at("guidance_scale")),
                     "--cfg-normalization",
                     number(params.value("cfg_normalization", nlohmann::json(0))),
                     "--negative-prompt",
                     prompt("negative_prompt")};
    if (engine == "onednn") all.insert(all.end(), {"--engine-option", "products=f32"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::uint8_t> image(const Arguments& arguments) const {
    const nlohmann::json result = run_json(arguments);
    return read_png(work() / result.at("files").at(0).get<std::string>()).rgb;
  }
  // What the original implementation made of it.
  static std::vector<std::uint8_t> expected() {
    const std::string file = content(fixture() / "expected/images.safetensors");
    std::uint64_t size = 0;
    std::memcpy(&size, file.data(), sizeof size);
    const auto header = nlohmann::json::parse(file.substr(sizeof size, size));
    const auto& range = header.at("guided.image_uint8").at("data_offsets");
    const auto data = file.begin() + static_cast<std::ptrdiff_t>(sizeof size + size);
    return {data + range.at(0).get<std::ptrdiff_t>(), data + range.at(1).get<std::ptrdiff_t>()};
  }
  // At most one level off, in fewer than 0.2 % of the values.
  static void expect_same(const std::vector<std::uint8_t>& image, const std::vector<std::uint8_t>& other) {
    ASSERT_EQ(image.size(), other.size());
    std::size_t off = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      ASSERT_LE(std::abs(image[i] - other[i]), 1) << i;
      off += image[i] == other[i] ? 0 : 1;
    }
    EXPECT_LT(static_cast<double>(off), 0.002 * static_cast<double>(image.size()));
  }
};

TEST_P(EveryArchitecture, gives_the_image_of_the_original_on_every_engine) {
  for (const char* engine : kEngines) {
    SCOPED_TRACE(engine);
    expect_same(image(generate("./m", engine)), expected());
  }
}

TEST_P(EveryArchitecture, is_told_by_every_engine_and_nothing_differs_from_its_manifest) {
  const nlohmann::json listed = run_json({"engines"});
  for (const nlohmann::json& engine : listed.at("engines")) {
    if (engine.at("id") == "testcard" || engine.at("id") == "testcard-cpp") continue;
    EXPECT_THAT(engine.at("architectures").get<std::vector<std::string>>(), testing::Contains(GetParam().id));
    EXPECT_EQ(engine.at("differences"), nlohmann::json::array());
  }
}

TEST_P(EveryArchitecture, is_validated_imported_and_shown) {
  EXPECT_EQ(run({"validate", "m"}).status, 0);
  run_json({"import", "m", "--name", "stored"});
  EXPECT_EQ(run_json({"show", "stored"}).at("architecture"), GetParam().id);
  EXPECT_EQ(run({"verify", "stored"}).status, 0);
  expect_same(image(generate("stored", "openblas")), expected());
  fs::remove(work() / "m/vae/config.json");
  EXPECT_NE(run({"validate", "m"}).status, 0);
}

TEST_P(EveryArchitecture, is_estimated) {
  const nlohmann::json told = run_json(generate("./m", "openblas", {"--estimate"}));
  for (const char* stage : {"load", "encode", "denoise", "decode"})
    EXPECT_GT(told.at("stages").at(stage).at("peak_memory_bytes").get<double>(), 1e6) << stage;
}

TEST_P(EveryArchitecture, is_converted_and_quantised) {
  run_json({"convert", "./m", "--dtype", "f32", "--name", "wide"});
  const auto stored = image(generate("./m", "openblas"));
  EXPECT_EQ(image(generate("wide", "openblas")), stored) << "to f32 is exact";
  run_json({"convert", "wide", "--dtype", "f32", "--format", "gguf", "--name", "wide:gguf"});
  EXPECT_EQ(image(generate("wide:gguf", "openblas")), stored);
  // No matrix of a model this small is worth rounding.
  run_json({"quantize", "./m", "--type", "q8_0", "--name", "few:bits"});
  EXPECT_EQ(run_json({"show", "few:bits"}).at("weight_format"), "gguf");
  EXPECT_EQ(image(generate("few:bits", "openblas")), stored);
}

INSTANTIATE_TEST_SUITE_P(Models, EveryArchitecture, testing::ValuesIn(kTinyModels), name_of_model);

}  // namespace
}  // namespace roundhouse::test
