// SPDX-License-Identifier: Apache-2.0
// `generate --server`, `ps` and `stop` beside a daemon, as the same program without one.
#include <csignal>
#include <fstream>

#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Remote : public ServedProgram {
 protected:
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  Arguments remote(Arguments arguments) const {
    arguments.insert(arguments.end(), {"--server", url()});
    return arguments;
  }
  // Takes minutes when nobody stops it.
  Running start_long_run() const {
    return start(remote(
        {"generate", "x", "--engine", "reference", "--steps", "50", "--width", "512", "--height", "512"}));
  }
  nlohmann::json health() const { return ask(port(), "GET", "/health").json(); }
  bool becomes_busy() const {
    return becomes_true([&] { return health().at("state") == "busy"; });
  }
  std::vector<std::string> images(const std::string& directory) const {
    std::vector<std::string> contents;
    for (const std::string& name : listing(work() / directory))
      contents.push_back(content(work() / directory / name));
    return contents;
  }
};

TEST_F(Remote, images_are_the_files_that_the_program_makes_itself) {
  Running daemon = serve();
  const std::vector<Arguments> requests = {
      {"generate", "a red mushroom", "--width", "64", "--height", "64", "--seed", "7", "--num-images", "2"},
      {"generate", "a cat", "--aspect", "16:9", "--steps", "1", "--seed", "9223372036854775806",
       "--num-images", "2"},
      {"generate", "two cats", "--model", "pocket-base", "--width", "64", "--height", "80", "--steps", "2",
       "--guidance", "3", "--negative-prompt", "rain", "--seed", "1", "--cfg-normalization", "1"},
      {"generate", "x", "--engine", "testcard", "--width", "64", "--height", "32", "--no-metadata", "--seed",
       "3"},
      {"generate", "x", "--engine", "testcard", "--width", "64", "--height", "32", "--format", "webp",
       "--quality", "70", "--seed", "3"}};
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Arguments here = requests[i], there = remote(requests[i]);
    here.insert(here.end(), {"-o", "here" + std::to_string(i)});
    there.insert(there.end(), {"-o", "there" + std::to_string(i)});
    const nlohmann::json local = run_json(here), far = run_json(there);
    EXPECT_EQ(images("here" + std::to_string(i)), images("there" + std::to_string(i))) << requests[i][1];
    for (const auto& [key, value] : local.items()) {
      ASSERT_TRUE(far.contains(key)) << key;
      if (key != "files" && key != "images" && key != "step_ms" && key != "timings_ms" &&
          key != "peak_memory_bytes") {
        EXPECT_EQ(far.at(key), value) << key;
      }
    }
    EXPECT_EQ(far.at("step_ms").size(), local.at("step_ms").size());
    EXPECT_GT(far.at("timings_ms").at("denoise"), 0);
  }
}

TEST_F(Remote, refusals_are_those_of_the_program_itself) {
  Running daemon = serve();
  const std::vector<Arguments> wrong = {{"generate", " "},
                                        {"generate", "x", "--num-images", "17"},
                                        {"generate", "x", "--width", "848", "--height", "480"},
                                        {"generate", "x", "--width", "65"},
                                        {"generate", "x", "--aspect", "5:1"},
                                        {"generate", "x", "--steps", "51"},
                                        {"generate", "x", "--device", "cpu"},
                                        {"generate", "x", "--model", "nobody"},
                                        {"generate", "x", "--engine", "nobody"},
                                        {"generate", "x", "--sampler", "nobody"},
                                        {"generate", "x", "--weights", "nobody"}};
  for (const Arguments& arguments : wrong) {
    const Outcome here = run(arguments), there = run(remote(arguments));
    EXPECT_NE(here.status, 0);
    EXPECT_EQ(there.status, here.status) << arguments.back();
    EXPECT_EQ(there.err, here.err) << arguments.back();
  }
  // A path of this machine means nothing to a server.
  const Outcome path = run(remote({"generate", "x", "--model", "./nobody"}));
  EXPECT_EQ(path.status, 2);
  EXPECT_THAT(path.err, testing::HasSubstr("UNSAFE_NAME"));
  EXPECT_THAT(listing(output()), IsEmpty());
}

TEST_F(Remote, flags_of_the_engines_machine_are_refused_by_name) {
  for (const Arguments& flag : std::vector<Arguments>{{"--threads", "1"},
                                                      {"--memory-limit", "1GB"},
                                                      {"--in-process"},
                                                      {"--explain"},
                                                      {"--estimate"},
                                                      {"--pull"},
                                                      {"--option", "a=1"},
                                                      {"--model-option", "a=1"},
                                                      {"--engine-option", "a=1"}}) {
    Arguments arguments = {"generate", "x", "--server", "http://127.0.0.1:1"};
    arguments.insert(arguments.end(), flag.begin(), flag.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.err,
                HasSubstr("INVALID_ARGUMENT: " + flag[0] + ": cannot be given together with --server"));
  }
}

TEST_F(Remote, nobody_there_is_SOURCE_UNREACHABLE_and_says_what_to_do) {
  for (const Arguments& command :
       std::vector<Arguments>{{"generate", "x"}, {"ps"}, {"stop", "pocket-turbo"}}) {
    Arguments arguments = command;
    arguments.insert(arguments.end(), {"--server", "127.0.0.1:1"});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 8) << command[0];
    EXPECT_THAT(outcome.err, HasSubstr("error: SOURCE_UNREACHABLE: ")) << command[0];
    EXPECT_THAT(outcome.err, HasSubstr("hint: start a daemon with 'roundhouse serve'")) << command[0];
  }
  EXPECT_EQ(run({"ps", "--server", "ftp://x"}).status, 2);
  EXPECT_EQ(run({"ps", "--server", "http://127.0.0.1:99999"}).status, 2);
  EXPECT_EQ(run({"ps", "--server", "http://198.51.100.1"}).status, 2);  // plain http leaves this machine
}

