// A transfer by an SDK, and the webhook that tells of its end.

import { createServer } from "node:http";

import { createRemoteJWKSet, flattenedVerify } from "jose";
import { afterEach, beforeEach, expect, inject, test } from "vitest";

import { makeWorkspace, until } from "./workspace.mjs";

const sandbox = inject("sandbox");
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", sandbox.url));
// Under what name the sandbox finds us: its own machine, unless it runs in a container.
const host = process.env.VESTIBULE_CALLBACK_HOST ?? "127.0.0.1";

let workspace, server, events, url;

beforeEach(async () => {
  workspace = await makeWorkspace(sandbox);
  events = [];
  server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    try {
      // The signature is a JWS whose payload is the body, and was left out.
      const [header, , signature] = request.headers["fireblocks-webhook-signature"].split(".");
      await flattenedVerify({ protected: header, payload: body.toString("base64url"), signature }, keys);
      events.push(JSON.parse(body));
      response.writeHead(200).end();
    } catch (error) {
      events.push(error);
      response.writeHead(401).end();
    }
  });
  await new Promise((resolve) => server.listen(0, host === "127.0.0.1" ? host : "0.0.0.0", resolve));
  url = `http://${host}:${server.address().port}/hook`;
});

afterEach(async () => {
  await workspace?.remove();
  server?.closeAllConnections();
  server?.close();
});

const vault = (id) => ({ type: "VAULT_ACCOUNT", id });

test("a transfer is completed and told", async () => {
  const createWebhookRequest = { url, events: ["transaction.status.updated"] };
  await workspace.client("admin").webhooksV2.createWebhook({ createWebhookRequest });

  const { transactions } = workspace.client("signer");
  const transactionRequest = { assetId: "SOL", amount: "0.25", source: vault("0"), destination: vault("1") };
  const made = await transactions.createTransaction({ transactionRequest });

  const event = await until(() => events.find((each) => each instanceof Error || each.data.status === "COMPLETED"));
  expect(event).toMatchObject({ resourceId: made.data.id, workspaceId: workspace.id });
  const done = await transactions.getTransaction({ txId: made.data.id });
  expect(done.data).toMatchObject({ status: "COMPLETED", amountInfo: { amount: "0.25" } });
});

test("another test sees none of it", async () => {
  const { transactions } = workspace.client("viewer");
  const recent = await transactions.getTransactions({ assets: "SOL", sourceId: "0", limit: 1 });
  expect(recent.data.map(({ amountInfo }) => amountInfo.amount)).not.toContain("0.25");
});
