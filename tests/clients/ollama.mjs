// SPDX-License-Identifier: Apache-2.0
// The official JavaScript client of Ollama against a running daemon: node ollama.mjs http://127.0.0.1:PORT
// Ends with status 0 when everything is as that client's users expect it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Ollama } from "ollama";

const host = process.argv[2];
const client = new Ollama({ host });
const model = "pocket-turbo";

async function refused(promise, status, text) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.status_code ?? status, status, `${error}`);
    assert.match(error.error ?? error.message, text);
    return;
  }
  assert.fail(`expected a refusal with ${text}`);
}

const isPng = (base64) =>
  Buffer.from(base64, "base64").subarray(0, 8).equals(Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]));

async function listing() {
  const { models } = await client.list();
  const found = models.find((entry) => entry.name === `${model}:latest`);
  assert.ok(found, `no ${model} among ${models.map((entry) => entry.name)}`);
  assert.match(found.digest, /^[0-9a-f]{64}$/);
  assert.ok(found.size > 1_000_000);
  assert.ok(!Number.isNaN(Date.parse(found.modified_at)));
  assert.equal(found.details.format, "safetensors");
  const shown = await client.show({ model });
  assert.deepEqual(shown.capabilities, ["image"]);
  assert.match(shown.parameters, /^steps 8$/m);
  assert.ok(shown.model_info["general.architecture"]);
  await refused(client.show({ model: "nobody" }), 404, /model "nobody" not found/);
  await refused(client.show({ model: "../../etc/passwd" }), 400, /is not a model name/);
}

// Images: the same seed gives the same image, streamed or not, and every line comes whole.
async function images() {
  const wish = { model, prompt: "a red mushroom", width: 64, height: 64, options: { seed: 7 } };
  const whole = await client.generate({ ...wish, stream: false });
  assert.ok(whole.done && isPng(whole.image));
  assert.ok(whole.total_duration > 0 && whole.eval_count === 8);
  const seen = [];
  let last;
  for await (const part of await client.generate({ ...wish, stream: true })) {
    if (!part.done) seen.push([part.completed, part.total]);
    last = part;
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8].map((step) => [step, 8]));
  assert.equal(last.done_reason, "stop");
  assert.equal(last.image, whole.image);
  const named = await client.generate({ ...wish, model: `${model}+reference`, steps: 1, stream: false });
  assert.equal(named.engine, "reference");
}

async function loading() {
  const loaded = await client.generate({ model, prompt: "", keep_alive: "5m", stream: false });
  assert.equal(loaded.done_reason, "load");
  const { models } = await client.ps();
  const running = models.find((entry) => entry.name === `${model}:latest`);
  assert.ok(running && Date.parse(running.expires_at) > Date.now());
  const gone = await client.generate({ model, prompt: "", keep_alive: 0, stream: false });
  assert.equal(gone.done_reason, "unload");
  const left = (await client.ps()).models.filter((entry) => entry.name === `${model}:latest` && entry.engine !== "reference");
  assert.deepEqual(left, []);
}

async function text() {
  await refused(client.chat({ model, messages: [{ role: "user", content: "hello" }] }), 422, /text-generation/);
  await refused(client.embed({ model, input: "hello" }), 422, /embedding/);
  await refused(client.generate({ model: "nobody", prompt: "x", stream: false }), 404, /model "nobody" not found/);
}

// A client that goes away stops the work that is done for it.
async function abort() {
  const stream = await client.generate({ model: "pocket-base", prompt: "a castle", steps: 50, width: 512, height: 512, stream: true });
  await assert.rejects(async () => {
    for await (const part of stream) {
      assert.ok(!part.done);
      stream.abort();
    }
  }, { name: "AbortError" });
  for (let tries = 0; ; ++tries) {
    const { models } = await client.ps();
    if (models.every((entry) => entry.state !== "busy")) break;
    assert.ok(tries < 600, "the daemon still works for a client that has gone");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function names() {
  await refused(client.copy({ source: "nobody", destination: "somebody" }), 404, /not found/);
  await refused(client.delete({ model: "nobody" }), 404, /not found/);
  const blob = Buffer.from("not a model");
  const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;
  const address = `${host}/api/blobs/${digest}`;
  assert.equal((await fetch(address, { method: "HEAD" })).status, 404);
  assert.equal((await fetch(address, { method: "POST", body: blob })).status, 201);
  assert.equal((await fetch(address, { method: "HEAD" })).status, 200);
  assert.equal((await fetch(address, { method: "POST", body: "something else" })).status, 400);
}

// A model of another with defaults of its own, under names that come and go.
async function creation() {
  const lines = [];
  for await (const line of await client.create({ model: "mine", from: model, parameters: { steps: 4 }, system: "be brief", stream: true }))
    lines.push(line.status);
  assert.equal(lines.at(-1), "success");
  assert.ok(lines.some((line) => line.startsWith("using existing layer")));
  const shown = await client.show({ model: "mine" });
  assert.match(shown.parameters, /^steps 4$/m);
  assert.equal(shown.system, "be brief");
  await client.copy({ source: "mine", destination: "mine:too" });
  await client.delete({ model: "mine" });
  await refused(client.show({ model: "mine" }), 404, /not found/);
  const image = await client.generate({ model: "mine:too", prompt: "a boat", width: 64, height: 64, stream: false });
  assert.equal(image.eval_count, 4);
  await client.delete({ model: "mine:too" });
  await refused(client.create({ model: "x", from: model, parameters: { mirostat: 1 } }), 400, /mirostat/);
  await refused(client.create({ model: "x", from: "nobody" }), 404, /model "nobody" not found/);
}

const version = await client.version();
assert.match(version.version, /^\d+\.\d+\.\d+/);
assert.equal(await (await fetch(host)).text(), "Ollama is running");
for (const part of [listing, images, loading, text, abort, names, creation]) {
  await part();
  console.log(`${part.name}: as expected`);
}