TEST_F(Remote, models_are_shown_and_stopped) {
  Running daemon = serve();
  EXPECT_EQ(run(remote({"ps"})).out, "no model is loaded\n");
  EXPECT_EQ(run(remote({"generate", "x", "--width", "64", "--height", "64", "--steps", "1"})).status, 0);
  EXPECT_EQ(run(remote({"generate", "x", "--engine", "testcard", "--width", "64", "--height", "64"})).status,
            0);
  const Outcome shown = run(remote({"ps"}));
  EXPECT_THAT(shown.out, testing::ContainsRegex("NAME +ENGINE +SIZE +STATE +UNTIL\n"));
  EXPECT_THAT(shown.out,
              testing::ContainsRegex("pocket-turbo:latest +[a-z]+ +[0-9.]+ MiB +idle +[45] min [0-9]+ s\n"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("\\+testcard +testcard "));
  EXPECT_THAT(run_json(remote({"ps"})).at("models"), SizeIs(2));
  EXPECT_EQ(run(remote({"stop", "pocket-turbo:latest"})).out, "pocket-turbo:latest: unloaded\n");
  EXPECT_EQ(run_json(remote({"stop", "+testcard"})).at("unloaded"), 1);
  EXPECT_EQ(run(remote({"stop", "pocket-turbo"})).out, "pocket-turbo: was not loaded\n");
  EXPECT_THAT(run_json(remote({"ps"})).at("models"), IsEmpty());
  const Outcome unknown = run(remote({"stop", "nobody"}));
  EXPECT_EQ(unknown.status, 4);
  EXPECT_THAT(unknown.err, HasSubstr("error: MODEL_NOT_FOUND: "));
}

TEST_F(Remote, a_key_is_asked_for_and_given) {
  std::ofstream(work() / "keys") << "# ours\nsecret\n";
  std::ofstream(work() / "wrong") << "guess\n";
  Running daemon = serve({"--api-key-file", "keys"});
  for (const Arguments& command : std::vector<Arguments>{
           {"generate", "x", "--engine", "testcard", "--width", "64", "--height", "64"}, {"ps"}}) {
    Arguments arguments = remote(command);
    EXPECT_THAT(run(arguments).err, HasSubstr("error: AUTH_REQUIRED: this server asks for an API key"));
    arguments.insert(arguments.end(), {"--api-key-file", "wrong"});
    const Outcome refused = run(arguments);
    EXPECT_EQ(refused.status, 8);
    EXPECT_THAT(refused.err, HasSubstr("the API key is not one of this server's"));
    EXPECT_THAT(refused.err, testing::Not(HasSubstr("guess")));
    arguments.back() = "keys";
    EXPECT_EQ(run(arguments).status, 0);
  }
  EXPECT_EQ(shell("ROUNDHOUSE_API_KEY=secret ROUNDHOUSE_SERVER=" + url() + " $program ps").status, 0);
  EXPECT_EQ(shell("ROUNDHOUSE_API_KEY=guess ROUNDHOUSE_SERVER=" + url() + " $program ps").status, 8);
}

TEST_F(Remote, an_interrupt_stops_the_worker) {
  Running daemon = serve();
  Running run = start_long_run();
  ASSERT_TRUE(becomes_busy());
  run.send(SIGINT);
  EXPECT_TRUE(run.ended_within(milliseconds(10'000)));
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.err, HasSubstr("error: CANCELLED: "));
  EXPECT_TRUE(becomes_true([&] { return health().at("active") == 0; }));
  EXPECT_THAT(listing(output()), IsEmpty());
}

TEST_F(Remote, a_daemon_that_is_killed_is_SOURCE_UNREACHABLE_and_leaves_no_file) {
  Running daemon = serve();
  Running run = start_long_run();
  ASSERT_TRUE(becomes_busy());
  daemon.send(SIGKILL);
  EXPECT_TRUE(run.ended_within(milliseconds(10'000)));
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.status, 8);
  EXPECT_THAT(outcome.err, HasSubstr("error: SOURCE_UNREACHABLE: "));
  EXPECT_THAT(listing(output()), IsEmpty());
}

TEST_F(Remote, a_daemon_that_ends_says_so) {
  Running daemon = serve({"--stop-timeout", "100ms"});
  Running run = start_long_run();
  ASSERT_TRUE(becomes_busy());
  daemon.send(SIGTERM);
  EXPECT_TRUE(run.ended_within(milliseconds(30'000)));
  EXPECT_EQ(run.wait().status, 130);
}

TEST_F(Remote, a_full_queue_is_QUEUE_FULL) {
  Running daemon = serve({"--queue", "1"});
  Running at_work = start_long_run();
  ASSERT_TRUE(becomes_busy());
  Running waiting = start_long_run();
  ASSERT_TRUE(becomes_true([&] { return health().at("waiting") == 1; }));
  const Outcome outcome = run(remote({"generate", "x", "--engine", "reference"}));
  EXPECT_EQ(outcome.status, 7);
  EXPECT_THAT(outcome.err, HasSubstr("error: QUEUE_FULL: "));
}

}  // namespace
}  // namespace roundhouse::test
