// SPDX-License-Identifier: Apache-2.0
// Texts and vectors by the clients of three protocols, from the test card's echo, which says what the last
// message says: node text.mjs http://127.0.0.1:PORT
import Anthropic from "@anthropic-ai/sdk";
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { run } from "./common.mjs";

const url = process.argv[2];
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
const ollama = new Ollama({ host: url });
const model = "+testcard";
const words = "one two three four five";
const messages = [{ role: "user", content: words }];
const greedy = { temperature: 0 };

async function openaiChat() {
  const answer = await openai.chat.completions.create({ model, messages, ...greedy });
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.choices[0].message.role, "assistant");
  assert.equal(answer.choices[0].message.content, words);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens >= 5);
  const short = await openai.chat.completions.create({ model, messages, ...greedy, max_tokens: 2 });
  assert.equal(short.choices[0].finish_reason, "length");
  assert.equal(short.choices[0].message.content, "one two");
  const stopped = await openai.chat.completions.create({ model, messages, ...greedy, stop: ["ee f"] });
  assert.equal(stopped.choices[0].message.content, "one two thr");
  assert.equal(stopped.choices[0].finish_reason, "stop");
  const parts = [{ role: "user", content: [{ type: "text", text: "a " }, { type: "text", text: "b" }] }];
  assert.equal((await openai.chat.completions.create({ model, messages: parts, ...greedy })).choices[0].message.content, "a b");
  const three = await openai.chat.completions.create({ model, messages, n: 3, seed: 5, temperature: 1 });
  assert.deepEqual(three.choices.map((choice) => choice.index), [0, 1, 2]);
  for (const [i, choice] of three.choices.entries()) {
    const alone = await openai.chat.completions.create({ model, messages, seed: 5 + i, temperature: 1 });
    assert.equal(alone.choices[0].message.content, choice.message.content, "answer i is that of seed + i");
  }
}

