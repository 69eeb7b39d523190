// SPDX-License-Identifier: Apache-2.0
// Runs a command beside a daemon of its own: node with_daemon.mjs PROGRAM COMMAND [ARGUMENT...], where {url} in an
// argument stands for the daemon's address, which is also in the environment as ROUNDHOUSE_URL. The command works in
// the daemon's home, which is gone afterwards. Ends with status 0 when both ended well, else with 1.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [program, command, ...words] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), "roundhouse-clients-"));
const environment = { ...process.env, HOME: home, ROUNDHOUSE_HOME: join(home, "store") };

const ended = (child) =>
  new Promise((resolve) => child.once("exit", (status, signal) => resolve(status ?? `signal ${signal}`)));

// The address that it says it listens on; everything that it says goes to our standard error.
function address(daemon) {
  return new Promise((resolve, reject) => {
    let said = "";
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        process.stderr.write(text);
        said += text;
        const found = said.match(/http:\/\/127\.0\.0\.1:[0-9]+/);
        if (found) resolve(found[0]);
      });
    }
    daemon.once("error", reject);
    daemon.once("exit", (status) => reject(new Error(`the daemon ended with ${status} before it listened`)));
  });
}

async function main() {
  const daemon = spawn(program, ["serve", "--port", "0"], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const daemonEnded = ended(daemon);
  try {
    const url = await address(daemon);
    const child = spawn(command, words.map((word) => word.replaceAll("{url}", url)), {
      cwd: home,
      env: { ...environment, ROUNDHOUSE_URL: url, ROUNDHOUSE_PROGRAM: program },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const status = await ended(child);
    if (status !== 0) return `${command} ended with ${status}`;
  } finally {
    daemon.kill("SIGTERM");
  }
  const status = await daemonEnded;
  return status === 0 ? "" : `the daemon ended with ${status}`;
}

const problem = await main().catch((error) => error.message);
rmSync(home, { recursive: true, force: true });
if (problem) {
  console.error(problem);
  process.exitCode = 1;
}
