// SPDX-License-Identifier: Apache-2.0
// `dump`, `parity` and `smoke` from outside: what stages compute, beside the original implementation and
// beside damaged fixtures; and types of weights by stage.
#include <cstring>
#include <fstream>
#include <map>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct Raw {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::string data;
};
using RawTensors = std::map<std::string, Raw>;

class Trace : public Program {
 protected:
  fs::path tiny() const { return fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny"; }

  static RawTensors read(const fs::path& file) {
    const std::string bytes = content(file);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const auto header = nlohmann::json::parse(bytes.substr(8, length));
    RawTensors tensors;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      const std::uint64_t begin = entry.at("data_offsets")[0], end = entry.at("data_offsets")[1];
      tensors[name] = {entry.at("dtype"), entry.at("shape"), bytes.substr(8 + length + begin, end - begin)};
    }
    return tensors;
  }

  static void write(const fs::path& file, const RawTensors& tensors, const nlohmann::json& texts) {
    nlohmann::json header;
    header["__metadata__"] = texts;
    std::string data;
    for (const auto& [name, raw] : tensors) {
      header[name] = {{"dtype", raw.dtype},
                      {"shape", raw.shape},
                      {"data_offsets", {data.size(), data.size() + raw.data.size()}}};
      data += raw.data;
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), sizeof length) << text << data;
  }

  // What the original pipeline computed for the prompt "unicode", under the names of dump.
  RawTensors original() const {
    RawTensors from = read(tiny() / "expected/pipe_seeded.safetensors"), tensors;
    const RawTensors encoder = read(tiny() / "expected/text_encoder.safetensors");
    tensors["tokens.ids"] = encoder.at("unicode.input_ids");
    tensors["encode.embedding"] = encoder.at("unicode.hidden0_embedding");
    tensors["encode.layer0"] = encoder.at("unicode.hidden1_after_layer0");
    tensors["encode.output"] = encoder.at("unicode.embeds");
    const auto add = [&](const std::string& name, Raw raw) {
      raw.shape.erase(raw.shape.begin());  // of a batch of one
      tensors[name] = std::move(raw);
    };
    add("denoise.noise", from.at("seeded_init_latents"));
    for (const char* step : {"0", "1", "2", "3"}) {
      add(std::string("denoise.step") + step + ".latents", from.at(std::string("step") + step + ".latents"));
      tensors[std::string("denoise.step") + step + ".time"] = from.at(std::string("step") + step + ".t");
    }
    return tensors;
  }

  nlohmann::json texts() const {
    const auto prompts = nlohmann::json::parse(content(tiny() / "case.json")).at("params").at("prompts");
    return {{"prompt", prompts.at("unicode")},
            {"model", tiny().string()},
            {"width", "96"},
            {"height", "64"},
            {"steps", "4"},
            {"guidance", "0"},
            {"seed", "42"}};
  }

  Outcome parity(const Arguments& more = {}) const {
    Arguments arguments = {"parity", "fixture.safetensors", "--engine", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
};

TEST_F(Trace, smoke_shows_that_a_model_works) {
  const nlohmann::json smoke = run_json({"smoke", "--model", tiny().string(), "--engine", "reference"});
  EXPECT_EQ(smoke.at("tokens"), 16) << "a red fox, in its template";
  for (const char* name : {"encode.layer0", "encode.output", "decode.image"}) {
    EXPECT_GT(smoke.at("tensors").at(name).at("std").get<double>(), 0) << name;
    EXPECT_TRUE(smoke.at("tensors").at(name).at("mean").is_number()) << name;
  }
  const Outcome text = run({"smoke", "--model", tiny().string(), "--engine", "openblas"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("tokens 16\n"));
}

TEST_F(Trace, every_stage_is_that_of_the_original_implementation) {
  write(work() / "fixture.safetensors", original(), texts());
  for (const char* engine : {"reference", "openblas"}) {
    const Outcome outcome = run({"parity", "fixture.safetensors", "--engine", engine, "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.out;
    EXPECT_EQ(outcome.json().at("tensors").size(), 13U);
    for (const auto& tensor : outcome.json().at("tensors")) {
      EXPECT_TRUE(tensor.at("within").get<bool>()) << tensor.dump();
    }
  }
}

TEST_F(Trace, the_first_stage_that_differs_is_named) {
  RawTensors tensors = original();
  tensors["encode.layer0"].data[3] ^= 0x40;
  tensors["denoise.step2.latents"].data[3] ^= 0x40;
  write(work() / "fixture.safetensors", tensors, texts());
  const Outcome outcome = parity();
  EXPECT_EQ(outcome.status, 6) << outcome.out;
  EXPECT_THAT(outcome.err,
              HasSubstr("2 of 13 tensors differ; the first: encode.layer0 differs most at value 0"));
  EXPECT_THAT(outcome.out, HasSubstr("DIFFERS"));
  tensors = original();
  tensors["encode.layer0"].shape = {64, 48};
  write(work() / "fixture.safetensors", tensors, texts());
  EXPECT_THAT(parity().err, HasSubstr("encode.layer0 is 48x64, the fixture's 64x48"));
}

TEST_F(Trace, the_fixture_says_what_it_tolerates) {
  RawTensors tensors = original();
  float first = 0;
  std::memcpy(&first, tensors["encode.output"].data.data(), sizeof first);
  first += 0.05F;
  std::memcpy(tensors["encode.output"].data.data(), &first, sizeof first);
  nlohmann::json own = texts();
  write(work() / "fixture.safetensors", tensors, own);
  EXPECT_EQ(parity().status, 6);
  EXPECT_EQ(parity({"--tolerance", "0.1"}).status, 0);
  own["tolerance"] = R"({"*": 1e-4, "encode.output": 0.1})";
  write(work() / "fixture.safetensors", tensors, own);
  EXPECT_EQ(parity().status, 0);
  own["tolerance"] = R"({"*": "much"})";
  write(work() / "fixture.safetensors", tensors, own);
  EXPECT_EQ(parity().status, 5);
}

TEST_F(Trace, dump_makes_a_fixture_that_parity_takes) {
  const Arguments dump = {
      "dump",   "a red fox", "--model",  tiny().string(),      "--engine", "reference",  "--steps",
      "2",      "--width",   "32",       "--height",           "48",       "--guidance", "3",
      "--seed", "7",         "--output", "fixture.safetensors"};
  const Outcome outcome = run(dump);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const char* name : {"tokens.ids", "tokens.negative_ids", "encode.layer0", "encode.negative_output",
                           "denoise.step1.negative_output", "denoise.step1.latents", "decode.image"})
    EXPECT_THAT(outcome.out, HasSubstr(name));
  EXPECT_EQ(parity({"--tolerance", "0"}).status, 0) << "the same engine gives the same bits";
  EXPECT_EQ(run({"parity", "fixture.safetensors", "--engine", "openblas"}).status, 0);
  EXPECT_EQ(parity({"--seed", "8"}).status, 6);
  EXPECT_EQ(run(dump).status, 7) << "the file is there already";
}

TEST_F(Trace, damaged_fixtures_are_refused) {
  write(work() / "fixture.safetensors", original(), texts());
  const std::string whole = content(work() / "fixture.safetensors");
  const auto damaged = [&](const std::string& bytes) {
    std::ofstream(work() / "fixture.safetensors", std::ios::binary) << bytes;
    return parity().status;
  };
  EXPECT_EQ(damaged(""), 5);
  EXPECT_EQ(damaged("short"), 5);
  EXPECT_EQ(damaged(whole.substr(0, 500)), 5);
  EXPECT_EQ(damaged(whole.substr(0, whole.size() - 1)), 5);
  EXPECT_EQ(damaged(std::string(8, '\xff') + whole.substr(8)), 5);
  RawTensors tensors = original();
  tensors["encode.output"].shape = {std::uint64_t{1} << 62, std::uint64_t{1} << 62};
  write(work() / "fixture.safetensors", tensors, texts());
  EXPECT_EQ(parity().status, 5);
  write(work() / "fixture.safetensors", {{"nothing.known", {"F32", {1}, std::string(4, '\0')}}}, texts());
  EXPECT_EQ(parity().status, 5);
  EXPECT_EQ(run({"parity", "absent.safetensors"}).status, 7);
}

TEST_F(Trace, an_engine_that_shows_no_stages_says_so) {
  const Outcome outcome = run({"smoke", "--engine", "testcard"});
  EXPECT_EQ(outcome.status, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("rh.trace/1"));
}

TEST_F(Trace, types_of_weights_are_by_stage) {
  const auto figures = [&](const Arguments& more) {
    Arguments arguments = {"smoke", "--engine", "openblas"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_json(arguments).at("tensors");
  };
  const nlohmann::json stored = figures({});
  const nlohmann::json encoder = figures({"--dtype-te", "q4_0"});
  const nlohmann::json transformer = figures({"--dtype-dit", "q4_0"});
  EXPECT_NE(encoder.at("encode.output"), stored.at("encode.output"));
  EXPECT_EQ(transformer.at("encode.output"), stored.at("encode.output"));
  EXPECT_NE(transformer.at("decode.image"), stored.at("decode.image"));
  EXPECT_EQ(figures({"--weights", "q4_0"}), figures({"--dtype-te", "q4_0", "--dtype-dit", "q4_0"}));
  EXPECT_EQ(figures({"--weights", "q4_0", "--dtype-te", "stored"}), transformer);
  EXPECT_EQ(figures({"--dtype-vae", "f32"}), stored);
  const Outcome refused = run({"smoke", "--dtype-vae", "q8_0"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("option 'dtype_vae': 'q8_0' is not known, expected one of: f32"));
}

}  // namespace
}  // namespace roundhouse::test
