// SPDX-License-Identifier: Apache-2.0
// Places to listen: Unix sockets, several at once, sockets of a service manager; and paths below a prefix.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "host/server/http/listen.h"
#include "roundhouse/error.hpp"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using host::http::parse_listen_place;
using std::chrono::milliseconds;
using testing::HasSubstr;

int bound(int type, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = socket(AF_UNIX, type, 0);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot bind " + path);
  return descriptor;
}

class Listen : public ServedProgram {
 protected:
  std::string path() const { return (work() / "s").string(); }
  std::string place() const { return "unix:" + path(); }

  // `roundhouse serve` with these arguments; returns when it says where it listens.
  Running listening(const Arguments& arguments) {
    const int number = runs_;
    Arguments all = {"serve"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    Running running = start(all);
    await(running, number);
    return running;
  }
  void await(Running& running, int number) {
    const fs::path said = root_ / "io" / (std::to_string(number) + ".out");
    const bool listens = becomes_true([&] {
      return content(said).find('\n') != std::string::npos || running.ended_within(milliseconds(0));
    });
    said_ = content(said);
    if (!listens || said_.empty()) throw std::runtime_error("the daemon ended: " + running.wait().err);
  }
  Answer ask_there(const std::string& method, const std::string& target) {
    return Client(path()).ask(method, target);
  }
  void expect_clean_end(Running& running) const {
    running.send(SIGTERM);
    EXPECT_TRUE(running.ended_within(milliseconds(30'000)));
    EXPECT_EQ(running.wait().status, 0);
  }

  std::string said_;
};

TEST(ListenPlace, is_an_address_with_a_port_or_a_socket) {
  EXPECT_EQ(parse_listen_place("x", "127.0.0.1:80").url(), "http://127.0.0.1:80");
  EXPECT_EQ(parse_listen_place("x", "localhost:0").host, "127.0.0.1");
  EXPECT_EQ(parse_listen_place("x", "[::1]:5").url(), "http://[::1]:5");
  EXPECT_EQ(parse_listen_place("x", "unix:/a/b").url(), "unix:/a/b");
  EXPECT_TRUE(parse_listen_place("x", "unix:b").path.is_absolute());
  for (const std::string& bad :
       {std::string(), std::string("127.0.0.1"), std::string(":80"), std::string("::1:80"),
        std::string("a:99999"), std::string("a:-1"), std::string("a:80x"), std::string("unix:"),
        "unix:/" + std::string(108, 'x'), std::string("unix:/a\0b", 9)})
    EXPECT_THROW(parse_listen_place("x", bad), Error) << bad;
}

TEST_F(Listen, at_a_unix_socket_serves_those_who_may_open_it) {
  Running running = listening({"--listen", place()});
  EXPECT_EQ(said_.substr(said_.find("listens")), "listens on " + place() + "\n");
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(ask_there("GET", "/health").status, 200);
  EXPECT_THAT(run({"ps", "--server", place()}).out, HasSubstr("no model is loaded"));
  const Outcome image =
      run({"generate", "x", "--engine", "testcard", "--width", "64", "--height", "64", "--server", place()});
  EXPECT_EQ(image.status, 0) << image.err;
  EXPECT_EQ(listing(output()).size(), 1U);
  EXPECT_EQ(shell("ROUNDHOUSE_SERVER=" + place() + " $program ps").status, 0);
  EXPECT_EQ(shell("curl -sf --unix-socket " + path() + " http://localhost/health").status, 0);
  expect_clean_end(running);
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_EQ(run({"ps", "--server", place()}).status, 8);
}

TEST_F(Listen, replaces_a_socket_that_was_left_behind_and_nothing_else) {
  {
    Running killed = listening({"--listen", place(), "--socket-mode", "0660"});
    struct stat status {};
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0660U);
    const Outcome second = run({"serve", "--listen", place()});
    EXPECT_EQ(second.status, 7);
    EXPECT_THAT(second.err, HasSubstr("is in use already"));
    EXPECT_EQ(ask_there("GET", "/health").status, 200) << "the second has not taken the first one's place";
    killed.send(SIGKILL);
    killed.wait();
  }
  ASSERT_TRUE(fs::exists(path()));
  Running running = listening({"--listen", place()});
  EXPECT_EQ(ask_there("GET", "/health").status, 200);
  fs::remove(path());
  std::ofstream(path()) << "somebody's file";
  expect_clean_end(running);
  EXPECT_EQ(content(path()), "somebody's file");
  const Outcome refused = run({"serve", "--listen", place()});
  EXPECT_EQ(refused.status, 7);
  EXPECT_THAT(refused.err, HasSubstr("is not a socket"));
  EXPECT_EQ(content(path()), "somebody's file");
}

TEST_F(Listen, at_several_places_at_once_or_at_none) {
  Running running = serve({"--listen", place(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(ask(port(), "GET", "/health").status, 200);
  EXPECT_EQ(ask_there("GET", "/health").status, 200);
  const std::string taken = "127.0.0.1:" + std::to_string(port());
  const Outcome none = run({"serve", "--listen", "unix:" + path() + "2", "--listen", taken});
  EXPECT_EQ(none.status, 7);
  EXPECT_FALSE(fs::exists(path() + "2"));
  expect_clean_end(running);
  EXPECT_THAT(run({"serve", "--listen", "0.0.0.0:0"}).err, HasSubstr("can be reached by other machines"));
  EXPECT_THAT(run({"serve", "--listen", place(), "--socket-mode", "0999"}).err, HasSubstr("file mode"));
  EXPECT_THAT(run({"serve", "--listen", "unix:/nowhere/s"}).err, HasSubstr("cannot be listened on"));
}

TEST_F(Listen, on_sockets_that_a_service_manager_has_opened_and_tells_it_when_it_is_ready) {
  const int socket = bound(SOCK_STREAM, path()), told = bound(SOCK_DGRAM, (work() / "notify").string());
  ASSERT_EQ(listen(socket, 8), 0);
  const int number = runs_;
  const std::string script = "NOTIFY_SOCKET=" + (work() / "notify").string() +
                             " LISTEN_FDS=1 LISTEN_PID=$$ exec $program serve 3<&" + std::to_string(socket);
  Running running = launch({"/bin/bash", "-c", script}, "");
  await(running, number);
  EXPECT_THAT(said_, HasSubstr("listens on " + place()));
  EXPECT_EQ(ask_there("GET", "/health").status, 200);
  char state[64] = "";
  EXPECT_GT(recv(told, state, sizeof state - 1, 0), 0);
  EXPECT_STREQ(state, "READY=1");
  expect_clean_end(running);
  EXPECT_TRUE(fs::exists(path())) << "the socket is the service manager's";
  close(socket);
  close(told);
}

TEST_F(Listen, on_no_descriptor_that_was_meant_for_another_or_is_no_socket) {
  Running other = launch({"/bin/bash", "-c", "LISTEN_FDS=1 LISTEN_PID=1 exec $program serve --port 0"}, "");
  await(other, runs_ - 1);
  EXPECT_THAT(said_, HasSubstr("http://127.0.0.1:"));
  other.send(SIGTERM);
  const Outcome file =
      launch({"/bin/bash", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec $program serve 3</dev/null"}, "").wait();
  EXPECT_EQ(file.status, 2);
  EXPECT_THAT(file.err, HasSubstr("descriptor 3 is not a stream socket that listens"));
  const int any = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ASSERT_EQ(bind(any, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(any, 1), 0);
  const std::string script = "LISTEN_FDS=1 LISTEN_PID=$$ exec $program serve 3<&" + std::to_string(any);
  EXPECT_THAT(launch({"/bin/bash", "-c", script}, "").wait().err,
              HasSubstr("can be reached by other machines"));
  close(any);
}

TEST_F(Listen, below_a_path_all_routes_answer_and_addresses_carry_it) {
  Running running = serve({"--base-path", "roundhouse/"});
  const auto image = [&](const std::string& target, const Fields& fields) {
    nlohmann::json body = test_card();
    body["model"] = "+testcard";
    body["response_format"] = "url";
    body["size"] = "64x64";
    const Answer answer = ask(port(), "POST", target, body.dump(), fields);
    return answer.status == 200 ? answer.json().at("data").at(0).at("url").get<std::string>() : answer.body;
  };
  EXPECT_EQ(ask(port(), "GET", "/health").status, 200);
  EXPECT_EQ(ask(port(), "GET", "/roundhouse/health").status, 200);
  EXPECT_EQ(ask(port(), "GET", "/roundhouse").status, ask(port(), "GET", "/").status);
  EXPECT_EQ(ask(port(), "GET", "/roundhousehealth").status, 404);
  EXPECT_EQ(ask(port(), "GET", "/elsewhere/health").status, 404);
  EXPECT_TRUE(ask(port(), "GET", "/roundhouse/v1/nothing").json().at("error").is_object())
      << "in the dialect of the path";
  const std::string url = image("/roundhouse/v1/images/generations", {});
  EXPECT_THAT(url, HasSubstr("/roundhouse/v1/images/files/"));
  EXPECT_EQ(ask(port(), "GET", url.substr(url.find("/roundhouse"))).status, 200);
  // A proxy that leaves its prefix, and one that takes it away.
  const Fields proxy = {{"X-Forwarded-Prefix", "/outer"}};
  EXPECT_THAT(image("/outer/v1/images/generations", proxy), HasSubstr("/outer/v1/images/files/"));
  EXPECT_THAT(image("/v1/images/generations", proxy), HasSubstr("/outer/v1/images/files/"));
  expect_clean_end(running);
  EXPECT_EQ(run({"serve", "--base-path", "/a/../b"}).status, 2);
}

}  // namespace
}  // namespace roundhouse::test
