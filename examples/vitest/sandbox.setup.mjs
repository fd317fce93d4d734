// Starts one sandbox for all tests, or takes the one that runs already.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "./workspace.mjs";

export default async function setup({ provide }) {
  const { VESTIBULE_URL, VESTIBULE_CONTROL_URL, VESTIBULE_CONTROL_TOKEN, VESTIBULE_BIN } = process.env;
  if (VESTIBULE_URL) {
    provide("sandbox", { url: VESTIBULE_URL, controlUrl: VESTIBULE_CONTROL_URL, token: VESTIBULE_CONTROL_TOKEN });
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "vitest-"));
  const ready = join(folder, "ready.json");
  const listen = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ready-file", ready];
  const child = spawn(VESTIBULE_BIN ?? "vestibule", ["sandbox", "--ephemeral", ...listen], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const text = await until(() => {
    if (child.exitCode !== null) throw new Error("the sandbox ended; its messages are above");
    return readFile(ready, "utf8").catch(() => undefined);
  });
  const told = JSON.parse(text).sandbox;
  const token = (await readFile(told.control_token_path, "utf8")).trim();
  provide("sandbox", { url: told.base_url, controlUrl: told.control_url, token });
  return async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true });
  };
}
