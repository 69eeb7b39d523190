// SPDX-License-Identifier: Apache-2.0
// What the checker found: broken rules, and which rules it was able to look at.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace conformance {

struct Finding {
  std::string rule;   // "P21" of CONTRACT.md
  std::string where;  // the case, such as "testcard: generate"
  std::string text;
};

struct Result {
  std::vector<Finding> findings;
  std::set<std::string> checked;
};

// Thrown by Report::require; ends the case quietly.
struct Stop {};

// What a case reports to, from inside its own process. Everything is sent at once, so that a crash loses
// nothing.
class Report {
 public:
  explicit Report(int descriptor) : descriptor_(descriptor) {}

  // The call that comes next; a crash or a hang is told with it.
  void step(const std::string& call) { send('S', call, ""); }

  // The rule is looked at here; `text` says how it is broken unless it holds. Returns `holds`.
  bool expect(bool holds, const std::string& rule, const std::string& text) {
    send('R', rule, "");
    if (!holds) send('F', rule, text);
    return holds;
  }

  // As expect, but the case cannot go on when it is broken.
  void require(bool holds, const std::string& rule, const std::string& text) {
    if (!expect(holds, rule, text)) throw Stop{};
  }

  // The case came to its end.
  void end() { send('E', "", ""); }

 private:
  void send(char kind, std::string first, std::string second);

  int descriptor_;
};

// Runs one case in a child process. A crash, an exit or a hang of the child is a finding (P18), and so is
// anything on its standard output or error (P28).
void run_case(const std::string& where, int timeout_s, const std::function<void(Report&)>& work,
              Result& result);

}  // namespace conformance
