// SPDX-License-Identifier: Apache-2.0
// The commands that show what there is: engines, models, errors, doctor, version, bench, help.
#include <algorithm>
#include <fstream>

#include "roundhouse/status.hpp"
#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;

class Listing : public Program {
 protected:
  static nlohmann::json find(const nlohmann::json& rows, const std::string& key, const std::string& value) {
    for (const auto& row : rows) {
      if (row.at(key) == value) return row;
    }
    ADD_FAILURE() << key << " " << value << " is not in " << rows.dump(2);
    return {};
  }
};

TEST_F(Listing, of_engines_has_a_row_with_all_facts_for_each) {
  const nlohmann::json engines = run_json({"engines"}).at("engines");
  for (const char* id : {"openblas", "reference", "testcard"}) {
    const nlohmann::json engine = find(engines, "id", id);
    EXPECT_EQ(engine.at("state"), "available") << engine.dump(2);
    EXPECT_THAT(engine.at("tasks").get<std::vector<std::string>>(), testing::Contains("text-to-image"));
    EXPECT_FALSE(engine.at("version").get<std::string>().empty());
    EXPECT_TRUE(engine.at("threads").is_string());
    EXPECT_TRUE(engine.at("device").is_string());
    EXPECT_TRUE(fs::exists(engine.at("manifest").get<std::string>()));
    EXPECT_TRUE(engine.at("error").is_null());
    EXPECT_EQ(engine.at("differences"), nlohmann::json::array()) << id;
    EXPECT_EQ(engine.at("remarks"), nlohmann::json::array()) << id;
  }
  const nlohmann::json openblas = find(engines, "id", "openblas");
  EXPECT_TRUE(openblas.at("simd").is_string());
  EXPECT_THAT(openblas.at("architectures").dump(), HasSubstr("ZImagePipeline"));
  EXPECT_THAT(openblas.at("dtypes").dump(), HasSubstr("bf16"));
  for (const auto& dtype : openblas.at("dtypes"))
    EXPECT_GT(openblas.at("rates_gflops").at(dtype.get<std::string>()), 0) << dtype;
  EXPECT_TRUE(find(engines, "id", "testcard").at("rates_gflops").is_null()) << "it is chosen only when named";
  EXPECT_THAT(openblas.at("features").dump(), HasSubstr("negative-prompt"));
}

TEST_F(Listing, of_engines_shows_a_broken_one_with_the_reason_beside_its_sound_neighbours) {
  const fs::path directory = add_tracer("broken", 5);
  std::ofstream(directory / "half.json") << R"({"schema": 1, "id": "half")";
  const nlohmann::json engines = run_json({"engines", "--engine-path", directory.string()}).at("engines");
  const nlohmann::json broken = find(engines, "id", "broken");
  EXPECT_EQ(broken.at("state"), "unusable");
  EXPECT_EQ(broken.at("error").at("code"), "ENGINE_INCOMPATIBLE");
  EXPECT_EQ(find(engines, "id", "half").at("error").at("code"), "ENGINE_BROKEN");
  EXPECT_EQ(find(engines, "id", "testcard").at("state"), "available");
}

TEST_F(Listing, of_engines_reports_duplicates) {
  const fs::path directory = add_tracer("testcard", 5);
  const nlohmann::json engines =
      run_json({"engines", "--engine-path", directory.string(), "--no-probe"}).at("engines");
  EXPECT_EQ(std::count_if(engines.begin(), engines.end(),
                          [](const auto& row) { return row.at("id") == "testcard"; }),
            2);
  EXPECT_EQ(std::count_if(engines.begin(), engines.end(),
                          [](const auto& row) { return row.at("state") == "duplicate"; }),
            1);
}

TEST_F(Listing, of_engines_loads_nothing_without_a_probe) {
  const fs::path directory = add_tracer("tracer", 5);
  EXPECT_EQ(run({"engines", "--engine-path", directory.string(), "--no-probe"}).status, 0);
  EXPECT_FALSE(traced());
  EXPECT_EQ(run({"engines", "--engine-path", directory.string()}).status, 0);
  EXPECT_TRUE(traced());
}

