// SPDX-License-Identifier: Apache-2.0
// What a person sees on a terminal.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;

class Terminal : public Program {
 protected:
  // Everything that the program writes to a terminal of `columns`.
  std::string show(const std::vector<std::string>& arguments, unsigned short columns = 80) const {
    std::vector<std::string> all = {program()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const std::vector<std::string> variables = environment();
    std::vector<char*> argv, envp;
    for (const std::string& argument : all)
      argv.push_back(const_cast<char*>(argument.c_str()));
    for (const std::string& variable : variables)
      envp.push_back(const_cast<char*>(variable.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const winsize size{24, columns, 0, 0};
    int terminal = -1;
    const pid_t pid = forkpty(&terminal, nullptr, nullptr, &size);
    if (pid == 0) {
      if (chdir(work().c_str()) != 0) _exit(126);
      execve(argv[0], argv.data(), envp.data());
      _exit(127);
    }
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = read(terminal, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    close(terminal);
    waitpid(pid, nullptr, 0);
    return text;
  }
};

const std::vector<std::string> kRun = {"generate", "a red circle", "--engine", "openblas", "--width", "64",
                                       "--height", "64",           "--steps",  "3",        "--seed",  "1"};

TEST_F(Terminal, shows_a_bar_with_step_time_and_time_left) {
  const std::string text = show(kRun);
  EXPECT_THAT(text, HasSubstr("\rdenoise  [########................]  1/3"));
  EXPECT_THAT(text, HasSubstr("ms a step, "));
  EXPECT_THAT(text, HasSubstr(" left"));
}

TEST_F(Terminal, is_clean_when_the_summary_comes) {
  const std::string text = show(kRun);
  EXPECT_THAT(text, HasSubstr("\r\x1b[Koutput/z-image-"));
}

TEST_F(Terminal, that_is_narrow_gets_no_line_that_wraps) {
  const std::string text = show(kRun, 40);
  std::size_t begin = text.find('\r');
  while (begin != std::string::npos) {
    const std::size_t end = text.find("\x1b[K", begin);
    if (end == std::string::npos) break;
    EXPECT_LT(end - begin, 41U);
    begin = text.find('\r', end);
    if (text.compare(begin, 2, "\r\n") == 0) break;
  }
}

TEST_F(Terminal, shows_the_bar_beside_json) {
  std::vector<std::string> arguments = kRun;
  arguments.emplace_back("--json");
  EXPECT_THAT(show(arguments), HasSubstr("\r\x1b[K{"));
}

}  // namespace
}  // namespace roundhouse::test
