// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/docker_registry.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace roundhouse::test {
namespace {

namespace fs = std::filesystem;

constexpr auto kPatience = std::chrono::seconds(60);

}  // namespace

DockerRegistry::DockerRegistry(fs::path directory, const Options& options)
    : directory_(std::move(directory)) {
  fs::create_directories(directory_ / "data");
  std::ofstream config(directory_ / "config.yml");
  config << "version: 0.1\nlog: {level: info}\nhttp: {addr: '127.0.0.1:0', secret: of-this-test}\n"
         << "storage:\n  filesystem: {rootdirectory: '" << (directory_ / "data").string() << "'}\n"
         << "  maintenance: {readonly: {enabled: " << (options.read_only ? "true" : "false")
         << "}, uploadpurging: {enabled: false}}\n";
  if (!options.auth.empty()) config << "auth: " << options.auth << "\n";
  config.close();
  const std::string file = (directory_ / "config.yml").string(), log = (directory_ / "log").string();
  fs::remove(log);  // of an earlier one with the same data
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int opened = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(opened, STDOUT_FILENO);
    ::dup2(opened, STDERR_FILENO);
    ::execlp("docker-registry", "docker-registry", "serve", file.c_str(), nullptr);
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!find_port()) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > end)
      throw std::runtime_error("docker-registry does not listen: " + this->log());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

DockerRegistry::~DockerRegistry() {
  stop();
}

void DockerRegistry::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string DockerRegistry::log() const {
  std::ifstream stream(directory_ / "log");
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool DockerRegistry::find_port() {
  const std::string text = log(), mark = "listening on 127.0.0.1:";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos || text.find('\n', at) == std::string::npos) return false;
  port_ = static_cast<std::uint16_t>(std::stoul(text.substr(at + mark.size(), 5)));
  return true;
}

fs::path DockerRegistry::blob(const std::string& digest) const {
  const std::string hex = digest.substr(digest.find(':') + 1);
  return directory_ / "data/docker/registry/v2/blobs/sha256" / hex.substr(0, 2) / hex / "data";
}

std::size_t DockerRegistry::requests(const std::string& method) const {
  const std::string text = log(), mark = "\"" + method + " /v2/";
  std::size_t count = 0;
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1))
    ++count;
  return count;
}

}  // namespace roundhouse::test
