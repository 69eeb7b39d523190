// SPDX-License-Identifier: Apache-2.0
// The official JavaScript client of Ollama fetches a model: node ollama_pull.mjs http://127.0.0.1:PORT NAME, where the
// daemon's hub has that model. Ends with status 0 when everything is as that client's users expect it.
import assert from "node:assert/strict";
import { Ollama } from "ollama";

const [host, model] = process.argv.slice(2);
const client = new Ollama({ host });

const listed = async () => (await client.list()).models.find((entry) => entry.name === `${model}:latest`);
assert.equal(await listed(), undefined, "it is here before");

// As the client's own examples draw it: one bar for each digest.
const bars = new Map();
let last;
for await (const part of await client.pull({ model, stream: true })) {
  if (part.digest) bars.set(part.digest, part);
  last = part.status;
}
assert.equal(last, "success");
assert.ok(bars.size > 5, `${bars.size} bars`);
for (const { digest, completed, total } of bars.values()) {
  assert.match(digest, /^[a-z0-9-]+:[0-9a-f]+$/);
  assert.equal(completed, total, digest);
}
assert.match((await listed()).digest, /^[0-9a-f]{64}$/);
assert.equal((await client.pull({ model })).status, "success", "once more");
await assert.rejects(client.pull({ model: "nobody" }), { status_code: 404 });
