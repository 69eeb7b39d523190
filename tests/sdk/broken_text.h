/* SPDX-License-Identifier: Apache-2.0
 * Texts and embeddings of the test card with one defect, for broken_plugin.c. */
#include "plugins/testcard/texts.h"

static const rh_text_sink* text_sink; /* of the host */

static int32_t relay_text_cancelled(void* context) {
  (void)context;
  return is("writes-on") ? 0 : text_sink->cancelled(text_sink->context);
}

static void relay_text_prompt(void* context, uint32_t done, uint32_t tokens) {
  (void)context;
  text_sink->prompt(text_sink->context, is("reads-half-the-prompt") ? done / 2 : done, tokens);
}

static rh_status relay_piece(void* context, const rh_text_piece* piece, rh_error* error) {
  (void)context;
  static uint32_t sent;
  rh_text_piece changed = *piece;
  if (is("sends-half-characters")) changed.text = (rh_text_view){"\xC3", 1};
  if (is("sends-other-channels")) changed.channel = 9;
  if (is("writes-unsteadily") && sent++ % 7 == 0) changed.text = (rh_text_view){"?", 1};
  const rh_status status = text_sink->piece(text_sink->context, &changed, error);
  return is("hides-the-pieces-error") ? RH_OK : status;
}

static void relay_report(void* context, const rh_text_report* report) {
  (void)context;
  rh_text_report changed = *report;
  if (is("reports-more-than-asked")) changed.answer_tokens = 1000;
  if (is("makes-no-report")) return;
  text_sink->report(text_sink->context, &changed);
}

static rh_status broken_text(rh_model* model, const rh_text_request* request, const rh_text_sink* sink,
                             rh_error* error) {
  text_sink = sink;
  const rh_text_sink relayed = {sizeof relayed,    0,           NULL,        relay_text_cancelled,
                                relay_text_prompt, relay_piece, relay_report};
  rh_text_request changed = *request;
  if (is("leaks-stops")) changed.stop_count = 0;
  return testcard_text.generate(model, &changed, &relayed, error);
}

static rh_status broken_render(rh_model* model, const rh_text_request* request, const rh_prompt_sink* sink,
                               rh_error* error) {
  rh_text_request changed = *request;
  if (is("renders-something-else")) changed.prompt.bytes /= 2;
  return testcard_text.render(model, &changed, sink, error);
}

static const rh_embedding_sink* vector_sink;

static int32_t relay_vector_cancelled(void* context) {
  (void)context;
  return vector_sink->cancelled(vector_sink->context);
}

static rh_status relay_vector(void* context, const rh_vector* vector, rh_error* error) {
  const uint32_t count = *(const uint32_t*)context;
  rh_vector changed = *vector;
  float values[4] = {1, 0, 0, 0};
  if (is("embeds-beside-others") && count > 1) changed.values = values;
  if (is("embeds-beside-others")) changed.width = 4;
  if (is("turns-vectors-round")) changed.index = count - 1 - vector->index;
  if (is("embeds-at-length-2")) values[0] = 2;
  if (is("embeds-at-length-2"))
    changed.values = values, changed.width = vector->width < 4 ? vector->width : 4;
  return vector_sink->vector(vector_sink->context, &changed, error);
}

static rh_status broken_embed(rh_model* model, const rh_embedding_request* request,
                              const rh_embedding_sink* sink, rh_error* error) {
  vector_sink = sink;
  uint32_t count = request->count;
  const rh_embedding_sink relayed = {sizeof relayed, 0, &count, relay_vector_cancelled, relay_vector};
  return testcard_embedding.embed(model, request, &relayed, error);
}
