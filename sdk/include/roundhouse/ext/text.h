/* SPDX-License-Identifier: Apache-2.0
 * rh.text/1: completion and chat. A model side extension (rh_model.get_extension).
 *
 * Why messages and not a prompt: the template belongs to the model, and so do the forms in which it writes
 * tool calls and reasoning. The engine renders the one and parses the others; a host never guesses them.
 *
 * Why lists as JSON text: messages, tools and response formats arrive as JSON in every dialect that clients
 * speak, and templates want them as such. A record for each of their members would age with every dialect.
 *
 * Why one request a call: an engine that answers several people at once says so by rh.concurrency/1, is then
 * called from as many threads, and batches the calls itself. The same request gives the same text, alone or
 * beside others, whatever was asked before: a seed means nothing otherwise. */
#ifndef ROUNDHOUSE_EXT_TEXT_H
#define ROUNDHOUSE_EXT_TEXT_H

#include "roundhouse/engine.h"

#define RH_TEXT_ID "rh.text/1"

/* UTF-8 of `bytes` bytes, which may hold zeros. Borrowed for the call. */
typedef struct rh_text_view {
  const char* text;
  uint64_t bytes;
} rh_text_view;

/* Of what a piece is a part. */
enum { RH_CHANNEL_ANSWER = 1, RH_CHANNEL_REASONING = 2, RH_CHANNEL_TOOL_CALL = 3 };

/* Why the text ended: by itself or by a stop string; at max_tokens or the end of the window; with calls of
 * tools that the caller has to answer. */
enum { RH_FINISH_STOP = 1, RH_FINISH_LENGTH = 2, RH_FINISH_TOOL_CALLS = 3 };

/* What happens when prompt and answer do not fit into the window: INVALID_ARGUMENT for a prompt that is too
 * long and RH_FINISH_LENGTH for an answer, or the oldest tokens behind the first `keep_tokens` are dropped.
 */
enum { RH_OVERFLOW_ERROR = 0, RH_OVERFLOW_SHIFT = 1 };

/* A bias is added to a token's logit before all else; -infinity forbids it. */
typedef struct rh_logit_bias {
  int32_t id;
  float bias;
} rh_logit_bias;

/* How the next token is chosen. Applied in this order: logit bias, repetition, presence and frequency
 * penalties, DRY, top_k, typical_p, top_p, min_p, temperature; or, with mirostat, temperature and mirostat
 * alone. */
typedef struct rh_sampling {
  uint32_t struct_size;
  /* 0 = no limit. */
  uint32_t top_k;
  /* Of the choices by chance. */
  uint64_t seed;
  /* 0 = greedy: the likeliest token, of equals the one with the lowest id. */
  double temperature;
  /* Nucleus; 1 = off. */
  double top_p;
  /* Of the likeliest token's probability; 0 = off. */
  double min_p;
  /* Locally typical sampling (Meister et al. 2022); 1 = off. */
  double typical_p;
  /* Divides positive and multiplies negative logits of tokens among the last repeat_last_n; 1 = off. */
  double repetition_penalty;
  /* Subtracted once from the logit of a token that is there, and once for each time; 0 = off. */
  double presence_penalty;
  double frequency_penalty;
  /* Tokens that the penalties and DRY look at, of prompt and answer; 0 = none, UINT32_MAX = all. */
  uint32_t repeat_last_n;
  /* DRY (p-e-w 2024): a token that would go on with a repetition of length n >= dry_allowed_length loses
   * dry_multiplier * dry_base^(n - dry_allowed_length). dry_multiplier 0 = off. */
  uint32_t dry_allowed_length;
  double dry_multiplier;
  double dry_base;
  /* Mirostat 2 (Basu et al. 2021): target surprise in bits and learning rate; mirostat_tau 0 = off. */
  double mirostat_tau;
  double mirostat_eta;
  /* May be NULL when bias_count is 0. */
  const rh_logit_bias* biases;
  uint32_t bias_count;
  uint32_t reserved;
} rh_sampling;

