// SPDX-License-Identifier: Apache-2.0
// One request for a text or for embeddings, of whatever dialect: planned, queued, computed, counted and noted
// for the log.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/app/text.h"
#include "host/residency/keep_alive.h"
#include "host/server/http/exchange.h"
#include "host/server/services.h"
#include "host/session/embedder.h"

namespace roundhouse::host {

struct TextListener {
  // An engine works on the request, which no other can get any more: its first word was heard. Once, before
  // all pieces.
  std::function<void(const TextPlan& plan, const LeaseReport& lease)> begun;
  std::function<void(const TextPiece&)> piece;
};

struct GeneratedText {
  TextPlan plan;  // with the engine that did it, and all notes
  TextAnswer answer;
};

// Runs on the handler's thread, as long as it takes; `exchange.cancelled()` ends it with CANCELLED. A request
// without an engine takes the daemon's default.
GeneratedText generate_text(const Services& services, http::Exchange& exchange, TextRequest request,
                            std::optional<KeepAlive> keep_alive, const TextListener& listener = {});

// What the engine would read, with the model open.
RenderedPrompt render_text(const Services& services, http::Exchange& exchange, TextRequest request,
                           std::optional<KeepAlive> keep_alive);

struct GeneratedEmbeddings {
  EmbedPlan plan;  // with the engine that did it, and all notes
  EmbedRun run;
};

GeneratedEmbeddings generate_embeddings(const Services& services, http::Exchange& exchange,
                                        EmbedRequest request, std::optional<KeepAlive> keep_alive);

// The model is loaded for that task, and stays for `keep_alive`.
LeaseReport load_text_model(const Services& services, http::Exchange& exchange, ModelChoice choice,
                            const std::string& task, std::optional<KeepAlive> keep_alive);

// The model is named in the answer as the client named it, or as what ran where it named none.
std::string answering_model(const Placement& placement);

}  // namespace roundhouse::host
