// SPDX-License-Identifier: Apache-2.0
// Engines that come and are replaced under a running daemon, SIGHUP, and what a second signal does.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Reload : public ServedProgram {
 protected:
  nlohmann::json engines() const { return ask(port(), "GET", "/engines").json(); }
  fs::path log() const { return work() / "log.jsonl"; }
  // The last line with that message; null: none yet.
  nlohmann::json logged(const std::string& message) const {
    nlohmann::json found;
    std::istringstream lines(content(log()));
    for (std::string line; std::getline(lines, line);) {
      const nlohmann::json object = nlohmann::json::parse(line);
      if (object.at("msg") == message) found = object;
    }
    return found;
  }
  nlohmann::json wait_for(const std::string& message) const {
    for (int i = 0; i < 1000 && logged(message).is_null(); ++i)
      std::this_thread::sleep_for(milliseconds(10));
    return logged(message);
  }
  // Puts the engine of the build tree there as a program that installs does: under another name first.
  void install_testcard(const fs::path& directory) const {
    const fs::path from = fs::path(program()).parent_path().parent_path() / "engines";
    for (const char* name : {"testcard.so", "testcard.json"}) {
      fs::copy_file(from / name, directory / "new");
      fs::rename(directory / "new", directory / name);
    }
  }
  void configure(const nlohmann::json& settings) const { std::ofstream(work() / "c.json") << settings; }
};

TEST_F(Reload, an_engine_that_is_dropped_in_is_seen) {
  const fs::path directory = root_ / "engines";
  fs::create_directories(directory);
  const Running daemon = serve({"--engine-path", directory.string(), "--log-file", log().string()});
  EXPECT_FALSE(engines().at("engines").contains("late"));
  EXPECT_TRUE(logged("engines changed").is_null());
  add_tracer("late", 1);
  EXPECT_TRUE(engines().at("engines").contains("late"));
  EXPECT_THAT(logged("engines changed").at("added"), ElementsAre("late"));
  fs::remove(directory / "late.json");
  EXPECT_FALSE(engines().at("engines").contains("late"));
  EXPECT_THAT(logged("engines changed").at("removed"), ElementsAre("late"));
}

TEST_F(Reload, a_replaced_engine_is_probed_again_and_its_idle_worker_ends) {
  const fs::path directory = root_ / "engines";
  fs::create_directories(directory);
  install_testcard(directory);
  const Running daemon = serve({"--engine-path", directory.string(), "--log-file", log().string()});
  EXPECT_EQ(ask(port(), "POST", "/generate", test_card().dump()).status, 200);
  EXPECT_EQ(engines().at("engines").at("testcard").at("state"), "available");
  EXPECT_EQ(engines().at("engines").at("testcard").at("state"), "available") << "looking forgets nothing";
  const std::size_t before = processes().size();
  install_testcard(directory);
  EXPECT_EQ(engines().at("engines").at("testcard").at("state"), "listed");
  EXPECT_THAT(logged("engines changed").at("replaced"), ElementsAre("testcard"));
  EXPECT_EQ(logged("engines changed").at("workers_ended"), 1);
  for (int i = 0; i < 500 && processes().size() >= before; ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_LT(processes().size(), before);
  EXPECT_EQ(ask(port(), "POST", "/generate", test_card().dump()).status, 200);
  EXPECT_EQ(engines().at("engines").at("testcard").at("state"), "available");
}

TEST_F(Reload, SIGHUP_takes_what_can_change_and_says_what_waits_for_a_restart) {
  std::ofstream(work() / "keys") << "old\n";
  configure({{"api_key_file", "keys"}, {"queue", 4}});
  const Running daemon = serve({"--config", "c.json", "--log-file", log().string()});
  const Fields fresh = {{"Authorization", "Bearer fresh"}};
  EXPECT_EQ(ask(port(), "GET", "/models", "", fresh).status, 401);
  std::ofstream(work() / "keys") << "fresh\n";
  configure(
      {{"api_key_file", "keys"}, {"queue", 9}, {"engine", "testcard"}, {"allowed_models", {"pocket-b*"}}});
  daemon.send(SIGHUP);
  const nlohmann::json line = wait_for("settings read again");
  ASSERT_FALSE(line.is_null());
  EXPECT_THAT(line.at("changed"), ElementsAre("api_key_file", "engine", "allowed_models"));
  EXPECT_THAT(line.at("need_restart"), ElementsAre("queue"));
  EXPECT_THAT(content(log()), testing::Not(HasSubstr("fresh"))) << "a key is nothing for a log";
  EXPECT_EQ(ask(port(), "GET", "/models", "", {{"Authorization", "Bearer old"}}).status, 401);
  EXPECT_EQ(ask(port(), "GET", "/engines", "", fresh).json().at("default"), "testcard");
  EXPECT_THAT(ask(port(), "GET", "/models", "", fresh).json().at("models"), ElementsAre("pocket-base"));
}

TEST_F(Reload, SIGHUP_with_settings_that_cannot_be_read_changes_none) {
  configure({{"engine", "testcard"}});
  const Running daemon = serve({"--config", "c.json", "--log-file", log().string()});
  configure({{"engine", "reference"}, {"keep_alive", "nonsense"}});
  daemon.send(SIGHUP);
  EXPECT_THAT(wait_for("the settings stay as they are").at("error").get<std::string>(),
              HasSubstr("keep_alive"));
  EXPECT_EQ(engines().at("default"), "testcard");
}

TEST_F(Reload, SIGHUP_opens_the_log_again) {
  const Running daemon = serve({"--log-file", log().string()});
  fs::rename(log(), work() / "log.1");
  daemon.send(SIGHUP);
  EXPECT_FALSE(wait_for("settings read again").is_null());
}

// Nobody is there any more to end it; a job of a shell hears of the same by SIGHUP and goes on.
TEST_F(Reload, in_the_foreground_it_ends_with_its_terminal) {
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    const std::string home = (root_ / "home").string(), log_file = log().string();
    execl(program().c_str(), "roundhouse", "serve", "--port", "0", "--home", home.c_str(), "--log-file",
          log_file.c_str(), nullptr);
    _exit(127);
  }
  EXPECT_FALSE(wait_for("listening").is_null());
  close(terminal);
  int status = -1;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(logged("ended").is_null());
}

TEST_F(Reload, a_second_SIGTERM_ends_it_at_once_with_143) {
  Running daemon = serve({"--stop-timeout", "10m"});
  Client client(port());
  const nlohmann::json body = {{"prompt", "x"}, {"engine", "reference"}, {"width", 512},
                               {"height", 512}, {"steps", 50},           {"stream", true}};
  client.send_request("POST", "/generate", body.dump());
  ASSERT_EQ(client.read_head().status, 200);
  daemon.send(SIGTERM);
  std::this_thread::sleep_for(milliseconds(400));
  EXPECT_FALSE(daemon.ended_within(milliseconds(0)));
  daemon.send(SIGTERM);
  EXPECT_TRUE(daemon.ended_within(milliseconds(5000)));
  EXPECT_EQ(daemon.wait().status, 143);
  EXPECT_TRUE(all_ended_within(milliseconds(5000)));
}

}  // namespace
}  // namespace roundhouse::test
