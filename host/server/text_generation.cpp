// SPDX-License-Identifier: Apache-2.0
// From a request to a text, through the pool.
#include "host/server/text_generation.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "host/server/pool_request.h"
#include "host/session/random_seed.h"
#include "host/worker/redaction.h"

namespace roundhouse::host {
namespace {

// What a user wrote, which no log may show unasked.
std::vector<std::string> written(const TextRequest& request) {
  std::vector<std::string> texts;
  if (request.prompt) texts.push_back(*request.prompt);
  if (!request.messages) return texts;
  texts.push_back(*request.messages);
  const auto messages = nlohmann::json::parse(*request.messages, nullptr, false);
  const auto add = [&](const nlohmann::json& value) {
    if (value.is_string()) texts.push_back(value.get<std::string>());
  };
  for (const auto& message : messages) {
    if (!message.is_object() || !message.contains("content")) continue;
    add(message["content"]);
    if (!message["content"].is_array()) continue;
    for (const auto& part : message["content"])
      if (part.is_object() && part.contains("text")) add(part["text"]);
  }
  return texts;
}

// An engine's message may hold them; whoever asked may see it, the log may not.
template <typename Work>
auto with_private_texts(const Services& services, http::Exchange& exchange,
                        const std::vector<std::string>& texts, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!services.log_prompts) exchange.notes()["error"] = without_texts(error.what(), texts);
    throw;
  }
}

template <typename Request>
void take_default_engine(const Services& services, Request& request) {
  if (!request.engine) request.engine = services.registry.default_engine();
}

void note_report(http::Exchange& exchange, const TextReport& report) {
  nlohmann::json& notes = exchange.notes();
  notes["finish"] = finish_name(report.finish);
  notes["prompt_tokens"] = report.prompt_tokens;
  notes["cached_tokens"] = report.cached_tokens;
  notes["answer_tokens"] = report.answer_tokens;
  notes["prompt_ms"] = report.prompt_milliseconds;
  notes["answer_ms"] = report.answer_milliseconds;
}

TextPlan planned(const Services& services, http::Exchange& exchange, TextRequest& request) {
  take_default_engine(services, request);
  TextPlan plan = make_text_plan(request, *services.registry.snapshot(), services.models(), random_seed);
  note_placement(exchange, plan);
  exchange.notes()["seed"] = plan.job.sampling.seed;
  if (services.log_prompts) exchange.notes()["prompt"] = plan.job.messages.value_or(plan.job.prompt);
  return plan;
}

// Tells a listener of a worker once that has begun to work.
class Beginning {
 public:
  Beginning(const TextListener& listener, TextPlan& plan) : listener_(listener), plan_(plan) {}

  TextRunEvents events() {
    TextRunEvents events;
    // May come twice: for a worker that had died while it was idle, and for the next.
    events.loaded = [this](const LeaseReport& report) {
      lease_ = report;
      plan_.engine = report.placement.engine;
    };
    events.prompt = [this](std::uint32_t, std::uint32_t) { tell(); };
    events.piece = [this](const TextPiece& piece) {
      tell();
      if (listener_.piece) listener_.piece(piece);
    };
    return events;
  }
  void tell() {
    if (!std::exchange(told_, true) && listener_.begun) listener_.begun(plan_, lease_);
  }

 private:
  const TextListener& listener_;
  TextPlan& plan_;
  LeaseReport lease_;
  bool told_ = false;
};

}  // namespace

GeneratedText generate_text(const Services& services, http::Exchange& exchange, TextRequest request,
                            std::optional<KeepAlive> keep_alive, const TextListener& listener) {
  return with_private_texts(services, exchange, written(request), [&] {
    GeneratedText text;
    text.plan = planned(services, exchange, request);
    Beginning beginning(listener, text.plan);
    text.answer = in_pool(
        exchange,
        [&] {
          return complete_text(text.plan, services.texts, keep_alive, exchange.cancelled(),
                               beginning.events());
        },
        [](const TextAnswer& answer) { return answer.run.lease; });
    beginning.tell();  // of an answer without any piece
    text.plan.engine = text.answer.run.lease.placement.engine;
    text.plan.notes = text.answer.run.lease.notes;
    note_report(exchange, text.answer.run.text);
    services.metrics.text(text.plan.engine, name_of(text.plan.model), text.answer.run.text);
    return text;
  });
}

RenderedPrompt render_text(const Services& services, http::Exchange& exchange, TextRequest request,
                           std::optional<KeepAlive> keep_alive) {
  return with_private_texts(services, exchange, written(request), [&] {
    const TextPlan plan = planned(services, exchange, request);
    try {
      return services.texts.render(plan, keep_alive, exchange.cancelled());
    } catch (const QueueFull& error) {
      throw queue_full(error);
    }
  });
}

GeneratedEmbeddings generate_embeddings(const Services& services, http::Exchange& exchange,
                                        EmbedRequest request, std::optional<KeepAlive> keep_alive) {
  return with_private_texts(services, exchange, request.texts, [&] {
    take_default_engine(services, request);
    GeneratedEmbeddings made;
    made.plan = make_embed_plan(request, *services.registry.snapshot(), services.models());
    note_placement(exchange, made.plan);
    exchange.notes()["texts"] = request.texts.size();
    made.run = in_pool(
        exchange, [&] { return services.embedder.run(made.plan, keep_alive, exchange.cancelled()); },
        [](const EmbedRun& run) { return run.lease; });
    made.plan.engine = made.run.lease.placement.engine;
    made.plan.notes = made.run.lease.notes;
    exchange.notes()["prompt_tokens"] = made.run.report.tokens;
    return made;
  });
}

LeaseReport load_text_model(const Services& services, http::Exchange& exchange, ModelChoice choice,
                            const std::string& task, std::optional<KeepAlive> keep_alive) {
  take_default_engine(services, choice);
  LeaseRequest wanted;
  wanted.placement = place_text_model(choice, task, *services.registry.snapshot(), services.models());
  wanted.keep_alive = keep_alive;
  note_placement(exchange, wanted.placement);
  return in_pool(
      exchange, [&] { return services.pool.lend(wanted, exchange.cancelled(), {}, nullptr); },
      [](const LeaseReport& report) { return report; });
}

std::string answering_model(const Placement& placement) {
  return placement.model ? name_of(placement.model) : "+" + placement.engine;
}

}  // namespace roundhouse::host
