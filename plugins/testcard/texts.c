/* SPDX-License-Identifier: Apache-2.0
 * rh.text/1 and rh.embedding/1 in plain C: answers with what the user said last, a word a token. At a
 * temperature above 0 the seed says with which word it begins.
 *
 * So that every kind of piece can be seen without a model: {"enable_thinking": true} among the variables of
 * the template brings a reasoning, and with tools "call NAME {...}" becomes a call of NAME with what follows.
 */
#define _POSIX_C_SOURCE 200809L /* a clock that nobody sets, strnlen */
#include "texts.h"

#include <math.h>
#include <stdlib.h>

#include "echo.h"
#include "messages.h"

enum { WINDOW = 8192, LONGEST_DELAY_MS = 1000 };

/* An answer on its way. Lives on the stack of generate. */
typedef struct echo_run {
  const rh_text_request* request;
  const rh_text_sink* sink;
  rh_error* error;
  echo_text said; /* by the user */
  int64_t delay_ms;
  rh_text_report report;
} echo_run;

/* ---- what both calls need ---- */

static rh_status read_options(const rh_text_request* request, int64_t* delay_ms, rh_error* error) {
  static const char* const known[] = {"delay_ms", NULL};
  const rh_status status = rh_check_options(request->options, known, "testcard", error);
  if (status != RH_OK) return status;
  const rh_option* delay = rh_find_option(request->options, known[0]);
  *delay_ms = 0;
  if (delay == NULL) return RH_OK;
  if (delay->type != RH_OPTION_INTEGER || delay->integer < 0 || delay->integer > LONGEST_DELAY_MS)
    return rh_fail(error, RH_INVALID_ARGUMENT, "option 'delay_ms': expected 0 to %d", LONGEST_DELAY_MS);
  *delay_ms = delay->integer;
  return RH_OK;
}

/* What the user said: `memory` is to be freed by the caller. */
static rh_status read_said(const rh_text_request* request, char** memory, echo_text* said, rh_error* error) {
  *memory = NULL;
  *said = (echo_text){request->prompt.text, (size_t)request->prompt.bytes};
  if (request->response_format != NULL)
    return rh_fail(error, RH_CAPABILITY_UNSUPPORTED, "the test card follows no response_format");
  if (request->messages == NULL) return RH_OK;
  *memory = malloc(strlen(request->messages) + 1);
  if (*memory == NULL) return rh_fail(error, RH_OUT_OF_MEMORY, "no memory for the messages");
  *said = (echo_text){*memory, last_user_message(request->messages, *memory)};
  return RH_OK;
}

/* Refuses, or drops the oldest words. */
static rh_status fit_window(const rh_text_request* request, echo_text* said, uint32_t* words,
                            rh_error* error) {
  const uint32_t window = request->window == 0 ? WINDOW : request->window;
  *words = echo_count(*said);
  if (*words <= window) return RH_OK;
  if (request->overflow != RH_OVERFLOW_SHIFT)
    return rh_fail(error, RH_INVALID_ARGUMENT, "the prompt has %u tokens, expected at most %u", *words,
                   window);
  const size_t dropped = echo_place(*said, *words - window);
  *said = (echo_text){said->text + dropped, said->bytes - dropped};
  *words = window;
  return RH_OK;
}

/* ---- generate ---- */

static rh_status cancelled(const echo_run* run) {
  if (run->sink->cancelled(run->sink->context) == 0) return RH_OK;
  return rh_fail(run->error, RH_CANCELLED, "cancelled after %u tokens", run->report.answer_tokens);
}

static rh_status wait_a_while(const echo_run* run) {
  rh_status status = cancelled(run);
  for (int64_t left = run->delay_ms; status == RH_OK && left > 0; left -= 10) {
    const struct timespec pause = {0, (long)(left < 10 ? left : 10) * 1000000L};
    nanosleep(&pause, NULL);
    status = cancelled(run);
  }
  return status;
}

static rh_status send(echo_run* run, const rh_text_piece* piece) {
  return run->sink->piece(run->sink->context, piece, run->error);
}

/* A word of the answer, of which the first `bytes` bytes are sent. */
static rh_status send_word(echo_run* run, echo_text word, size_t bytes) {
  const rh_text_view stands_for = {word.text, word.bytes};
  const rh_top_token likeliest = {echo_id(word), 0, stands_for};
  const uint32_t others = run->request->top_logprobs > 0 ? 1 : 0;
  const rh_text_token token = {likeliest.id, 0, stands_for, others > 0 ? &likeliest : NULL, others, 0};
  rh_text_piece piece = {sizeof piece, RH_CHANNEL_ANSWER, {word.text, bytes}, NULL, 0, 0, NULL};
  if (run->request->tokens != 0) {
    piece.token_count = 1;
    piece.tokens = &token;
  }
  ++run->report.answer_tokens;
  return send(run, &piece);
}

