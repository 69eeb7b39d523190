// SPDX-License-Identifier: Apache-2.0
// What the program refuses: with which code and exit status, and that nothing is loaded or written then.
#include <fstream>
#include <set>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Refusal {
  std::string name;
  Arguments arguments;  // of `generate`
  std::string code;
  int status;
  std::string message;  // a part of it
};

void PrintTo(const Refusal& refusal, std::ostream* stream) {
  *stream << refusal.name;
}

class Generate : public Program, public testing::WithParamInterface<Refusal> {};

// A tracer that would win the automatic choice stands in for every engine.
TEST_P(Generate, is_refused_before_anything_is_loaded_or_written) {
  const Refusal& refusal = GetParam();
  Arguments arguments = {"generate", "--engine-path", add_tracer("tracer", 1000).string()};
  arguments.insert(arguments.end(), refusal.arguments.begin(), refusal.arguments.end());
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, refusal.status);
  EXPECT_THAT(outcome.err, testing::StartsWith("error: " + refusal.code + ": "));
  EXPECT_THAT(outcome.err, HasSubstr(refusal.message));
  EXPECT_THAT(outcome.err, HasSubstr("\nhint: "));
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_FALSE(traced());
  EXPECT_THAT(listing(work()), IsEmpty());

  arguments.insert(arguments.begin() + 1, "--json");
  const Outcome with_json = run(arguments);
  EXPECT_EQ(with_json.status, refusal.status);
  const nlohmann::json error = with_json.json().at("error");
  EXPECT_EQ(error.at("code"), refusal.code);
  EXPECT_EQ(error.at("exit_status"), refusal.status);
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr(refusal.message));
  EXPECT_FALSE(error.at("hint").get<std::string>().empty());
}

const std::string kMax = "9223372036854775808";  // 2^63

