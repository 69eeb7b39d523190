// SPDX-License-Identifier: Apache-2.0
// Writing a text, and showing what would be read for it (rh.text/1).
#pragma once

#include <string>
#include <vector>

#include "host/task/text_task.h"
#include "host/worker/engine_call.h"
#include "host/worker/engine_client.h"
#include "host/worker/message.h"
#include "host/worker/ops/table.h"
#include "roundhouse/ext/text.h"

namespace roundhouse::host {

// The host's ends. Throw CAPABILITY_UNSUPPORTED when the model writes no text.
TextReport write_text(EngineClient& client, const TextTask& task, const TextEvents& events = {});
RenderedPrompt render_prompt(EngineClient& client, const TextTask& task);

// The worker's.
Message work_text(LoadedEngine& engine, const Message& request, CallContext& call);
Message work_render(LoadedEngine& engine, const Message& request, CallContext& call);

// A task in C's form. Borrows what it was made of.
class TextRecord {
 public:
  explicit TextRecord(const TextTask& task);
  TextRecord(const TextRecord&) = delete;
  TextRecord& operator=(const TextRecord&) = delete;
  const rh_text_request& get() const { return record_; }

 private:
  OptionRecords options_;
  std::vector<rh_logit_bias> biases_;
  std::vector<rh_text_view> stops_;
  rh_sampling sampling_{};
  rh_text_request record_{};
};

// The texts that a user's words may be in.
std::vector<std::string> private_texts(const TextTask& task);

Message message_of(const TextTask& task);
Message message_of(const TextPiece& piece);
// Throw FrameError for anything that message_of does not write.
TextTask text_task_of(const Message& message);
TextPiece text_piece_of(const Message& message);

}  // namespace roundhouse::host