/* Where the first stop begins in the answer, at or behind `from`; which one, as the report says. */
static size_t find_stop(const rh_text_request* request, echo_text answer, uint32_t* stop) {
  for (size_t at = 0; at < answer.bytes; ++at) {
    for (uint32_t i = 0; i < request->stop_count; ++i) {
      const size_t bytes = (size_t)request->stops[i].bytes;
      if (bytes > answer.bytes - at || memcmp(answer.text + at, request->stops[i].text, bytes) != 0) continue;
      *stop = i;
      return at;
    }
  }
  return answer.bytes;
}

/* The user's words from word `first` on, then those before it. `memory` has room for one byte more. */
static echo_text turned(echo_text said, uint32_t first, char* memory) {
  size_t place = echo_place(said, first);
  echo_text answer = {memory, said.bytes - place};
  memcpy(memory, said.text + place, answer.bytes);
  if (place == 0) return answer;
  memory[answer.bytes] = ' ';
  memcpy(memory + answer.bytes + 1, said.text, place);
  answer.bytes += place + 1;
  return answer;
}

static rh_status send_answer(echo_run* run, echo_text answer, uint32_t most) {
  const size_t end = find_stop(run->request, answer, &run->report.stop);
  rh_status status = RH_OK;
  size_t at = 0;
  while (status == RH_OK && at < end && run->report.answer_tokens < most) {
    const echo_text word = echo_word(answer, at);
    status = wait_a_while(run);
    if (status == RH_OK) status = send_word(run, word, word.bytes < end - at ? word.bytes : end - at);
    at += word.bytes;
  }
  if (at < end) { /* too long to reach the stop, or the end */
    run->report.stop = UINT32_MAX;
    run->report.finish = RH_FINISH_LENGTH;
  }
  return status;
}

static rh_status send_reasoning(echo_run* run) {
  const char* const variables = run->request->template_variables;
  const char* const thinks = variables == NULL ? NULL : json_member(json_blank(variables), "enable_thinking");
  if (thinks == NULL || strncmp(thinks, "true", 4) != 0) return RH_OK;
  static const char thought[] = "I say what was said.";
  const rh_text_piece piece = {sizeof piece, RH_CHANNEL_REASONING, {thought, sizeof thought - 1}, NULL, 0, 0,
                               NULL};
  return send(run, &piece);
}

/* "call NAME {...}": whether it was one. */
static int send_call(echo_run* run, rh_status* status) {
  const echo_text said = run->said;
  if (run->request->tools == NULL || said.bytes < 8 || strncmp(said.text, "call ", 5) != 0) return 0;
  const echo_text word = echo_word(said, 5);
  char name[64];
  if (word.bytes >= sizeof name || word.bytes + 6 >= said.bytes) return 0;
  memcpy(name, word.text, word.bytes);
  name[word.bytes] = '\0';
  const size_t arguments = 5 + word.bytes + 1;
  const rh_text_piece piece = {
      sizeof piece, RH_CHANNEL_TOOL_CALL, {said.text + arguments, said.bytes - arguments}, name, 0, 0, NULL};
  run->report.answer_tokens = 1;
  run->report.finish = RH_FINISH_TOOL_CALLS;
  *status = send(run, &piece);
  return 1;
}

static rh_status answer(echo_run* run) {
  const rh_text_request* request = run->request;
  const uint32_t words = run->report.prompt_tokens;
  const uint32_t window = request->window == 0 ? WINDOW : request->window;
  const uint32_t room = request->overflow == RH_OVERFLOW_SHIFT ? UINT32_MAX : window - words;
  const uint32_t most = request->max_tokens == 0 || request->max_tokens > room ? room : request->max_tokens;
  if (run->sink->prompt != NULL && words > 0) run->sink->prompt(run->sink->context, words, words);
  rh_status status = send_reasoning(run);
  if (status != RH_OK || send_call(run, &status)) return status;
  char* const memory = malloc(run->said.bytes + 1);
  if (memory == NULL) return rh_fail(run->error, RH_OUT_OF_MEMORY, "no memory for the answer");
  const uint32_t first = request->sampling->temperature > 0 ? echo_first(request->sampling->seed, words) : 0;
  status = send_answer(run, turned(run->said, first, memory), most);
  free(memory);
  return status;
}

