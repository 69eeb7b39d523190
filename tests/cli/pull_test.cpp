// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull` from a hub, from outside: kills, several at once, tokens, full disks.
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <future>
#include <thread>

#include "tests/cli/program.h"
#include "tests/host/sources/fake_hub.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Pull : public Program {
 protected:
  Pull() {
    hub_.add_directory(fs::path(ROUNDHOUSE_MODELS) / "pocket-turbo");
    for (const auto& [path, entry] : hub_.files)
      bytes_ += entry.content.size();
  }

  // The program with the hub in its environment.
  Arguments command(const Arguments& arguments) const {
    Arguments all = {"/usr/bin/env", "HF_ENDPOINT=" + hub_.endpoint()};
    all.insert(all.end(), variables_.begin(), variables_.end());
    all.push_back(program());
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  Running begin(const Arguments& arguments) const { return launch(command(arguments), ""); }
  Outcome end(const Arguments& arguments) const { return begin(arguments).wait(); }
  nlohmann::json pull(const Arguments& more = {}) const {
    const Outcome outcome = end(with_pull(more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json();
  }
  static Arguments with_pull(const Arguments& more) {
    Arguments arguments = {"pull", "hf:test/model", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string code(const Arguments& more, int status) const {
    const Outcome outcome = end(with_pull(more));
    EXPECT_EQ(outcome.status, status) << outcome.out;
    return outcome.json().at("error").at("code");
  }

  fs::path store() const { return root_ / "home/.local/share/roundhouse"; }
  // Bytes of downloads that are not finished, and of all blobs.
  std::uint64_t bytes_in_store() const {
    std::uint64_t bytes = 0;
    for (const char* directory : {"cache/downloads", "blobs/sha256"}) {
      std::error_code error;
      for (fs::directory_iterator it(store() / directory, error), last; !error && it != last;
           it.increment(error)) {
        std::error_code gone;
        const auto size = it->path().extension() == ".done" ? 0 : it->file_size(gone);
        if (!gone) bytes += size;
      }
    }
    return bytes;
  }

  FakeHub hub_;
  std::uint64_t bytes_ = 0;
  Arguments variables_;
};

TEST_F(Pull, brings_a_model_that_makes_the_image_of_the_embedded_one) {
  const nlohmann::json pulled = pull({"--name", "mine:f32"});
  EXPECT_EQ(pulled.at("name"), "mine:f32");
  EXPECT_EQ(pulled.at("bytes_fetched"), bytes_);
  EXPECT_EQ(pulled.at("files").at("fetched"), hub_.files.size());
  const nlohmann::json shown = run_json({"show", "mine:f32"});
  EXPECT_EQ(shown.at("provenance").at("repository"), "test/model");
  EXPECT_EQ(shown.at("provenance").at("revision"), FakeHub::kCommit);
  std::string images[2];
  for (const char* model : {"mine:f32", "pocket-turbo"}) {
    const std::string directory = model[0] == 'm' ? "a" : "b";
    run_json({"generate", "a red house", "--model", model, "--steps", "2", "--guidance", "0", "--width", "64",
              "--height", "64", "--seed", "3", "--no-metadata", "--output-dir", directory});
    const auto names = listing(work() / directory);
    ASSERT_EQ(names.size(), 1U);
    images[directory == "b"] = content(work() / directory / names[0]);
  }
  EXPECT_EQ(images[0], images[1]);
}

TEST_F(Pull, killed_in_the_middle_is_gone_on_with_and_no_byte_comes_twice) {
  std::promise<pid_t> started;
  // Once half has gone over the wire: waits until the program has put all of it on disk, as far as there is
  // more, and kills it.
  constexpr std::uint64_t kSlack = 1 << 20;
  hub_.wire().cut_after(TcpProxy::Direction::down, bytes_ / 2, [&] {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (bytes_in_store() + kSlack < bytes_ / 2 && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    kill(started.get_future().get(), SIGKILL);
  });
  Running running = begin(with_pull({"--parallel", "2"}));
  started.set_value(running.pid());
  EXPECT_EQ(running.wait().status, 128 + SIGKILL);
  const std::uint64_t arrived = bytes_in_store();
  EXPECT_GT(arrived + kSlack, bytes_ / 2);
  EXPECT_TRUE(run_json({"verify"}).at("models").empty()) << "no name before all is there";
  const std::uint64_t before = hub_.bytes_served();
  const nlohmann::json pulled = pull();
  EXPECT_EQ(pulled.at("bytes_fetched"), bytes_ - arrived);
  EXPECT_EQ(hub_.bytes_served() - before, bytes_ - arrived) << "only what was missing was asked for";
  EXPECT_EQ(run({"verify", "model"}).status, 0);
  EXPECT_THAT(listing(store() / "tmp"), testing::IsEmpty());
}

TEST_F(Pull, cancelled_keeps_what_it_has) {
  std::promise<pid_t> started;
  hub_.wire().cut_after(TcpProxy::Direction::down, bytes_ / 3,
                        [&] { kill(started.get_future().get(), SIGINT); });
  Running running = begin(with_pull({}));
  started.set_value(running.pid());
  const Outcome outcome = running.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.json().at("error").at("code"), "CANCELLED");
  const std::uint64_t kept = bytes_in_store();
  EXPECT_GT(kept, 0U);
  EXPECT_THAT(listing(store() / "tmp"), testing::IsEmpty());
  EXPECT_EQ(pull().at("bytes_fetched"), bytes_ - kept);
}

TEST_F(Pull, fetch_takes_the_flags_of_other_tools_and_fills_a_directory) {
  const Arguments fetch = {"fetch", "--repo",   "test/model", "--revision",
                           "main",  "--output", "raw",        "--json"};
  const Outcome outcome = end(fetch);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.json().at("bytes_fetched"), bytes_);
  for (const auto& [path, entry] : hub_.files) {
    EXPECT_EQ(content(work() / "raw" / path), entry.content) << path;
    EXPECT_FALSE(fs::is_symlink(work() / "raw" / path)) << path;
  }
  EXPECT_EQ(run({"validate", "raw"}).status, 0);
  EXPECT_EQ(end(fetch).status, 7) << "raw is there already";
  EXPECT_EQ(end({"fetch", "--revision", "main"}).status, 2);
  EXPECT_EQ(end({"fetch", "hf:test/model", "--repo", "test/model"}).status, 2);
}

TEST_F(Pull, two_at_once_fetch_every_byte_once) {
  Running one = begin(with_pull({"--name", "one"}));
  Running two = begin(with_pull({"--name", "two"}));
  const Outcome first = one.wait(), second = two.wait();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(hub_.bytes_served(), bytes_);
  EXPECT_EQ(first.json().at("digest"), second.json().at("digest"));
  EXPECT_EQ(run({"verify"}).status, 0);
}

TEST_F(Pull, gc_and_clean_at_any_time_do_no_harm) {
  Running pulling = begin(with_pull({"--parallel", "1"}));
  unsigned rounds = 0;
  while (!pulling.ended_within(std::chrono::milliseconds(0))) {
    EXPECT_EQ(run({rounds++ % 2 == 0 ? "gc" : "clean"}).status, 0);
  }
  const Outcome outcome = pulling.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GT(rounds, 0U);
  // What begins a file of weights is nobody's until its turn comes, and clean may take it.
  constexpr std::uint64_t kBeginnings = 3U << 20;
  EXPECT_LE(hub_.bytes_served(), bytes_ + kBeginnings);
  EXPECT_EQ(run({"verify", "model"}).status, 0);
}

TEST_F(Pull, clean_removes_what_nobody_is_at_work_on) {
  hub_.instead = [](const ServerRequest& request) -> std::optional<ServerReply> {
    if (!request.path().starts_with("/cdn/")) return std::nullopt;
    return ServerReply{403, {}, "expired"};
  };
  EXPECT_EQ(code({}, 8), "AUTH_REQUIRED");
  EXPECT_FALSE(listing(store() / "cache/downloads").empty());
  EXPECT_FALSE(run_json({"clean"}).at("downloads").empty());
  EXPECT_THAT(listing(store() / "cache/downloads"), testing::IsEmpty());
}

TEST_F(Pull, a_token_is_taken_from_where_it_is_said_and_told_to_nobody) {
  hub_.token = "hf_secret";
  EXPECT_EQ(code({}, 8), "AUTH_REQUIRED");
  const std::string told = end({"pull", "hf:test/model"}).err;
  EXPECT_THAT(told, HasSubstr("missing or gated"));
  EXPECT_THAT(told, HasSubstr("\nhint: check the name; if it is right, give a token"));
  const fs::path file = work() / "token";
  std::ofstream(file) << "hf_secret\n";
  EXPECT_EQ(end(with_pull({"--token-file", file, "--log-file", "log.jsonl", "--log-level", "debug"})).status,
            0);
  EXPECT_EQ(end(with_pull({"--token", "hf_secret"})).status, 0);
  fs::create_directories(root_ / "home/.cache/huggingface");
  fs::copy(file, root_ / "home/.cache/huggingface/token");
  EXPECT_EQ(end(with_pull({})).status, 0);
  variables_ = {"HF_TOKEN=hf_wrong"};
  const Outcome wrong = end(with_pull({"--log-file", "log.jsonl", "--log-level", "debug"}));
  EXPECT_EQ(wrong.status, 8);
  for (const std::string& text : {wrong.out, wrong.err, content(work() / "log.jsonl")}) {
    EXPECT_THAT(text, Not(HasSubstr("hf_secret")));
    EXPECT_THAT(text, Not(HasSubstr("hf_wrong")));
  }
  for (const ServerRequest& request : hub_.content_requests())
    EXPECT_EQ(request.get("authorization"), "");
}

TEST_F(Pull, damage_on_the_way_is_found) {
  const std::string weights = "vae/diffusion_pytorch_model.safetensors";
  std::string content = hub_.files[weights].content;
  hub_.edit_listing = [](std::string& listing) {
    const auto at = listing.find("\"lfs\":{\"oid\":\"") + 14;
    listing[at] = listing[at] == '0' ? '1' : '0';
  };
  const Outcome outcome = end({"pull", "hf:test/model"});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("\nerror: INTEGRITY_MISMATCH: file '"));
  EXPECT_THAT(outcome.err, HasSubstr(".., expected "));
  EXPECT_TRUE(run_json({"verify"}).at("models").empty());
}

TEST_F(Pull, a_full_disk_is_told_and_can_be_made_good) {
  const Outcome outcome = launch({"/bin/sh", "-c",
                                  "ulimit -f 2000; HF_ENDPOINT=" + hub_.endpoint() +
                                      " exec \"$program\" pull hf:test/model --json"},
                                 "")
                              .wait();
  EXPECT_EQ(outcome.status, 7) << outcome.err;
  EXPECT_EQ(outcome.json().at("error").at("code"), "INSUFFICIENT_STORAGE");
  EXPECT_EQ(pull().at("name"), "model");
  EXPECT_LT(hub_.bytes_served(), bytes_ * 2);
  EXPECT_EQ(run({"verify", "model"}).status, 0);
}

TEST_F(Pull, too_little_room_is_told_before_the_first_file) {
  hub_.edit_listing = [](std::string& listing) {
    const std::string size = "\"size\":";
    for (auto at = listing.find(size); at != std::string::npos; at = listing.find(size, at + 1))
      listing.insert(at + size.size(), "9000000000");
  };
  hub_.files = {{"model_index.json", {"12345", true}},
                {"vae/diffusion_pytorch_model.safetensors", {"12345", true}}};
  EXPECT_EQ(code({}, 7), "INSUFFICIENT_STORAGE");
  EXPECT_EQ(hub_.bytes_served(), 0U);
}

TEST_F(Pull, the_cache_of_other_clients_saves_all_traffic) {
  const fs::path snapshot =
      root_ / "home/.cache/huggingface/hub/models--test--model/snapshots" / FakeHub::kCommit;
  for (const auto& [path, entry] : hub_.files) {
    fs::create_directories((snapshot / path).parent_path());
    std::ofstream(snapshot / path, std::ios::binary) << entry.content;
  }
  fs::create_directories(snapshot.parent_path().parent_path() / "refs");
  std::ofstream(snapshot.parent_path().parent_path() / "refs/main") << FakeHub::kCommit;
  const nlohmann::json pulled = pull();
  EXPECT_EQ(pulled.at("bytes_fetched"), 0);
  EXPECT_EQ(hub_.bytes_served(), 0U);
  EXPECT_EQ(pulled.at("files").at("linked"), hub_.files.size());
  const std::size_t asked = hub_.requests().size();
  variables_ = {"HF_HUB_OFFLINE=1"};
  EXPECT_EQ(pull({"--name", "offline"}).at("digest"), pulled.at("digest"));
  const Outcome imported = end({"import", "--hf-cache", "hf:test/model", "--name", "imported", "--json"});
  EXPECT_EQ(imported.json().at("digest"), pulled.at("digest")) << imported.out;
  EXPECT_EQ(end({"import", "--hf-cache", "hf:test/other"}).status, 4);
  EXPECT_EQ(hub_.requests().size(), asked) << "no network";
}

// The hub of these tests is one to others as well.
TEST_F(Pull, the_hubs_official_client_reads_the_same_hub) {
  ASSERT_TRUE(fs::exists(fs::path(ROUNDHOUSE_BINARY_DIR) / "../node_modules/@huggingface/hub"))
      << "'./dev test' installs the client";
  hub_.page = 5;
  const Outcome outcome = shell("node '" ROUNDHOUSE_BINARY_DIR "/tests/clients/hub.mjs' " + hub_.endpoint() +
                                " test/model theirs");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.json().size(), hub_.files.size());
  for (const auto& [path, entry] : hub_.files)
    EXPECT_TRUE(content(work() / "theirs" / path) == entry.content) << path;
}

TEST_F(Pull, takes_what_lies_on_this_machine_as_import_does) {
  fs::create_directory(work() / "my models");
  fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", work() / "my models/tiny",
           fs::copy_options::recursive);
  const nlohmann::json imported = run_json({"import", "my models/tiny"});
  EXPECT_EQ(run_json({"pull", "my models/tiny", "--name", "again"}).at("digest"), imported.at("digest"));
  const std::string url = "file://" + (work() / "my%20models/tiny").string();
  EXPECT_EQ(run_json({"pull", url}).at("name"), "tiny");
  run_json({"pack", "tiny", "tiny.tar"});
  EXPECT_EQ(run_json({"pull", "tiny.tar", "--home", "other"}).at("digest"), imported.at("digest"));
  for (const char* source : {"file://elsewhere/x", "file:x", "file:///%zz", "file:///x%00", "file:////x"})
    EXPECT_EQ(run({"pull", source}).status, 2) << source;
  EXPECT_EQ(run({"pull", "./absent"}).status, 4);
}

TEST_F(Pull, refuses_what_it_does_not_understand) {
  EXPECT_EQ(end({"pull", "hf:../x"}).status, 2);
  EXPECT_EQ(end({"pull", "gopher://x"}).status, 2);
  EXPECT_EQ(code({"--parallel", "0"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(code({"--parallel", "17"}, 2), "INVALID_ARGUMENT");
  EXPECT_EQ(code({"--name", "../x"}, 2), "UNSAFE_NAME");
  variables_ = {"HF_ENDPOINT=http://hub.example"};
  EXPECT_EQ(code({}, 2), "INVALID_ARGUMENT") << "plain http beyond this machine";
  variables_ = {"HF_ENDPOINT=http://127.0.0.1:9"};
  EXPECT_EQ(code({}, 8), "SOURCE_UNREACHABLE");
  EXPECT_TRUE(hub_.requests().empty());
}

}  // namespace
}  // namespace roundhouse::test
