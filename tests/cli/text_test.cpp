// SPDX-License-Identifier: Apache-2.0
// `run`, `embed` and `chat` with the test card's echo, through real worker processes.
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The model has to be one that there is; the test card needs none.
Arguments echo(const std::string& command, Arguments more) {
  Arguments arguments{command, "pocket-turbo", "--engine", "testcard"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class Run : public Program {};

TEST_F(Run, writes_the_answer_and_nothing_else_to_standard_output) {
  const Outcome run = this->run(echo("run", {"a lighthouse by the sea", "--temperature", "0"}));
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, "a lighthouse by the sea\n");
  EXPECT_THAT(run.err, HasSubstr("note: model 'pocket-turbo' is not used"));
}

TEST_F(Run, reads_its_prompt_from_a_pipe_and_from_files) {
  EXPECT_EQ(run(echo("run", {"--temperature", "0"}), "from a pipe\r\n").out, "from a pipe\n");
  std::ofstream(work() / "notes.txt") << "second line\n";
  EXPECT_EQ(run(echo("run", {"first", "--file", "notes.txt", "--temperature", "0"})).out,
            "first\n\nsecond line\n");
  EXPECT_THAT(run(echo("run", {"first", "--file", "absent.txt"})).err, HasSubstr("error: IO_ERROR: "));
}

TEST_F(Run, ends_before_a_stop_and_at_its_limit) {
  EXPECT_EQ(run(echo("run", {"one two three", "--stop", "o t", "--temperature", "0"})).out, "one tw\n");
  const Outcome cut = run(echo("run", {"one two three", "--max-tokens", "2", "--temperature", "0"}));
  EXPECT_EQ(cut.out, "one two\n");
  EXPECT_THAT(cut.err, HasSubstr("note: the answer was cut off"));
}

TEST_F(Run, gives_the_same_answer_for_the_same_seed) {
  const Arguments seeded = echo("run", {"a b c d e f g h", "--seed", "7"});
  EXPECT_EQ(run(seeded).out, run(seeded).out);
  EXPECT_NE(run(seeded).out, run(echo("run", {"a b c d e f g h", "--seed", "8"})).out);
}

TEST_F(Run, prints_one_object_for_programs) {
  const auto json = run_json(echo("run", {"one two three", "--stop", "three", "--seed", "5", "--temperature",
                                          "0", "--logprobs", "1", "--think"}));
  EXPECT_EQ(json.at("answer"), "one two ");
  EXPECT_EQ(json.at("reasoning"), "I say what was said.");
  EXPECT_EQ(json.at("finish"), "stop");
  EXPECT_EQ(json.at("stop"), "three");
  EXPECT_EQ(json.at("seed"), 5);
  EXPECT_EQ(json.at("usage").at("prompt_tokens"), 3);
  ASSERT_EQ(json.at("tokens").size(), json.at("usage").at("answer_tokens"));
  EXPECT_EQ(json.at("tokens")[0].at("text"), "one");
  EXPECT_EQ(json.at("tokens")[0].at("top").size(), 1U);
}

TEST_F(Run, shows_what_the_engine_would_read) {
  const auto json = run_json(echo("run", {"one two", "--render"}));
  EXPECT_EQ(json.at("prompt"), "one two");
  EXPECT_EQ(json.at("ids").size(), 2U);
}

TEST_F(Run, sends_bytes_as_they_are_into_a_pipe) {
  EXPECT_EQ(run(echo("run", {"--temperature", "0"}), "red \x1b[31m \xC3\xA9").out, "red \x1b[31m \xC3\xA9\n");
}

struct Refused {
  const char* name;
  Arguments arguments;
  const char* message;
};

class RunRefuses : public Program, public testing::WithParamInterface<Refused> {};

TEST_P(RunRefuses, with_one_line) {
  const Outcome refused = run(echo("run", GetParam().arguments), GetParam().name[0] == 'z' ? "\xff" : "");
  EXPECT_NE(refused.status, 0);
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    a, RunRefuses,
    testing::Values(
        Refused{"temperature", {"x", "--temperature", "nan"}, "--temperature: 'nan'"},
        Refused{"negative", {"x", "--temperature", "-1"}, "temperature: -1 is out of range"},
        Refused{"top_p", {"x", "--top-p", "0"}, "top-p: 0 is out of range"},
        Refused{"max_tokens", {"x", "--max-tokens", "0"}, "max-tokens: 0 is out of range"},
        Refused{"huge", {"x", "--max-tokens", "4294967296"}, "max-tokens: 4294967296 is out of range"},
        Refused{"stop", {"x", "--stop", ""}, "stop: is empty"},
        Refused{"schema", {"x", "--format", "absent.json"}, "absent.json"},
        Refused{"format", {"x", "--format", "json"}, "CAPABILITY_UNSUPPORTED"},
        Refused{"window", {"one two three", "--context", "2"}, "the prompt has 3 tokens, expected at most 2"},
        Refused{"option", {"x", "--option", "unheard=1"}, "UNKNOWN_OPTION"},
        Refused{"both", {"x", "--think", "--no-think"}, "--no-think"},
        Refused{"zbytes", {}, "prompt: byte 0 is not UTF-8"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_F(Run, refuses_files_that_nest_as_deep_as_no_stack_is) {
  std::string deep;
  for (int i = 0; i < 100000; ++i)
    deep += "{\"a\":[";
  std::ofstream(work() / "deep.json") << deep;
  const Outcome schema = run(echo("run", {"x", "--format", "deep.json"}));
  EXPECT_EQ(schema.status, 2);
  EXPECT_THAT(schema.err, HasSubstr("file 'deep.json' is nested more than 200 deep"));
}

TEST_F(Run, names_what_a_model_can_that_cannot_talk) {
  const Outcome refused = run({"run", "pocket-turbo", "hello"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("CAPABILITY_UNSUPPORTED: model 'pocket-turbo' (ZImagePipeline) does "
                                     "text-to-image, not text-generation"));
}

TEST_F(Run, keeps_the_prompt_out_of_the_log) {
  const Outcome refused = run({"run", "pocket-turbo", "a secret that nobody may read", "--engine", "testcard",
                               "--context", "1", "--log-file", "log"});
  EXPECT_NE(refused.status, 0);
  EXPECT_THAT(content(work() / "log"), Not(HasSubstr("secret")));
}

TEST_F(Run, ends_in_order_by_Ctrl_C_in_the_middle_of_an_answer) {
  Running run =
      start(echo("run", {"one two three four five", "--temperature", "0", "--option", "delay_ms=1000"}));
  for (int i = 0; i < 500 && content(root_ / "io" / "0.out").empty(); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  run.send(SIGINT);
  EXPECT_TRUE(run.ended_within(milliseconds(5000)));
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.out, testing::StartsWith("one"));
  EXPECT_THAT(outcome.err, HasSubstr("error: CANCELLED: "));
  EXPECT_TRUE(all_ended_within(milliseconds(5000)));
}

TEST_F(Run, ends_quietly_when_nobody_reads_on) {
  const Outcome outcome = shell(
      "\"$program\" run pocket-turbo 'a b c d e f g h' --engine testcard "
      "--option delay_ms=100 2>err | head -c 1 >/dev/null; cat err >&2");
  EXPECT_THAT(outcome.err, Not(HasSubstr("error:")));
  EXPECT_TRUE(all_ended_within(milliseconds(5000)));
}

class Embed : public Program {};

TEST_F(Embed, makes_a_vector_a_text_of_the_asked_width_and_length_1) {
  const auto json = run_json(echo("embed", {"a b", "b a", "c", "--dimensions", "8"}));
  const auto vectors = json.at("embeddings").get<std::vector<std::vector<double>>>();
  ASSERT_EQ(vectors.size(), 3U);
  EXPECT_EQ(vectors[0], vectors[1]) << "the same words";
  EXPECT_NE(vectors[0], vectors[2]);
  double squares = 0;
  for (const double value : vectors[2])
    squares += value * value;
  EXPECT_EQ(vectors[2].size(), 8U);
  EXPECT_NEAR(squares, 1, 1e-6);
  EXPECT_EQ(json.at("usage").at("prompt_tokens"), 5);
}

TEST_F(Embed, reads_a_text_a_line) {
  const Outcome lines = run(echo("embed", {"--dimensions", "2"}), "one\ntwo\n\nfour\n");
  EXPECT_EQ(lines.status, 0) << lines.err;
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 4);
}

TEST_F(Embed, refuses_what_cannot_be) {
  EXPECT_THAT(run(echo("embed", {"x", "--dimensions", "0"})).err, HasSubstr("dimensions: 0 is out of range"));
  EXPECT_THAT(run(echo("embed", {"x", "--dimensions", "4000"})).err,
              HasSubstr("dimensions: 4000, expected at most"));
  EXPECT_THAT(run(echo("embed", {}), "").err, HasSubstr("texts: 0 were given"));
  EXPECT_EQ(run({"embed", "pocket-turbo", "x"}).status, 3);
}

class Chat : public Program {};

TEST_F(Chat, answers_line_by_line_and_ends_with_its_input) {
  const Outcome talk = run(echo("chat", {"--temperature", "0"}), "hello there\nand again\n");
  EXPECT_EQ(talk.status, 0) << talk.err;
  EXPECT_EQ(talk.out, "hello there\nand again\n");
}

TEST_F(Chat, takes_several_lines_between_quotes) {
  EXPECT_EQ(run(echo("chat", {"--temperature", "0"}), "\"\"\"one\ntwo\"\"\"\n/bye\n").out, "one\ntwo\n");
}

TEST_F(Chat, changes_settings_and_refuses_bad_ones) {
  const Outcome talk =
      run(echo("chat", {"--temperature", "0"}),
          "/set max-tokens 1\none two\n/set max-tokens x\n/set max-tokens\none two\n/what\n");
  EXPECT_EQ(talk.out, "one\none two\n");
  EXPECT_THAT(talk.err, HasSubstr("--max-tokens: 'x'"));
  EXPECT_THAT(talk.err, HasSubstr("command '/what' is not known"));
  EXPECT_NE(talk.status, 0);
}

TEST_F(Chat, saves_and_goes_on_with_a_talk) {
  run(echo("chat", {"--temperature", "0", "--system", "be kind"}), "one\n/save talk.json\n");
  const auto saved = nlohmann::json::parse(content(work() / "talk.json"));
  ASSERT_EQ(saved.at("messages").size(), 3U);
  EXPECT_EQ(saved.at("messages")[0].at("content"), "be kind");
  EXPECT_EQ(saved.at("messages")[2].at("role"), "assistant");
  const Outcome talk = run(echo("chat", {"--temperature", "0"}), "/load talk.json\n/show\n/clear\n/show\n");
  EXPECT_THAT(talk.out, HasSubstr("messages  2\n"));
  EXPECT_THAT(talk.out, HasSubstr("messages  0\n"));
  EXPECT_THAT(run(echo("chat", {}), "/load /etc/hostname\n").err,
              HasSubstr("is none that 'roundhouse chat' has saved"));
}

TEST_F(Chat, draws_an_image_and_says_where_it_is) {
  const Outcome talk =
      run(echo("chat", {"--image-model", "pocket-turbo"}), "/set seed 1\n/image a red circle\n");
  EXPECT_EQ(talk.status, 0) << talk.err;
  ASSERT_EQ(listing(output()).size(), 1U) << talk.err;
  EXPECT_THAT(talk.out, HasSubstr(listing(output()).front()));
}

TEST_F(Chat, goes_on_after_Ctrl_C_has_ended_an_answer) {
  const Outcome talk = shell(
      "mkfifo in; (\"$program\" chat pocket-turbo --engine testcard --temperature 0 --option delay_ms=300 "
      "<in >out 2>err & "
      "echo $! >pid; wait $!; echo $? >status) & exec 3>in; echo 'one two three four five six' >&3; "
      "for i in $(seq 200); do [ -s out ] && break; sleep 0.05; done; kill -INT $(cat pid); sleep 1; "
      "echo 'seven' >&3; exec 3>&-; wait; cat out; cat err >&2; exit $(cat status)");
  EXPECT_EQ(talk.status, 0) << talk.err;
  EXPECT_THAT(talk.out, testing::StartsWith("one"));
  EXPECT_THAT(talk.out, testing::EndsWith("seven\n"));
  EXPECT_THAT(talk.out, Not(HasSubstr("six")));
}

}  // namespace
}  // namespace roundhouse::test
