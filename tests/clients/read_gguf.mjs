// SPDX-License-Identifier: Apache-2.0
// What the hub's own reader finds in a GGUF file, as JSON: node read_gguf.mjs PACKAGES FILE, where PACKAGES is the
// folder with node_modules.
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, file] = process.argv.slice(2);
const { gguf } = createRequire(join(packages, "here.js"))("@huggingface/gguf");
const { metadata, tensorInfos, tensorDataOffset } = await gguf(file, { allowLocalFile: true });
const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);
console.log(JSON.stringify({ metadata, tensors: tensorInfos, dataOffset: tensorDataOffset }, plain));