TEST_F(Listing, of_engines_probes_those_of_a_relative_directory) {
  const fs::path directory = add_tracer("tracer", 5);
  const nlohmann::json engines =
      run_json({"engines", "--engine-path", fs::relative(directory, work()).string()}).at("engines");
  EXPECT_TRUE(traced());
  EXPECT_EQ(find(engines, "id", "tracer").at("state"), "unusable");
  EXPECT_TRUE(fs::path(find(engines, "id", "tracer").at("manifest").get<std::string>()).is_absolute());
}

TEST_F(Listing, of_engines_has_a_titled_row_for_an_empty_directory_name) {
  EXPECT_THAT(run({"engines", "--no-probe", "--engine-path", ""}).out,
              testing::StartsWith("(no name)  unusable\n"));
}

TEST_F(Listing, of_the_doctor_warns_where_there_is_no_home) {
  const Outcome outcome = shell("unset HOME XDG_DATA_HOME; exec \"$program\" doctor --json");
  EXPECT_EQ(outcome.status, 0);
  const nlohmann::json finding = find(outcome.json().at("findings"), "subject", "user data");
  EXPECT_EQ(finding.at("level"), "warning");
  EXPECT_EQ(finding.at("text"), "HOME and XDG_DATA_HOME are not set");
}

TEST_F(Listing, of_the_doctor_calls_the_user_directory_by_its_name) {
  std::ofstream(root_ / "file") << "x";
  const Outcome outcome =
      shell("XDG_DATA_HOME='" + (root_ / "file").string() + "' \"$program\" doctor --json");
  EXPECT_THAT(find(outcome.json().at("findings"), "subject", "user data").at("text").get<std::string>(),
              testing::StartsWith("user directory '"));
}

TEST_F(Listing, of_engines_says_where_it_looked) {
  const nlohmann::json search = run_json({"engines", "--no-probe", "--engine-path", "/absent"}).at("search");
  EXPECT_EQ(find(search, "path", "/absent").at("origin"), "flag");
}

TEST_F(Listing, of_engines_fits_the_width_of_a_page) {
  const Outcome outcome = run({"engines"});
  EXPECT_EQ(outcome.status, 0);
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    const bool one_long_word =
        line.find(' ', 14) == std::string::npos || line.find("manifest") != std::string::npos;
    EXPECT_TRUE(line.size() <= 100 || one_long_word) << line;
  }
}

TEST_F(Listing, of_models_tells_which_are_present) {
  const nlohmann::json result = run_json({"models"});
  const nlohmann::json turbo = find(result.at("models"), "name", "pocket-turbo");
  EXPECT_TRUE(turbo.at("present").get<bool>());
  EXPECT_TRUE(turbo.at("default").get<bool>());
  EXPECT_EQ(turbo.at("size").at("multiple_of"), 16);
  EXPECT_EQ(turbo.at("defaults").at("steps"), 8);
  EXPECT_FALSE(find(result.at("models"), "name", "z-image-turbo").at("present").get<bool>());
  EXPECT_EQ(result.at("problems"), nlohmann::json::array());
  EXPECT_THAT(run({"models"}).out, HasSubstr("pocket-turbo  present, the default"));
}

TEST_F(Listing, of_errors_is_the_catalogue) {
  const nlohmann::json errors = run_json({"errors"}).at("errors");
  ASSERT_EQ(errors.size(), status_catalogue.size());
  const Outcome text = run({"errors"});
  for (const StatusInfo& info : status_catalogue) {
    EXPECT_EQ(find(errors, "code", std::string(info.name)).at("exit_status"), info.exit_status);
    EXPECT_THAT(text.out, HasSubstr(std::string(info.name)));
  }
}

TEST_F(Listing, of_the_doctor_covers_machine_and_installation) {
  const Outcome outcome = run({"doctor", "--json"});
  const nlohmann::json result = outcome.json();
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_TRUE(result.at("ok").get<bool>());
  for (const char* subject :
       {"cpu", "cores", "memory", "openblas", "engine openblas", "models", "output", "user data", "locale"}) {
    EXPECT_FALSE(find(result.at("findings"), "subject", subject).at("text").get<std::string>().empty());
  }
  EXPECT_THAT(listing(work()), testing::IsEmpty());
}

TEST_F(Listing, of_the_doctor_fails_with_a_hint_when_something_is_wrong) {
  std::ofstream(work() / "output") << "a file";
  const Outcome outcome = run({"doctor", "--json"});
  EXPECT_EQ(outcome.status, 1);
  const nlohmann::json finding = find(outcome.json().at("findings"), "subject", "output");
  EXPECT_EQ(finding.at("level"), "error");
  EXPECT_THAT(finding.at("hint").get<std::string>(), HasSubstr("--output-dir"));
}