/* One answer. Borrowed for the call. */
typedef struct rh_text_request {
  uint32_t struct_size;
  /* At most so many tokens of answer; 0 = as the window allows. */
  uint32_t max_tokens;
  /* JSON array of {"role", "content", ...} as OpenAI's chat messages have them: content a string or a list of
   * parts, tool_calls, tool_call_id, reasoning_content. Or NULL, and `prompt` goes to the tokenizer as it is.
   */
  const char* messages;
  rh_text_view prompt;
  /* JSON array of tools as OpenAI's chat has them; NULL = none. */
  const char* tools;
  /* What the answer is held to: NULL, or one JSON object: {"type": "json_object"}, {"type": "json_schema",
   * "schema": {...}}, {"type": "regex", "pattern": ...}, {"type": "grammar", "grammar": ...} (GBNF). */
  const char* response_format;
  /* JSON object of further variables of the template, such as {"enable_thinking": false}; NULL = none. */
  const char* template_variables;
  /* Never NULL. */
  const rh_sampling* sampling;
  /* The answer ends before the first of them, and no part of one is ever sent. May be NULL when stop_count is
   * 0. */
  const rh_text_view* stops;
  uint32_t stop_count;
  /* The window in tokens that is used; 0 = the model's. */
  uint32_t window;
  /* RH_OVERFLOW_* */
  uint32_t overflow;
  uint32_t keep_tokens;
  /* Other than 0: pieces carry their tokens, with so many of the likeliest besides. */
  uint32_t tokens;
  uint32_t top_logprobs;
  /* May be NULL: none. An unknown one is RH_UNKNOWN_OPTION. */
  const rh_options* options;
} rh_text_request;

typedef struct rh_top_token {
  int32_t id;
  /* Natural, after the sampling's penalties and before its temperature; -infinity for a forbidden one. */
  float logprob;
  /* What the token stands for alone, maybe part of a character. */
  rh_text_view bytes;
} rh_top_token;

typedef struct rh_text_token {
  int32_t id;
  float logprob;
  rh_text_view bytes;
  /* The likeliest ones in falling order; may be NULL when top_count is 0. */
  const rh_top_token* top;
  uint32_t top_count;
  uint32_t reserved;
} rh_text_token;

/* A part of the answer: whole characters of UTF-8, maybe none. */
typedef struct rh_text_piece {
  uint32_t struct_size;
  /* RH_CHANNEL_* */
  uint32_t channel;
  rh_text_view text;
  /* Of RH_CHANNEL_TOOL_CALL: the function's name, in the first piece of each call; the texts of all its
   * pieces are the arguments as one JSON object. NULL otherwise. */
  const char* tool_name;
  /* The call's number: from 0, one after the other. */
  uint32_t tool_call;
  /* The tokens that became known with this piece, when the request asks for them. */
  uint32_t token_count;
  const rh_text_token* tokens;
} rh_text_piece;

/* Sent once, when the answer has ended. */
typedef struct rh_text_report {
  uint32_t struct_size;
  /* RH_FINISH_* */
  uint32_t finish;
  uint32_t prompt_tokens;
  /* Of prompt_tokens: those whose keys and values were there from an earlier request. */
  uint32_t cached_tokens;
  /* Tokens that were chosen, the one that ended the text included. */
  uint32_t answer_tokens;
  /* Index among the stops of the one that ended the text; UINT32_MAX = none. */
  uint32_t stop;
  /* From the first token that was computed to the end of the prompt, and from there to the end. */
  uint64_t prompt_ns;
  uint64_t answer_ns;
  /* Waited for others before the first token was computed. */
  uint64_t wait_ns;
} rh_text_report;

/* Where results go. Owned by the host, valid for the call. Only `prompt` may be NULL. */
typedef struct rh_text_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Non-zero: return RH_CANCELLED soon. Asked at least once a token and once per chunk of the prompt, and
   * ten times a second while the call waits for others.  [any-thread] */
  int32_t (*cancelled)(void* context);

  /* So many tokens of the prompt are read, of `tokens` in all.  [call-thread] */
  void (*prompt)(void* context, uint32_t done, uint32_t tokens);

  /* The next part. An error from here ends generate with that same error.  [call-thread] */
  rh_status (*piece)(void* context, const rh_text_piece* piece, rh_error* error);

  /* Exactly once per successful generate, behind all pieces.  [call-thread] */
  void (*report)(void* context, const rh_text_report* report);
} rh_text_sink;

/* Where a rendered prompt goes: its text, special tokens as the template writes them, and its ids. */
typedef struct rh_prompt_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;

  /* Exactly once per successful render. `ids` may be NULL when count is 0.  [call-thread] */
  void (*prompt)(void* context, rh_text_view text, const int32_t* ids, uint64_t count);
} rh_prompt_sink;

typedef struct rh_text {
  uint32_t struct_size;
  uint32_t reserved;

  /* Makes one answer. Returns RH_OK after sink->report was called, or an error.  [model-thread] */
  rh_status (*generate)(rh_model* model, const rh_text_request* request, const rh_text_sink* sink,
                        rh_error* error);

  /* What generate would read, and computes nothing.  [model-thread] */
  rh_status (*render)(rh_model* model, const rh_text_request* request, const rh_prompt_sink* sink,
                      rh_error* error);
} rh_text;

#endif
