// A sandbox of the product: started as a user starts it, found by its ready file.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, access } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import sdk from "@fireblocks/ts-sdk";

import { checked, contractOf } from "./shapes.mjs";

const { Fireblocks } = sdk;

/** Waits for a condition with a deadline, never for a time. */
export async function until(what, check, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts a sandbox; `stop` ends it. */
export async function start(...options) {
  const binary = process.env.VESTIBULE_BIN;
  if (!binary) throw new Error("VESTIBULE_BIN must name the vestibule binary");
  const folder = await mkdtemp(join(tmpdir(), "vestibule-judge-"));
  const file = join(folder, "ready.json");
  const listen = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ephemeral"];
  const logs = process.env.VESTIBULE_CALL_LOGS;
  const log = logs ? ["--call-log", join(logs, `${randomUUID()}.jsonl`)] : [];
  const child = spawn(binary, ["sandbox", ...listen, "--ready-file", file, ...log, ...options], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    await until("the sandbox serves", async () => {
      if (child.exitCode !== null) throw new Error(`the sandbox ended: ${said}`);
      return access(file).then(() => true, () => false);
    });
    const told = JSON.parse(await readFile(file, "utf8")).sandbox;
    const token = (await readFile(told.control_token_path, "utf8")).trim();
    const [fund] = await Promise.all(
      told.workspaces.filter((workspace) => workspace.network === "mainnet").map(opened),
    );
    const house = async (method, path, body) => {
      const answer = await fetch(`${told.control_url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: body && JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.text();
    };
    const control = (method, path, body) => house(method, `/workspaces/${fund.id}${path}`, body);
    const check = await contractOf(new URL(told.base_url).origin);
    const open = (settings) => checked(new Fireblocks({ basePath: told.base_url, ...settings }), check);
    const client = (name, change = {}) => open({ ...fund.keys[name], ...change });
    /** A workspace of a test's own, and clients in the name of its users. */
    const fresh = async (wanted) => {
      const made = JSON.parse(await house("POST", "/workspaces", wanted));
      const key = (name) => made.users.find((each) => each.name === name);
      const user = (name) => open({ apiKey: key(name).api_key, secretKey: key(name).secret_key });
      const own = async (method, path, body) => {
        const text = await house(method, `/workspaces/${made.id}${path}`, body);
        return text && JSON.parse(text);
      };
      return { id: made.id, user, idOf: (name) => key(name).api_key, control: own };
    };
    return { fund, fresh, control, house, client, stop, jwksUrl: told.jwks_url, baseUrl: told.base_url };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A workspace's id, and the key of each of its users by name. */
async function opened(workspace) {
  const keys = {};
  for (const user of workspace.users) {
    const secretKey = await readFile(user.secret_key_path, "utf8");
    keys[user.name] = { apiKey: user.api_key, secretKey };
  }
  return { id: workspace.workspace_id, keys };
}
