// SPDX-License-Identifier: Apache-2.0
// A talk with a model: what `roundhouse chat` does with the lines that it reads.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "host/app/conversation.h"
#include "host/cli/engine_run.h"
#include "host/cli/text_flags.h"
#include "host/residency/pool.h"

namespace roundhouse::host {

struct ChatFlags : TextFlags {
  std::optional<std::string> image_model;
  std::string output_directory = "output";
  bool no_history = false, timings = false;
};

// Keeps the model loaded from turn to turn. One thread.
class ChatSession {
 public:
  // Refers to both. Throws what planning throws: a model that cannot talk is refused before the first line.
  ChatSession(const Program& program, ChatFlags& flags);

  // What a whole message, or a line that begins with '/', brings; written to standard output. False: the
  // talk is over. Throws Error for what goes wrong: the talk goes on after it.
  bool take(const std::string& text);

  const std::string& model() const { return model_; }

 private:
  struct Command;
  static const std::vector<Command>& commands();

  void answer(const std::string& text);
  bool command(const std::string& line);
  // The commands; `rest` is what stands behind the name.
  bool help(const std::string& rest);
  bool set(const std::string& rest);
  bool show(const std::string& rest);
  bool clear(const std::string& rest);
  bool save(const std::string& rest);
  bool load(const std::string& rest);
  bool image(const std::string& rest);
  bool bye(const std::string& rest);
  bool set_thinking(const std::string& word);

  TextPlan plan();

  const Program& program_;
  ChatFlags& flags_;
  EngineRun engines_;
  ModelCatalogue models_;
  SharedRegistry registry_;
  std::string model_, engine_;  // that answer
  Conversation conversation_;
  std::unique_ptr<ModelPool> pool_;
  std::unique_ptr<TextRunner> runner_;
  std::optional<TextReport> last_;
  std::set<std::string> told_;  // notes, each of which is told once
};

}  // namespace roundhouse::host
