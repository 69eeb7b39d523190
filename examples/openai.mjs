// SPDX-License-Identifier: Apache-2.0
// OpenAI's own client with Roundhouse behind it.
//   roundhouse serve &
//   npm install openai
//   node openai.mjs [http://127.0.0.1:11435]
import { writeFileSync } from "node:fs";
import OpenAI from "openai";

const url = process.argv[2] ?? "http://127.0.0.1:11435";
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: process.env.ROUNDHOUSE_API_KEY ?? "none" });

for await (const model of client.models.list()) console.log(`model ${model.id}`);

const request = { model: "pocket-turbo", prompt: "two orange cats in the snow", size: "256x256", seed: 1 };

const answer = await client.images.generate({ ...request, response_format: "b64_json" });
writeFileSync("cats.png", Buffer.from(answer.data[0].b64_json, "base64"));
console.log(`cats.png: ${answer.size} by ${answer.model} on ${answer.engine}, seed ${answer.data[0].seed}`);

// The same image while it is made.
for await (const event of await client.images.generate({ ...request, stream: true, partial_images: 2 })) {
  const partial = event.type === "image_generation.partial_image";
  const name = partial ? `cats-partial-${event.partial_image_index}.png` : "cats-streamed.png";
  writeFileSync(name, Buffer.from(event.b64_json, "base64"));
  console.log(name);
}

// Failures are the client's own classes.
try {
  await client.images.generate({ ...request, model: "nobody" });
} catch (error) {
  if (!(error instanceof OpenAI.NotFoundError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
