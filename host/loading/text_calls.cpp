// SPDX-License-Identifier: Apache-2.0
#include "host/loading/text_calls.h"

#include "host/loading/embedding_watch.h"
#include "host/loading/text_watch.h"

namespace roundhouse::host {
namespace {

// Calls the plugin with the watch's sink, and looks at what came of it in the order that tells most.
template <class Watch, class Function>
void watched_call(const Plugin::Model& model, const char* name, Watch& watch, const Function& function) {
  const Answer answer =
      model.call(name, [&](rh_model* raw, rh_error* error) { return function(raw, watch.sink(), error); });
  watch.rethrow_refusal();
  answer.check();
  watch.check_complete();
}

}  // namespace

void write_text(const Plugin::Model& model, const rh_text_request& request, const rh_text_sink& sink) {
  const auto& text = model.extension<rh_text>(RH_TEXT_ID, "writes no text");
  TextWatch watch(model.engine_id(), request, sink);
  watched_call(model, "generate", watch, [&](rh_model* raw, const rh_text_sink* own, rh_error* error) {
    return text.generate(raw, &request, own, error);
  });
}

void render_prompt(const Plugin::Model& model, const rh_text_request& request, const rh_prompt_sink& sink) {
  const auto& text = model.extension<rh_text>(RH_TEXT_ID, "writes no text");
  PromptWatch watch(model.engine_id(), sink);
  watched_call(model, "render", watch, [&](rh_model* raw, const rh_prompt_sink* own, rh_error* error) {
    return text.render(raw, &request, own, error);
  });
}

void embed_texts(const Plugin::Model& model, const rh_embedding_request& request,
                 const rh_embedding_sink& sink) {
  const auto& embedding = model.extension<rh_embedding>(RH_EMBEDDING_ID, "makes no embeddings");
  EmbeddingWatch watch(model.engine_id(), request, sink);
  watched_call(model, "embed", watch, [&](rh_model* raw, const rh_embedding_sink* own, rh_error* error) {
    return embedding.embed(raw, &request, own, error);
  });
}

}  // namespace roundhouse::host
