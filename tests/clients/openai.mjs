// SPDX-License-Identifier: Apache-2.0
// OpenAI's own client against the daemon: node openai.mjs http://127.0.0.1:PORT
import { File } from "node:buffer";
import assert from "node:assert/strict";
import OpenAI, { BadRequestError, NotFoundError, UnprocessableEntityError } from "openai";
import { eventually, generated, pngOfText, readPng, run, samePixels } from "./common.mjs";

globalThis.File ??= File; // node 18 has it, but not everywhere
const url = process.argv[2];
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const prompt = "a red mushroom on green grass at night";
const small = { prompt, size: "64x64", steps: 2, seed: 7 };
const png64 = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const file = () => new globalThis.File([png64], "one.png", { type: "image/png" });

const generatedSmall = (...words) =>
  generated(prompt, "--width", "64", "--height", "64", ...(words.includes("--steps") ? [] : ["--steps", "2"]), "--seed", "7", ...words);

// The promise fails with that class and code; the error it failed with.
async function refused(promise, kind, code, param) {
  const error = await promise.then(
    () => assert.fail(`expected ${kind.name} ${code}`),
    (failure) => failure,
  );
  assert.ok(error instanceof kind, `${error.constructor.name}, expected ${kind.name}: ${error}`);
  assert.equal(error.code, code, `${error}`);
  if (param !== undefined) assert.equal(error.param, param, `${error}`);
  assert.ok(error.headers.get("x-request-id"));
  return error;
}

async function models() {
  const ids = [];
  for await (const model of client.models.list()) {
    assert.equal(model.object, "model");
    assert.ok(Number.isInteger(model.created) && model.created > 0);
    ids.push(model.id);
  }
  assert.ok(ids.includes("pocket-turbo") && ids.includes("pocket-base"), `${ids}`);
  assert.ok(!ids.includes("z-image"), "a model without files is no model to choose");
  assert.equal((await client.models.retrieve("pocket-base")).id, "pocket-base");
  assert.equal((await client.models.retrieve("pocket-base+reference")).root, "pocket-base");
  assert.equal((await client.models.retrieve("dall-e-3")).root, "pocket-turbo");
  for (const id of ["nobody", "some/body", "some/body:tag", "pocket-turbo:other", "a b?c#d"])
    await refused(client.models.retrieve(id), NotFoundError, "model_not_found", "model");
  await refused(client.models.retrieve("pocket-base+nobody"), NotFoundError, "engine_not_found", "engine");
}

async function imageAsText() {
  const { data: answer, response } = await client.images
    .generate({ ...small, model: "pocket-turbo", response_format: "b64_json" })
    .withResponse();
  assert.equal(answer.data.length, 1);
  assert.equal(answer.size, "64x64");
  assert.equal(answer.output_format, "png");
  assert.equal(answer.model, "pocket-turbo");
  assert.equal(answer.data[0].seed, 7);
  assert.ok(Math.abs(answer.created - Date.now() / 1000) < 600);
  assert.equal(response.headers.get("x-roundhouse-engine"), answer.engine);
  assert.equal(response.headers.get("x-roundhouse-model"), "pocket-turbo");
  const image = pngOfText(answer.data[0].b64_json);
  samePixels(image, generatedSmall()[0], "through generate");
  assert.match(image.texts.parameters, /Steps: 2, .*Seed: 7, Size: 64x64, Model: pocket-turbo/);
}

async function severalImages() {
  const answer = await client.images.generate({ ...small, n: 2 });
  assert.equal(answer.data.length, 2);
  assert.deepEqual(answer.data.map((entry) => entry.seed), [7, 8]);
  const expected = generatedSmall("--num-images", "2");
  answer.data.forEach((entry, i) => samePixels(pngOfText(entry.b64_json), expected[i], `image ${i}`));
}

async function imageByAddress() {
  const answer = await client.images.generate({ ...small, response_format: "url" });
  const address = answer.data[0].url;
  assert.match(address, new RegExp(`^${url}/v1/images/files/[0-9a-f]{32}\\.png$`));
  assert.equal(answer.data[0].b64_json, undefined);
  const response = await fetch(address);
  assert.equal(response.headers.get("content-type"), "image/png");
  samePixels(readPng(Buffer.from(await response.arrayBuffer())), generatedSmall()[0], "by address");
  assert.equal((await fetch(`${url}/v1/images/files/${"0".repeat(32)}.png`)).status, 404);
}

