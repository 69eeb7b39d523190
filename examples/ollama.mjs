// SPDX-License-Identifier: Apache-2.0
// Ollama's own client with Roundhouse behind it.
//   roundhouse serve &
//   npm install ollama
//   node ollama.mjs [http://127.0.0.1:11435]
import { writeFileSync } from "node:fs";
import { Ollama } from "ollama";

const client = new Ollama({ host: process.argv[2] ?? "http://127.0.0.1:11435" });

for (const model of (await client.list()).models) console.log(`model ${model.name}, ${model.size} bytes`);

// An image while it is made; its last part has the PNG.
const request = { model: "pocket-turbo", prompt: "a blue robot in a room", width: 256, height: 256, options: { seed: 7 } };
for await (const part of await client.generate({ ...request, stream: true })) {
  if (!part.done) console.log(`step ${part.completed} of ${part.total}`);
  else writeFileSync("robot.png", Buffer.from(part.image, "base64"));
}
console.log("robot.png");

// "+reference" names an engine.
const other = await client.generate({ ...request, model: "pocket-turbo+reference", width: 64, height: 64, stream: false });
console.log(`${other.model} on ${other.engine}`);

for (const model of (await client.ps()).models) console.log(`loaded: ${model.name} on ${model.engine} until ${model.expires_at}`);

try {
  await client.generate({ ...request, model: "nobody", stream: false });
} catch (error) {
  console.log(error.message);
}