INSTANTIATE_TEST_SUITE_P(
    request, Generate,
    testing::Values(
        Refusal{"no_prompt", {}, "INVALID_ARGUMENT", 2, "prompt"},
        Refusal{"two_prompts", {"x", "--prompt-file", "-"}, "INVALID_ARGUMENT", 2, "--prompt-file"},
        Refusal{"prompt_file_absent",
                {"--prompt-file", "absent"},
                "IO_ERROR",
                7,
                "prompt file 'absent': no such file or directory"},
        Refusal{"prompt_file_directory", {"--prompt-file", "/"}, "IO_ERROR", 7, "directory"},
        Refusal{"blank_prompt", {"  "}, "INVALID_ARGUMENT", 2, "prompt"},
        Refusal{"prompt_not_utf_8", {"a \xFF z"}, "INVALID_ARGUMENT", 2, "UTF-8"},
        Refusal{"prompt_surrogate", {"\xED\xA0\x80"}, "INVALID_ARGUMENT", 2, "UTF-8"},
        Refusal{
            "negative_prompt_not_utf_8", {"x", "--negative-prompt", "\xC3"}, "INVALID_ARGUMENT", 2, "UTF-8"},
        Refusal{"two_words", {"a", "cat"}, "INVALID_ARGUMENT", 2, "'cat'"},
        Refusal{"steps_0", {"x", "--steps", "0"}, "INVALID_ARGUMENT", 2, "1 to 50"},
        Refusal{"steps_51", {"x", "--steps", "51"}, "INVALID_ARGUMENT", 2, "1 to 50"},
        Refusal{"steps_negative", {"x", "--steps", "-1"}, "INVALID_ARGUMENT", 2, "1 to 50"},
        Refusal{"steps_2_31", {"x", "--steps", "2147483648"}, "INVALID_ARGUMENT", 2, "2147483648"},
        Refusal{"steps_2_63", {"x", "--steps", kMax}, "INVALID_ARGUMENT", 2, kMax},
        Refusal{"steps_word", {"x", "--steps", "abc"}, "INVALID_ARGUMENT", 2, "--steps: 'abc'"},
        Refusal{"steps_empty", {"x", "--steps", ""}, "INVALID_ARGUMENT", 2, "--steps"},
        Refusal{"steps_unit", {"x", "--steps", "8x"}, "INVALID_ARGUMENT", 2, "'8x'"},
        Refusal{"steps_fraction", {"x", "--steps", "8.5"}, "INVALID_ARGUMENT", 2, "'8.5'"},
        Refusal{"steps_missing",
                {"x", "--steps"},
                "INVALID_ARGUMENT",
                2,
                "--steps: a value is missing, expected N"},
        Refusal{"steps_twice",
                {"x", "--steps", "1", "--steps", "2"},
                "INVALID_ARGUMENT",
                2,
                "--steps: given 2 times, expected once"},
        Refusal{"json_word",
                {"x", "--json=foo"},
                "INVALID_ARGUMENT",
                2,
                "is not a value that it takes; a flag without a value means yes"},
        Refusal{"guidance_negative", {"x", "--guidance", "-0.1"}, "INVALID_ARGUMENT", 2, "0 to 20"},
        Refusal{"guidance_large", {"x", "--guidance", "20.1"}, "INVALID_ARGUMENT", 2, "0 to 20"},
        Refusal{"guidance_overflow", {"x", "--guidance", "1e400"}, "INVALID_ARGUMENT", 2, "1e400"},
        Refusal{"guidance_nan", {"x", "--guidance", "nan"}, "INVALID_ARGUMENT", 2, "nan"},
        Refusal{"guidance_infinite", {"x", "--guidance", "inf"}, "INVALID_ARGUMENT", 2, "inf"},
        Refusal{"truncation_large", {"x", "--cfg-truncation", "1.1"}, "INVALID_ARGUMENT", 2, "truncation"},
        Refusal{"normalization_negative",
                {"x", "--cfg-normalization", "-1"},
                "INVALID_ARGUMENT",
                2,
                "normalization"},
        Refusal{"images_0", {"x", "--num-images", "0"}, "INVALID_ARGUMENT", 2, "1 to 16"},
        Refusal{"images_17", {"x", "--num-images", "17"}, "INVALID_ARGUMENT", 2, "1 to 16"},
        Refusal{"seed_negative", {"x", "--seed", "-2"}, "INVALID_ARGUMENT", 2, "seed"},
        Refusal{"seed_2_63", {"x", "--seed", kMax}, "INVALID_ARGUMENT", 2, "--seed"},
        Refusal{"threads_0", {"x", "--threads", "0"}, "INVALID_ARGUMENT", 2, "1 to 1024"},
        Refusal{"unknown_flag", {"x", "--stepz", "4"}, "UNKNOWN_OPTION", 2, "'--stepz'"},
        Refusal{"unknown_short_flag", {"x", "-q"}, "UNKNOWN_OPTION", 2, "'-q'"},
        Refusal{"log_file", {"x", "--log-file", "no/log"}, "IO_ERROR", 7, "log file 'no/log': no such"},
        Refusal{
            "log_file_directory", {"x", "--log-file", "/"}, "IO_ERROR", 7, "log file '/': is a directory"},
        Refusal{"log_file_empty", {"x", "--log-file", ""}, "IO_ERROR", 7, "log file ''"},
        Refusal{"log_level", {"x", "--log-level", "loud"}, "INVALID_ARGUMENT", 2, "loud"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    size, Generate,
    testing::Values(
        Refusal{
            "turbo_255", {"x", "--model", "z-image-turbo", "--width", "255"}, "INVALID_DIMENSION", 2, "255"},
        Refusal{"turbo_2049",
                {"x", "--model", "z-image-turbo", "--height", "2049"},
                "INVALID_DIMENSION",
                2,
                "2049"},
        Refusal{
            "turbo_1000", {"x", "--model", "z-image-turbo", "--width", "1000"}, "INVALID_DIMENSION", 2, "64"},
        Refusal{"pocket_520", {"x", "--width", "520"}, "INVALID_DIMENSION", 2, "520"},
        Refusal{"pocket_48", {"x", "--height", "48"}, "INVALID_DIMENSION", 2, "48"},
        Refusal{"pocket_100", {"x", "--width", "100"}, "INVALID_DIMENSION", 2, "16"},
        Refusal{"zero", {"x", "--width", "0"}, "INVALID_DIMENSION", 2, "0"},
        Refusal{"negative", {"x", "--height", "-64"}, "INVALID_DIMENSION", 2, "-64"},
        Refusal{"huge", {"x", "--width", "2147483648"}, "INVALID_DIMENSION", 2, "2147483648"},
        Refusal{"word", {"x", "--width", "wide"}, "INVALID_ARGUMENT", 2, "'wide'"},
        Refusal{"aspect", {"x", "--aspect", "2:7"}, "INVALID_ARGUMENT", 2, "2:7"},
        Refusal{
            "aspect_and_width", {"x", "--aspect", "1:1", "--width", "64"}, "INVALID_ARGUMENT", 2, "aspect"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    names, Generate,
    testing::Values(
        Refusal{"engine", {"x", "--engine", "steam"}, "ENGINE_NOT_FOUND", 4, "steam"},
        Refusal{"model", {"x", "--model", "pocket-turbp"}, "MODEL_NOT_FOUND", 4, "pocket-turbo"},
        Refusal{"model_directory", {"x", "--model", "./absent"}, "MODEL_NOT_FOUND", 4, "absent"},
        Refusal{"model_not_here",
                {"x", "--model", "z-image-turbo"},
                "MODEL_NOT_FOUND",
                4,
                "hf:Tongyi-MAI/Z-Image-Turbo"},
        Refusal{"model_unused",
                {"x", "--engine", "testcard", "--model", "absent"},
                "MODEL_NOT_FOUND",
                4,
                "model 'absent'"},
        Refusal{"model_empty", {"x", "--model", ""}, "UNSAFE_NAME", 2, "model"},
        Refusal{"metal", {"x", "--device", "metal"}, "UNSUPPORTED_DEVICE", 3, "metal"},
        Refusal{"cpu", {"x", "--device", "cpu"}, "CPU_NOT_ALLOWED", 3, "cpu"},
        Refusal{
            "sampler", {"x", "--engine", "reference", "--sampler", "ddim"}, "INVALID_ARGUMENT", 2, "ddim"},
        Refusal{"schedule",
                {"x", "--engine", "reference", "--schedule", "steep"},
                "INVALID_ARGUMENT",
                2,
                "steep"},
        Refusal{"guidance_on_testcard",
                {"x", "--engine", "testcard", "--guidance", "2"},
                "CAPABILITY_UNSUPPORTED",
                3,
                "guidance"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    output, Generate,
    testing::Values(Refusal{"file", {"x", "-o", "/etc/passwd"}, "IO_ERROR", 7, "/etc/passwd"},
                    Refusal{"below_a_file", {"x", "-o", "/etc/passwd/out"}, "IO_ERROR", 7, "/etc/passwd"},
                    Refusal{"no_place", {"x", "-o", "/proc/out"}, "IO_ERROR", 7, "/proc/out"},
                    Refusal{"empty", {"x", "-o", ""}, "IO_ERROR", 7, "empty"}),
    [](const auto& test) { return test.param.name; });

class CommandLine : public Program {};

TEST_F(CommandLine, that_is_accepted_loads_the_engine_so_the_trace_means_something) {
  run({"generate", "x", "--engine", "tracer", "--engine-path", add_tracer("tracer", 1000).string()});
  EXPECT_TRUE(traced());
}

TEST_F(CommandLine, without_a_command_is_refused_with_the_list_of_commands) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("generate, run, chat, embed, engines, models"));
}

TEST_F(CommandLine, with_an_unknown_command_is_refused) {
  const Outcome outcome = run({"paint", "x"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("error: INVALID_ARGUMENT: command 'paint'"));
}

TEST_F(CommandLine, is_refused_with_the_help_of_the_command_that_was_meant) {
  EXPECT_THAT(run({"generate", "--seed"}).err, HasSubstr("hint: see 'roundhouse generate --help'\n"));
  EXPECT_THAT(run({"bench", "--stepz"}).err, HasSubstr("hint: see 'roundhouse bench --help'; "));
  EXPECT_THAT(run({"--log-file"}).err, HasSubstr("hint: see 'roundhouse --help'\n"));
}

TEST_F(CommandLine, is_refused_with_what_routing_said_when_that_was_asked_for) {
  const Arguments arguments = {"generate", "x", "--explain", "--device", "metal"};
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.out, testing::StartsWith("engines considered\n"));
  EXPECT_THAT(outcome.out, HasSubstr("cannot: UNSUPPORTED_DEVICE: "));
  Arguments with_json = arguments;
  with_json.emplace_back("--json");
  const nlohmann::json result = run(with_json).json();
  EXPECT_EQ(result.at("error").at("code"), "UNSUPPORTED_DEVICE");
  EXPECT_GE(result.at("explain").size(), 3U);
  for (const auto& verdict : result.at("explain")) {
    const std::set<std::string> engines_with_models = {"onednn", "openblas", "reference"};
    const bool runs_the_model = engines_with_models.contains(verdict.at("engine"));
    EXPECT_EQ(verdict.at("code"), runs_the_model ? "UNSUPPORTED_DEVICE" : "CAPABILITY_UNSUPPORTED")
        << verdict;
  }
}

TEST_F(CommandLine, that_is_refused_leaves_one_line_of_level_error_in_the_log_without_the_prompt) {
  const std::vector<std::pair<Arguments, std::string>> refusals = {
      {{"a secret cat", "--device", "metal"}, "UNSUPPORTED_DEVICE"},
      {{"a secret cat", "--steps", "0"}, "INVALID_ARGUMENT"},
      {{"a secret cat", "secret words"}, "INVALID_ARGUMENT"},
      {{"a secret cat", "--seed"}, "INVALID_ARGUMENT"},
      {{"a secret cat", "-o", "/proc/out"}, "IO_ERROR"}};
  for (const auto& [arguments, code] : refusals) {
    fs::remove(work() / "log");
    Arguments all = {"generate", "--log-file", "log"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    run(all);
    const std::string text = content(work() / "log");
    ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    const nlohmann::json line = nlohmann::json::parse(text);
    EXPECT_EQ(line.at("level"), "error");
    EXPECT_EQ(line.at("category"), "pipeline");
    EXPECT_EQ(line.at("code"), code);
    EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  }
}

TEST_F(CommandLine, whose_files_may_not_grow_is_an_error_and_not_the_end) {
  const Outcome outcome =
      shell("ulimit -f 1; exec \"$program\" generate x --engine testcard --width 512 --height 512");
  EXPECT_EQ(outcome.status, 7) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("error: IO_ERROR: "));
  EXPECT_THAT(outcome.err, HasSubstr("file too large"));
  EXPECT_THAT(listing(output()), IsEmpty());
}

TEST_F(CommandLine, that_asks_for_help_fails_like_others_when_its_output_cannot_be_written) {
  for (const char* arguments : {"--help", "--version", "generate --help", "version"}) {
    const Outcome outcome = shell(std::string("exec \"$program\" ") + arguments + " > /dev/full");
    EXPECT_EQ(outcome.status, 7) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr("error: IO_ERROR: ")) << arguments;
  }
}

TEST_F(CommandLine, is_refused_in_one_line_whatever_it_contains) {
  const Outcome outcome = run({"generate", "x", "--engine", "a\nb\x1b[31m"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2);
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
}

TEST_F(CommandLine, is_refused_when_the_prompt_file_is_huge) {
  std::ofstream(work() / "prompt") << std::string(2'000'000, 'a');
  const Outcome outcome = run({"generate", "--prompt-file", "prompt"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("error: INVALID_ARGUMENT"));
}

TEST_F(CommandLine, is_refused_when_model_files_are_missing_and_names_them_all) {
  fs::create_directory(work() / "m");
  std::ofstream(work() / "m" / "model_index.json") << R"({"_class_name": "ZImagePipeline"})";
  const Outcome outcome = run({"generate", "x", "--model", "./m"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("error: WEIGHTS_MISSING"));
  EXPECT_THAT(outcome.err, HasSubstr("vae/config.json"));
  EXPECT_THAT(outcome.err, HasSubstr("tokenizer"));
}

TEST_F(CommandLine, that_leads_to_an_engine_that_cannot_load_fails_by_name) {
  const Outcome outcome =
      run({"generate", "x", "--engine", "tracer", "--engine-path", add_tracer("tracer", 0).string()});
  EXPECT_EQ(outcome.status, 6);
  EXPECT_THAT(outcome.err, HasSubstr("ENGINE_INCOMPATIBLE"));
  EXPECT_THAT(outcome.err, HasSubstr("tracer"));
  EXPECT_THAT(listing(output()), IsEmpty());
}

}  // namespace
}  // namespace roundhouse::test