async function modelsThatClientsAskForByThemselves() {
  const answer = await client.images.generate({ ...small, model: "dall-e-3", quality: "hd", style: "vivid" });
  assert.ok(answer.data[0].url, "by address, as that model answers");
  assert.equal(answer.model, "pocket-turbo");
  assert.match(answer.notes.join(), /'dall-e-3' is OpenAI's; 'pocket-turbo' took its place/);
  const other = await client.images.generate({ ...small, model: "gpt-image-1", moderation: "low", user: "me" });
  assert.ok(other.data[0].b64_json, "as text, as that model answers");
}

async function engineByFieldAndSuffix() {
  const field = await client.images.generate({ ...small, engine: "reference" });
  const suffix = await client.images.generate({ ...small, model: "pocket-turbo+reference" });
  assert.equal(field.engine, "reference");
  assert.equal(suffix.engine, "reference");
  const expected = generatedSmall("--engine", "reference")[0];
  samePixels(pngOfText(field.data[0].b64_json), expected, "engine");
  samePixels(pngOfText(suffix.data[0].b64_json), expected, "suffix");
  await refused(
    client.images.generate({ ...small, model: "pocket-turbo+reference", engine: "openblas" }),
    BadRequestError,
    "invalid_argument",
    "model",
  );
}

async function quality() {
  const { seed, ...rest } = small;
  delete rest.steps;
  const steps = async (word) => (await client.images.generate({ ...rest, seed, quality: word })).steps;
  assert.equal(await steps("low"), 4);
  assert.equal(await steps("auto"), 8);
  assert.equal(await steps("high"), 12);
}

async function streamed(request) {
  const events = [];
  for await (const event of await client.images.generate({ ...request, stream: true })) events.push(event);
  for (const event of events) {
    assert.equal(event.size, "64x64");
    assert.ok(pngOfText(event.b64_json).width > 0);
  }
  return events;
}

async function streamWithPartialImages() {
  // An engine that needs no model, and makes previews.
  const events = await streamed({ ...small, model: "+testcard", steps: 8, n: 2, partial_images: 2 });
  const expected = ["partial_image", "partial_image", "completed", "partial_image", "partial_image", "completed"];
  assert.deepEqual(events.map((event) => event.type), expected.map((type) => `image_generation.${type}`));
  assert.deepEqual(events.map((event) => event.partial_image_index), [0, 1, undefined, 0, 1, undefined]);
  assert.equal(events[0].engine, "testcard");
  assert.equal(events[2].usage.total_tokens, 0);
  const images = generatedSmall("--engine", "testcard", "--steps", "8", "--num-images", "2");
  samePixels(pngOfText(events[2].b64_json), images[0], "first of a stream");
  samePixels(pngOfText(events[5].b64_json), images[1], "second of a stream");
}

async function streamOfAModel() {
  // Not every engine makes previews: there may be fewer than were asked for.
  const events = await streamed({ ...small, partial_images: 1 });
  assert.ok(events.length <= 2);
  assert.equal(events.at(-1).type, "image_generation.completed");
  samePixels(pngOfText(events.at(-1).b64_json), generatedSmall()[0], "streamed");
}

async function streamOnTheWire() {
  const response = await fetch(`${url}/v1/images/generations`, {
    method: "POST",
    body: JSON.stringify({ ...small, stream: true }),
  });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const text = await response.text();
  assert.match(text, /^event: image_generation\.completed\ndata: \{.*\}\n\n$/);
}

async function abortInMidStream() {
  const health = async () => (await fetch(`${url}/health`)).json();
  const stopper = new AbortController();
  const events = await client.images.generate(
    { prompt, size: "256x256", steps: 50, engine: "reference", stream: true, partial_images: 1 },
    { signal: stopper.signal },
  );
  await eventually("the image is at work", async () => (await health()).active === 1);
  stopper.abort();
  for await (const event of events) assert.fail(`after the abort came ${event.type}`);
  await eventually("the worker stops", async () => (await health()).active === 0);
  await client.images.generate(small);
}

async function mistakes() {
  const generate = (extra) => client.images.generate({ ...small, ...extra });
  await refused(client.images.generate({ size: "64x64" }), BadRequestError, "invalid_argument", "prompt");
  for (const [extra, param] of [
    [{ n: 0 }, "n"],
    [{ n: 11 }, "n"],
    [{ n: "two" }, "n"],
    [{ size: "64" }, "size"],
    [{ size: "64x64x64" }, "size"],
    [{ size: "-64x64" }, "size"],
    [{ quality: "best" }, "quality"],
    [{ output_format: "gif" }, "output_format"],
    [{ response_format: "gif" }, "response_format"],
    [{ partial_images: 4 }, "partial_images"],
    [{ stream: "yes" }, "stream"],
    [{ steps: 51 }, "steps"],
    [{ guidance: -1 }, "guidance"],
    [{ prompt: " " }, "prompt"],
    [{ prompt: 5 }, "prompt"],
    [{ seed: 1.5 }, "seed"],
    [{ model: "pocket-turbo+" }, "model"],
  ])
    await refused(generate(extra), BadRequestError, "invalid_argument", param);
  await refused(generate({ model: "pocket-turbo", size: "1000x64" }), BadRequestError, "invalid_dimension", "size");
  await refused(generate({ model: "nobody" }), NotFoundError, "model_not_found", "model");
  await refused(generate({ engine: "nobody" }), NotFoundError, "engine_not_found", "engine");
  await refused(generate({ sampler: "nobody" }), BadRequestError, "invalid_argument", "sampler");
  await refused(client.post("/images/generations", { body: [1] }), BadRequestError, "invalid_argument");
  await refused(client.get("/nothing/here"), NotFoundError, "invalid_argument");
  const error = await refused(generate({ n: 11, stream: true }), BadRequestError, "invalid_argument", "n");
  assert.equal(error.type, "invalid_request_error");
  assert.equal(error.error.error_code, "INVALID_ARGUMENT");
}

async function unknownFieldsAreIgnored() {
  const answer = await client.images.generate({ ...small, background: "auto", something: { new: 1 }, n: null });
  assert.equal(answer.background, "opaque");
}

async function imagesFromImages() {
  const edit = (extra) => client.images.edit({ image: file(), prompt, size: "64x64", ...extra });
  const settings = { seed: 7, steps: 4, strength: 0.5 };
  const answer = await edit(settings);
  assert.equal(answer.size, "64x64");
  const image = pngOfText(answer.data[0].b64_json);
  assert.match(image.texts.parameters, /Denoising strength: 0.5/);
  samePixels(pngOfText((await edit(settings)).data[0].b64_json), image, "again");
  const webp = await edit({ ...settings, output_format: "webp", n: 2 });
  assert.equal(webp.output_format, "webp");
  assert.equal(webp.data.length, 2);
  await refused(edit({ image: [file(), file()], n: 2 }), UnprocessableEntityError, "capability_unsupported");
  assert.match(pngOfText((await edit({ ...settings, mask: file() })).data[0].b64_json).texts.parameters, /Mask: yes/);
  const words = new globalThis.File(["words"], "a.png");
  await refused(edit({ mask: words }), BadRequestError, "invalid_argument", "mask");
  await refused(edit({ strength: 1.5 }), BadRequestError, "invalid_argument", "strength");
  await refused(edit({ n: 11 }), BadRequestError, "invalid_argument", "n");
  await refused(edit({ model: "nobody" }), NotFoundError, "model_not_found");
  await refused(edit({ image: new globalThis.File(["text"], "a.png") }), BadRequestError, "invalid_argument", "image");
  const varied = await client.images.createVariation({ image: file(), size: "64x64", response_format: "b64_json" });
  assert.equal(varied.data.length, 1);
  const response = await fetch(`${url}/v1/images/edits`, { method: "POST", body: "{}" });
  assert.equal(response.status, 415);
}

// An image model writes nothing; text.mjs has what does.
async function text() {
  const model = "pocket-turbo";
  const messages = [{ role: "user", content: "hello" }];
  await refused(client.chat.completions.create({ model, messages }), UnprocessableEntityError, "capability_unsupported");
  await refused(
    client.chat.completions.create({ model, messages, stream: true }),
    UnprocessableEntityError,
    "capability_unsupported",
  );
  await refused(client.chat.completions.create({ model: "gpt-4o", messages }), NotFoundError, "model_not_found", "model");
  await refused(client.chat.completions.create({ model, messages: [] }), BadRequestError, "invalid_argument", "messages");
  await refused(
    client.chat.completions.create({ model, messages: [{ role: "king", content: "" }] }),
    BadRequestError,
    "invalid_argument",
    "messages[0].role",
  );
  await refused(
    client.chat.completions.create({ model, messages, temperature: 3 }),
    BadRequestError,
    "invalid_argument",
    "temperature",
  );
  await refused(client.completions.create({ model, prompt: "once" }), UnprocessableEntityError, "capability_unsupported");
  // The client asks for base64 by itself here and would decode whatever came.
  await refused(client.embeddings.create({ model, input: "hello" }), UnprocessableEntityError, "capability_unsupported");
  await refused(client.embeddings.create({ model, input: [] }), BadRequestError, "invalid_argument", "input");
}

await run([
  models,
  imageAsText,
  severalImages,
  imageByAddress,
  modelsThatClientsAskForByThemselves,
  engineByFieldAndSuffix,
  quality,
  streamWithPartialImages,
  streamOfAModel,
  streamOnTheWire,
  abortInMidStream,
  mistakes,
  unknownFieldsAreIgnored,
  imagesFromImages,
  text,
]);