static rh_status write_text(rh_model* model, const rh_text_request* request, const rh_text_sink* sink,
                            rh_error* error) {
  (void)model;
  echo_run run = {request,   sink, error,
                  {NULL, 0}, 0,    {sizeof run.report, RH_FINISH_STOP, 0, 0, 0, UINT32_MAX, 0, 0, 0}};
  const uint64_t began = rh_now_ns();
  char* memory = NULL;
  rh_status status = read_options(request, &run.delay_ms, error);
  if (status == RH_OK) status = read_said(request, &memory, &run.said, error);
  if (status == RH_OK) status = fit_window(request, &run.said, &run.report.prompt_tokens, error);
  if (status == RH_OK) status = cancelled(&run);
  const uint64_t read = rh_now_ns();
  if (status == RH_OK) status = answer(&run);
  if (status == RH_OK) {
    run.report.prompt_ns = read - began;
    run.report.answer_ns = rh_now_ns() - read;
    sink->report(sink->context, &run.report);
  }
  free(memory);
  return status;
}

static rh_status render_text(rh_model* model, const rh_text_request* request, const rh_prompt_sink* sink,
                             rh_error* error) {
  (void)model;
  char* memory = NULL;
  int64_t delay_ms = 0;
  echo_text said = {NULL, 0};
  uint32_t words = 0;
  rh_status status = read_options(request, &delay_ms, error);
  if (status == RH_OK) status = read_said(request, &memory, &said, error);
  if (status == RH_OK) status = fit_window(request, &said, &words, error);
  int32_t* const ids = status == RH_OK ? malloc(((size_t)words + 1) * sizeof *ids) : NULL;
  if (status == RH_OK && ids == NULL) status = rh_fail(error, RH_OUT_OF_MEMORY, "no memory for the ids");
  if (status == RH_OK) {
    size_t at = 0;
    for (uint32_t i = 0; i < words; ++i) {
      const echo_text word = echo_word(said, at);
      ids[i] = echo_id(word);
      at += word.bytes;
    }
    const rh_text_view text = {said.text, said.bytes};
    sink->prompt(sink->context, text, ids, words);
  }
  free(ids);
  free(memory);
  return status;
}

const rh_text testcard_text = {sizeof testcard_text, 0, write_text, render_text};

/* ---- embed ---- */

static void normalise(float* values, uint32_t count) {
  double squares = 0;
  for (uint32_t i = 0; i < count; ++i)
    squares += (double)values[i] * (double)values[i];
  for (uint32_t i = 0; squares > 0 && i < count; ++i)
    values[i] = (float)((double)values[i] / sqrt(squares));
}

static rh_status embed_one(const rh_embedding_request* request, const rh_embedding_sink* sink, uint32_t index,
                           rh_error* error) {
  if (sink->cancelled(sink->context) != 0)
    return rh_fail(error, RH_CANCELLED, "cancelled after %u texts", index);
  echo_text text = {request->texts[index].text, (size_t)request->texts[index].bytes};
  uint32_t words = echo_count(text);
  if (words > WINDOW && request->truncate == 0)
    return rh_fail(error, RH_INVALID_ARGUMENT, "text %u has %u tokens, expected at most %d", index, words,
                   WINDOW);
  if (words > WINDOW) {
    text.bytes = echo_place(text, WINDOW);
    words = WINDOW;
  }
  float values[ECHO_WIDTH];
  echo_vector(text, values);
  const uint32_t width = request->dimensions == 0 ? ECHO_WIDTH : request->dimensions;
  if (request->normalise != 0 || request->dimensions != 0) normalise(values, width);
  const rh_vector vector = {sizeof vector, index, width, words, values};
  return sink->vector(sink->context, &vector, error);
}

static rh_status embed(rh_model* model, const rh_embedding_request* request, const rh_embedding_sink* sink,
                       rh_error* error) {
  (void)model;
  rh_status status = rh_check_options(request->options, NULL, "testcard", error);
  if (status == RH_OK && request->dimensions > ECHO_WIDTH)
    status = rh_fail(error, RH_INVALID_ARGUMENT, "dimensions: %u, expected at most %d", request->dimensions,
                     ECHO_WIDTH);
  for (uint32_t i = 0; status == RH_OK && i < request->count; ++i)
    status = embed_one(request, sink, i, error);
  return status;
}

const rh_embedding testcard_embedding = {sizeof testcard_embedding, 0, embed};