async function openaiStream() {
  const stream = await openai.chat.completions.create({
    model,
    messages,
    ...greedy,
    stream: true,
    stream_options: { include_usage: true },
    logprobs: true,
    top_logprobs: 1,
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const choices = chunks.filter((chunk) => chunk.choices.length > 0).map((chunk) => chunk.choices[0]);
  assert.equal(choices[0].delta.role, "assistant");
  assert.equal(choices.map((choice) => choice.delta.content ?? "").join(""), words);
  assert.equal(choices.at(-1).finish_reason, "stop");
  assert.ok(choices.slice(0, -1).every((choice) => choice.finish_reason === null));
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.ok(chunks.at(-1).usage.completion_tokens >= 5);
  const tokens = choices.flatMap((choice) => choice.logprobs?.content ?? []);
  assert.equal(tokens.length, chunks.at(-1).usage.completion_tokens);
  assert.equal(tokens.map((token) => token.token).join(""), words);
}

async function openaiCompletions() {
  const answer = await openai.completions.create({ model, prompt: ["a b", "c d"], ...greedy, echo: true });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  assert.ok(answer.choices[0].text.startsWith("a b"));
  const stream = await openai.completions.create({ model, prompt: words, ...greedy, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
  assert.equal(text, (await openai.completions.create({ model, prompt: words, ...greedy })).choices[0].text);
  await assert.rejects(openai.completions.create({ model, prompt: [1, 2] }), { status: 422 });
  await assert.rejects(openai.completions.create({ model, prompt: "x", suffix: "y" }), { status: 422 });
}

async function openaiEmbeddings() {
  // The client asks for base64 by itself; the two forms have to be the same numbers.
  const packed = await openai.embeddings.create({ model, input: ["one", "two"] });
  const plain = await openai.embeddings.create({ model, input: ["one", "two"], encoding_format: "float" });
  assert.deepEqual(packed.data.map((one) => one.index), [0, 1]);
  for (const i of [0, 1]) {
    assert.equal(packed.data[i].embedding.length, plain.data[i].embedding.length);
    plain.data[i].embedding.forEach((value, k) => assert.equal(Math.fround(value), packed.data[i].embedding[k]));
    const length = Math.hypot(...plain.data[i].embedding);
    assert.ok(Math.abs(length - 1) < 1e-5, `${length}`);
  }
  assert.ok(packed.usage.prompt_tokens > 0);
  const short = await openai.embeddings.create({ model, input: "one", dimensions: 8 });
  assert.equal(short.data[0].embedding.length, 8);
  await assert.rejects(openai.embeddings.create({ model, input: [[1, 2]] }), { status: 422 });
}

async function openaiResponses() {
  const first = await openai.responses.create({ model, input: words, ...greedy });
  assert.equal(first.status, "completed");
  assert.equal(first.output_text, words);
  assert.equal(first.usage.total_tokens, first.usage.input_tokens + first.usage.output_tokens);
  const next = await openai.responses.create({ model, input: "and then", previous_response_id: first.id, ...greedy });
  assert.equal(next.output_text, "and then");
  assert.equal((await openai.responses.retrieve(first.id)).output_text, words);
  assert.equal((await openai.responses.inputItems.list(first.id)).data[0].content, words);
  await openai.responses.delete(first.id);
  await assert.rejects(openai.responses.retrieve(first.id), { status: 404 });
  await assert.rejects(openai.responses.create({ model, input: "x", previous_response_id: first.id }), { status: 404 });
  const cut = await openai.responses.create({ model, input: words, max_output_tokens: 2, store: false, ...greedy });
  assert.equal(cut.status, "incomplete");
  assert.equal(cut.incomplete_details.reason, "max_output_tokens");
  await assert.rejects(openai.responses.retrieve(cut.id), { status: 404 });
  const kinds = [];
  let text = "";
  const stream = await openai.responses.create({ model, input: [{ role: "user", content: [{ type: "input_text", text: words }] }], stream: true, ...greedy });
  for await (const event of stream) {
    assert.equal(event.sequence_number, kinds.length);
    kinds.push(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  assert.equal(text, words);
  assert.deepEqual(kinds.slice(0, 4), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
  ]);
  assert.deepEqual(kinds.slice(-4), [
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  await assert.rejects(openai.responses.create({ model, input: "x", tools: [{ type: "web_search" }] }), { status: 422 });
}

async function openaiRefusals() {
  const wrong = (fields) => openai.chat.completions.create({ model, messages, ...fields });
  await assert.rejects(wrong({ tool_choice: "required", tools: [] }), { status: 422 });
  await assert.rejects(wrong({ response_format: { type: "json_schema" } }), { status: 400 });
  await assert.rejects(wrong({ logit_bias: { x: 1 } }), { status: 400 });
  await assert.rejects(wrong({ top_logprobs: 3 }), { status: 400 });
  await assert.rejects(wrong({ tools: [{ type: "function" }] }), { status: 400 });
  await assert.rejects(wrong({ top_k: -1 }), { status: 400 });
  const image = [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }] }];
  await assert.rejects(openai.chat.completions.create({ model, messages: image }), { status: 422, message: /image_url/ });
}

async function anthropicMessage() {
  const asked = { model, max_tokens: 100, messages, ...greedy };
  const answer = await anthropic.messages.create(asked);
  assert.equal(answer.type, "message");
  assert.deepEqual(answer.content, [{ type: "text", text: words }]);
  assert.equal(answer.stop_reason, "end_turn");
  assert.ok(answer.usage.input_tokens + answer.usage.cache_read_input_tokens > 0);
  const stopped = await anthropic.messages.create({ ...asked, stop_sequences: ["zz", " three"] });
  assert.equal(stopped.stop_reason, "stop_sequence");
  assert.equal(stopped.stop_sequence, " three");
  assert.equal(stopped.content[0].text, "one two");
  assert.equal((await anthropic.messages.create({ ...asked, max_tokens: 1 })).stop_reason, "max_tokens");
  const counted = await anthropic.messages.countTokens({ model, messages });
  assert.equal(counted.input_tokens, answer.usage.input_tokens + answer.usage.cache_read_input_tokens);
  const kinds = [];
  const stream = anthropic.messages.stream({ ...asked, system: [{ type: "text", text: "Be brief." }] });
  stream.on("streamEvent", (event) => kinds.push(event.type));
  const whole = await stream.finalMessage();
  assert.equal(whole.content[0].text, words);
  assert.equal(kinds[0], "message_start");
  assert.deepEqual(kinds.slice(-3), ["content_block_stop", "message_delta", "message_stop"]);
  assert.ok(whole.usage.output_tokens >= 5);
  await assert.rejects(anthropic.messages.create({ ...asked, model: "nobody" }), { status: 404 });
  await assert.rejects(anthropic.messages.create({ ...asked, max_tokens: undefined }), { status: 400 });
  const failure = await fetch(`${url}/v1/messages`, { method: "POST", body: "{}" });
  assert.equal((await failure.json()).error.type, "invalid_request_error");
}

async function anthropicTools() {
  const tools = [{ name: "clock", description: "The time", input_schema: { type: "object", properties: {} } }];
  const said = [
    { role: "user", content: "what time is it" },
    { role: "assistant", content: [{ type: "text", text: "I look." }, { type: "tool_use", id: "t1", name: "clock", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "12:00" }, { type: "text", text: "thank you" }] },
  ];
  const answer = await anthropic.messages.create({ model, max_tokens: 50, messages: said, tools, ...greedy });
  assert.equal(answer.content[0].text, "thank you");
  await assert.rejects(
    anthropic.messages.create({ model, max_tokens: 5, messages, tools, tool_choice: { type: "any" } }),
    { status: 422 },
  );
}

async function ollamaTexts() {
  const chat = await ollama.chat({ model, messages, options: greedy });
  assert.equal(chat.message.content, words);
  assert.equal(chat.done_reason, "stop");
  assert.ok(chat.prompt_eval_count > 0 && chat.eval_count >= 5 && chat.total_duration > 0);
  let streamed = "";
  for await (const part of await ollama.chat({ model, messages, options: greedy, stream: true }))
    streamed += part.message.content;
  assert.equal(streamed, words);
  const short = await ollama.chat({ model, messages, options: { ...greedy, num_predict: 2 } });
  assert.equal(short.done_reason, "length");
  const { embeddings } = await ollama.embed({ model, input: ["one", "two"] });
  assert.equal(embeddings.length, 2);
  const old = await ollama.embeddings({ model, prompt: "one" });
  assert.deepEqual(old.embedding, embeddings[0]);
  await assert.rejects(ollama.chat({ model, messages: [{ role: "user", content: "x", images: ["AA=="] }] }), /images/);
  await assert.rejects(ollama.chat({ model, messages, format: "xml" }), /format/);
}

// Who goes away in the middle leaves nothing behind.
async function abort() {
  const long = [{ role: "user", content: "word ".repeat(8_000) }];
  for (let i = 0; i < 10; ++i) {
    const stream = await openai.chat.completions.create({ model, messages: long, ...greedy, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
    stream.controller.abort();
  }
  const answer = await openai.chat.completions.create({ model, messages, ...greedy });
  assert.equal(answer.choices[0].message.content, words);
}

async function sameTextBesideOthers() {
  const ask = (seed) => openai.chat.completions.create({ model, messages, seed, temperature: 1 });
  const alone = [];
  for (let seed = 0; seed < 8; ++seed) alone.push((await ask(seed)).choices[0].message.content);
  const together = await Promise.all(alone.map((_, seed) => ask(seed)));
  assert.deepEqual(together.map((answer) => answer.choices[0].message.content), alone);
}

async function counted() {
  const page = await (await fetch(`${url}/metrics`)).text();
  assert.match(page, /roundhouse_answer_tokens_total\{engine="testcard",model=""\} [1-9]/);
}

await run([
  openaiChat,
  openaiStream,
  openaiCompletions,
  openaiEmbeddings,
  openaiResponses,
  openaiRefusals,
  anthropicMessage,
  anthropicTools,
  ollamaTexts,
  abort,
  sameTextBesideOthers,
  counted,
]);
