// SPDX-License-Identifier: Apache-2.0
// Lists a repository with the hub's official client and downloads every file of it:
// node hub.mjs ENDPOINT REPOSITORY DIRECTORY. Prints the listing as JSON.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { downloadFile, listFiles } from "@huggingface/hub";

const [hubUrl, repo, directory] = process.argv.slice(2);
const files = [];
for await (const entry of listFiles({ repo, hubUrl, recursive: true })) {
  if (entry.type !== "file") continue;
  files.push({ path: entry.path, size: entry.size, sha256: entry.lfs?.oid ?? null });
  const blob = await downloadFile({ repo, hubUrl, path: entry.path });
  if (blob === null) throw new Error(`${entry.path}: the hub has no such file`);
  const target = join(directory, entry.path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, Buffer.from(await blob.arrayBuffer()));
}
console.log(JSON.stringify(files));
