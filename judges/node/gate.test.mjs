// The gate, judged by the official client: the same interface, in scope; a proposal that waits for
// its owner; a webhook of the gate's own, verified with jose.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import sdk from "@fireblocks/ts-sdk";
import { createRemoteJWKSet, flattenedVerify } from "jose";

import { units } from "./amounts.mjs";
import { until } from "./sandbox.mjs";

const { Fireblocks, FireblocksError } = sdk;
const run = promisify(execFile);
const binary = process.env.VESTIBULE_BIN;
const vault = (id) => ({ type: "VAULT_ACCOUNT", id });

let folder, child, ended, told, trading, portfolio;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "vestibule-judge-"));
  const file = join(folder, "ready.json");
  const words = ["demo", "--json", "--data", join(folder, "demo"), "--ready-file", file];
  child = spawn(binary, words, { stdio: "ignore" });
  ended = new Promise((resolve) => child.once("exit", resolve));
  const ready = async () => {
    if (child.exitCode !== null) throw new Error(`the demo ended: ${child.exitCode}`);
    return access(file).then(() => true, () => false);
  };
  await until("the demo serves", ready, 180);
  told = JSON.parse(await readFile(file, "utf8")).gate;
  [trading, portfolio] = await Promise.all(["trading", "portfolio"].map(client));
});
after(async () => {
  child?.kill();
  await ended;
  await rm(folder, { recursive: true });
});

async function client(name) {
  const provider = told.providers.find((one) => one.name === name);
  const secretKey = await readFile(provider.secret_key_path, "utf8");
  return new Fireblocks({ apiKey: provider.api_key, secretKey, basePath: told.base_url });
}

/** A command of the gate's owner: what it prints. */
async function owner(...words) {
  const { stdout } = await run(binary, ["--json", "gate", "--dir", join(folder, "demo", "gate"), ...words]);
  return stdout;
}

async function refused(asked, status, code) {
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof FireblocksError, String(error));
    assert.equal(error.response?.statusCode, status, error.message);
    if (code !== undefined) assert.equal(error.response.data.code, code, error.message);
    return true;
  });
}

test("accounts are paged to the end, in scope; totals are their sums", async () => {
  const accounts = [];
  let cursor;
  do {
    const { data } = await portfolio.vaults.getPagedVaultAccounts({ limit: 1, after: cursor });
    accounts.push(...data.accounts);
    cursor = data.paging.after;
  } while (cursor);
  assert.deepEqual(accounts.map(({ id }) => id).sort(), ["1", "2"]);
  const sums = {};
  for (const { id, total } of accounts.flatMap(({ assets }) => assets)) {
    sums[id] = (sums[id] ?? 0n) + units(total);
  }
  const { data: totals } = await portfolio.vaults.getVaultAssets();
  assert.deepEqual(Object.fromEntries(totals.map(({ id, total }) => [id, units(total)])), sums);
  assert.deepEqual(Object.keys(sums).sort(), ["BTC", "ETH"]);
});

test("what is outside does not exist, what is not offered is said", async () => {
  await refused(portfolio.vaults.getVaultAccount({ vaultAccountId: "9" }), 404, 1004);
  const request = { assetId: "ETH", amount: "1", source: vault("1"), destination: vault("2") };
  await refused(portfolio.transactions.createTransaction({ transactionRequest: request }), 401, -8);
  const raw = { ...request, operation: "RAW" };
  await refused(trading.transactions.createTransaction({ transactionRequest: raw }), 400, 1401);
  await refused(trading.vaults.createVaultAccount({ createVaultAccountRequest: { name: "x" } }), 403);
});

test("a proposal waits, is approved, and is completed under its own id", async () => {
  const transactionRequest = {
    assetId: "ETH",
    amount: "0.05",
    source: vault("1"),
    destination: vault("2"),
    note: "ü+% / note",
    externalTxId: "node a/b",
  };
  const { data: made } = await trading.transactions.createTransaction({ transactionRequest });
  assert.equal(made.status, "PENDING_AUTHORIZATION");
  await owner("proposal", "approve", made.id);
  const done = await until("the end of the transfer", async () => {
    const { data } = await trading.transactions.getTransaction({ txId: made.id });
    return data.status === "COMPLETED" && data;
  });
  assert.equal(done.note, transactionRequest.note);
  const named = await trading.transactions.getTransactionByExternalId({ externalTxId: "node a/b" });
  assert.equal(named.data.id, made.id);
  const seen = await portfolio.transactions.getTransaction({ txId: made.id });
  assert.deepEqual([seen.data.note, seen.data.createdBy], ["", ""]);
});

test("a webhook of the gate's own is verified with jose", async () => {
  const keys = createRemoteJWKSet(new URL(told.jwks_url));
  const taken = [];
  const unverified = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    try {
      const [header, , signature] = request.headers["fireblocks-webhook-signature"].split(".");
      const whole = { protected: header, payload: body.toString("base64url"), signature };
      await flattenedVerify(whole, keys, { algorithms: ["RS512"] });
      taken.push(JSON.parse(body));
      response.writeHead(200).end();
    } catch (error) {
      unverified.push(String(error));
      response.writeHead(401).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const [key, csr] = [join(folder, "k.pem"), join(folder, "k.csr")];
    const subject = ["-subj", "/O=Node", "-keyout", key, "-out", csr];
    await run("openssl", ["req", "-new", "-newkey", "rsa:2048", "-nodes", ...subject]);
    const hook = `http://127.0.0.1:${server.address().port}/hook`;
    const wanted = ["--role", "viewer", "--address", "127.0.0.1/32", "--vault-account", "2"];
    await owner("connection", "request", "node", "--csr", csr, ...wanted, "--webhook-url", hook);
    const handback = JSON.parse(await owner("connection", "approve", "node", "--reason", "as agreed"));
    const transactionRequest = { assetId: "ETH", amount: "0.06", source: vault("1"), destination: vault("2") };
    const { data: made } = await trading.transactions.createTransaction({ transactionRequest });
    await owner("proposal", "approve", made.id);
    const end = await until("the transfer's end is told", () =>
      taken.find((event) => event.resourceId === made.id && event.data.status === "COMPLETED"),
    );
    assert.deepEqual(unverified, []);
    assert.equal(end.webhookId, handback.webhooks.webhook_id);
    assert.equal(end.workspaceId, handback.workspace_id);
    assert.equal(end.data.source.type, "UNKNOWN");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
