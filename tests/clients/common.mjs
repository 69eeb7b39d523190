// SPDX-License-Identifier: Apache-2.0
// What the tests with real clients share.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

const kSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

// Width, height, unfiltered pixels and texts of an 8-bit RGB PNG.
export function readPng(bytes) {
  assert.deepEqual(bytes.subarray(0, 8), kSignature, "no PNG");
  const png = { texts: {} };
  const packed = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") [png.width, png.height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
    if (type === "IDAT") packed.push(data);
    if (type === "tEXt") {
      const end = data.indexOf(0);
      png.texts[data.toString("latin1", 0, end)] = data.toString("latin1", end + 1);
    }
    at += length + 12;
  }
  png.pixels = unfiltered(inflateSync(Buffer.concat(packed)), png.width, png.height);
  return png;
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

function unfiltered(raw, width, height) {
  const row = width * 3;
  const pixels = Buffer.alloc(row * height);
  for (let y = 0; y < height; ++y) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; ++x) {
      const a = x >= 3 ? pixels[y * row + x - 3] : 0;
      const b = y > 0 ? pixels[(y - 1) * row + x] : 0;
      const c = x >= 3 && y > 0 ? pixels[(y - 1) * row + x - 3] : 0;
      const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      pixels[y * row + x] = raw[y * (row + 1) + 1 + x] + predicted;
    }
  }
  return pixels;
}

export const pngOfText = (base64) => readPng(Buffer.from(base64, "base64"));

// What `roundhouse generate` makes of the same request, in the same home.
export function generated(...words) {
  const folder = mkdtempSync(join(tmpdir(), "roundhouse-generate-"));
  try {
    execFileSync(process.env.ROUNDHOUSE_PROGRAM, ["generate", ...words, "--output-dir", folder], { stdio: "pipe" });
    return readdirSync(folder)
      .sort()
      .map((name) => readPng(readFileSync(join(folder, name))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function samePixels(a, b, message) {
  assert.equal(`${a.width}x${a.height}`, `${b.width}x${b.height}`, message);
  assert.ok(a.pixels.equals(b.pixels), `other pixels: ${message}`);
}

// Polls until it gives something true; fails after a minute.
export async function eventually(what, poll) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await poll();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail(`waited in vain: ${what}`);
}

// Runs tests one after the other and says what each saw.
export async function run(tests) {
  for (const test of tests) {
    const begin = Date.now();
    await test();
    console.log(`ok  ${test.name}  ${Date.now() - begin} ms`);
  }
}