TEST_F(Listing, of_the_doctor_warns_of_a_rejected_engine) {
  const nlohmann::json result = run_json({"doctor", "--engine-path", add_tracer("broken", 5).string()});
  const nlohmann::json finding = find(result.at("findings"), "subject", "engine broken");
  EXPECT_EQ(finding.at("level"), "warning");
  EXPECT_THAT(finding.at("text").get<std::string>(), HasSubstr("ENGINE_INCOMPATIBLE"));
}

TEST_F(Listing, of_the_bench_compares_engines_stage_by_stage) {
  const nlohmann::json result =
      run_json({"bench", "--runs", "1", "--steps", "1", "--width", "64", "--height", "64"});
  const nlohmann::json fast = find(result.at("engines"), "engine", "openblas");
  const nlohmann::json slow = find(result.at("engines"), "engine", "reference");
  for (const char* stage : {"encode", "denoise", "decode"}) {
    EXPECT_GT(fast.at("stages").at(stage).at("median_ms").get<double>(), 0) << stage;
  }
  EXPECT_GT(fast.at("startup").at("median_ms").get<double>(), 0);
  EXPECT_GT(fast.at("stages").at("denoise").at("gflops").get<double>(), 0);
  EXPECT_GT(fast.at("stages").at("denoise").at("share_of_sgemm").get<double>(), 0);
  EXPECT_GT(fast.at("sgemm_gflops").at("min").get<double>(), 1);
  EXPECT_GT(fast.at("stages").at("denoise").at("peak_memory_bytes").get<double>(), 1e6);
  EXPECT_GT(slow.at("denoise_times_the_fastest").get<double>(), 1);
}

TEST_F(Listing, of_the_bench_measures_every_case_and_shows_the_stages_asked_for) {
  const nlohmann::json result =
      run_json({"bench", "--engine", "openblas", "--runs", "1", "--steps", "1", "--size", "64x64", "--size",
                "64x128", "--weights", "stored", "--weights", "q8_0", "--stage", "decode"});
  ASSERT_EQ(result.at("engines").size(), 4U);
  EXPECT_EQ(result.at("engines")[1].at("weights"), "q8_0");
  EXPECT_EQ(result.at("engines")[2].at("height"), 128);
  for (const nlohmann::json& engine : result.at("engines")) {
    EXPECT_TRUE(engine.at("stages").contains("decode"));
    EXPECT_FALSE(engine.at("stages").contains("denoise"));
  }
}

TEST_F(Listing, of_the_bench_refuses_an_engine_that_cannot) {
  EXPECT_EQ(run({"bench", "--size", "64"}).status, 2);
  EXPECT_EQ(run({"bench", "--stage", "paint"}).status, 2);
  EXPECT_EQ(run({"bench", "--weights", "q9_9"}).status, 2);
  EXPECT_EQ(run({"bench", "--engine", "steam"}).status, 4);
  EXPECT_EQ(run({"bench", "--runs", "0"}).status, 2);
}

TEST_F(Listing, of_help_names_every_command_range_and_default) {
  const Outcome top = run({"--help"});
  EXPECT_EQ(top.status, 0);
  for (const char* command : {"generate", "engines", "models", "bench", "doctor", "errors", "version"}) {
    EXPECT_THAT(top.out, HasSubstr(command));
    EXPECT_EQ(run({command, "--help"}).status, 0) << command;
  }
  const std::string help = run({"generate", "--help"}).out;
  for (const char* part : {"--steps", "1 to 50", "--guidance", "0 to 20", "--num-images", "1 to 16",
                           "pocket-turbo", "[default: output]", "--allow-cpu", "--explain", "--in-process"}) {
    EXPECT_THAT(help, HasSubstr(part));
  }
}

TEST_F(Listing, of_versions_agrees_with_itself) {
  const std::string version = run_json({"version"}).at("version");
  EXPECT_EQ(run({"--version"}).out, "roundhouse " + version + "\n");
  EXPECT_THAT(run({"version"}).out, HasSubstr("roundhouse " + version + "\nplugin ABI 1.1\n"));
}

}  // namespace
}  // namespace roundhouse::test
