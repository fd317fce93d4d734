// A receiver of webhooks, written with jose as Fireblocks' page on validating webhooks tells
// people to, and the older header with node's own crypto.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { createRemoteJWKSet, flattenedVerify } from "jose";

import { start, until } from "./sandbox.mjs";

let sandbox, admin, editor, server, url, keys, legacyKeys;
const taken = [];
const unverified = [];

before(async () => {
  sandbox = await start();
  [admin, editor] = ["admin", "editor"].map((name) => sandbox.client(name));
  keys = keySet();
  legacyKeys = await listedKeys();
  server = createServer(receive);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(async () => {
  server?.closeAllConnections();
  server?.close();
  await sandbox?.stop();
});
beforeEach(() => {
  taken.length = 0;
});

// A name that is not known is asked for at once.
const keySet = () => createRemoteJWKSet(new URL(sandbox.jwksUrl), { cooldownDuration: 0 });
const listedKeys = async () => {
  const listed = await (await fetch(sandbox.jwksUrl)).json();
  return listed.keys.map((key) => createPublicKey({ key, format: "jwk" }));
};

/** Verifies the detached JWS: the payload is the raw body. */
async function verifyJws(header, body) {
  const [protectedHeader, payload, signature] = header.split(".");
  assert.equal(payload, "");
  const whole = { protected: protectedHeader, payload: body.toString("base64url"), signature };
  await flattenedVerify(whole, keys, { algorithms: ["RS512"] });
}

function verifyLegacy(header, body) {
  const signature = Buffer.from(header, "base64");
  assert.ok(legacyKeys.some((key) => verify("RSA-SHA512", body, key, signature)));
}

async function receive(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  try {
    await verifyJws(request.headers["fireblocks-webhook-signature"], body);
    verifyLegacy(request.headers["fireblocks-signature"], body);
    taken.push({ event: JSON.parse(body), body, headers: request.headers });
    response.writeHead(200).end();
  } catch (error) {
    unverified.push(String(error));
    response.writeHead(401).end();
  }
}

const make = async (path, events) =>
  (await admin.webhooksV2.createWebhook({ createWebhookRequest: { url: url + path, description: "judge", events } })).data;
const transfer = async () => {
  const vault = (id) => ({ type: "VAULT_ACCOUNT", id });
  const transactionRequest = { assetId: "SOL", amount: "0.001", source: vault("0"), destination: vault("1"), note: "ü 漢" };
  return (await editor.transactions.createTransaction({ transactionRequest })).data.id;
};
const told = (id) => taken.map(({ event }) => event).filter((event) => event.resourceId === id);
const completed = (id) => until("the end of the transfer", () => told(id).at(-1)?.data.status === "COMPLETED");

test("a transfer is told, signed twice", async () => {
  const webhook = await make("/told", ["transaction.created", "transaction.status.updated"]);
  const id = await transfer();
  await completed(id);
  assert.deepEqual(unverified, []);
  assert.equal(told(id)[0].eventType, "transaction.created");
  assert.ok(told(id).every((event) => event.workspaceId === sandbox.fund.id && event.webhookId === webhook.id));
  assert.deepEqual(told(id).at(-1).data, (await editor.transactions.getTransaction({ txId: id })).data);

  const { body, headers } = taken[0];
  assert.equal(JSON.stringify(JSON.parse(body)), body.toString(), "compact, as old receivers need it");
  const other = Buffer.from(body.toString().replace('"SOL"', '"BTC"'));
  assert.notDeepEqual(other, body);
  await assert.rejects(verifyJws(headers["fireblocks-webhook-signature"], other));
  assert.throws(() => verifyLegacy(headers["fireblocks-signature"], other));

  const { data } = await admin.webhooksV2.getNotifications({ webhookId: webhook.id, pageSize: 100 });
  assert.equal(data.total, told(id).length);
  const [notification] = data.data;
  const ids = { webhookId: webhook.id, notificationId: notification.id };
  const one = await admin.webhooksV2.getNotification({ ...ids, includeData: true });
  assert.deepEqual(one.data.data, told(id).find((event) => event.id === notification.id).data);
  const attempts = await admin.webhooksV2.getNotificationAttempts(ids);
  assert.equal(attempts.data.data[0].responseCode, 200);
  const before = taken.length;
  assert.equal((await editor.webhooksV2.resendNotificationById(ids)).statusCode, 202);
  await until("it comes again", () => taken.length === before + 1);
  assert.equal(taken.at(-1).event.id, notification.id);
  await admin.webhooksV2.deleteWebhook({ webhookId: webhook.id });
});

test("a lost one is sent again", async () => {
  const webhook = await make("/lost", ["transaction.created", "transaction.status.updated"]);
  await sandbox.control("POST", `/webhooks/${webhook.id}/drop_next`, {});
  const id = await transfer();
  await completed(id);
  assert.ok(told(id).every((event) => event.eventType !== "transaction.created"));
  const again = await editor.webhooksV2.resendFailedNotifications({
    webhookId: webhook.id,
    resendFailedNotificationsRequest: {},
  });
  assert.deepEqual([again.statusCode, again.data.total], [202, 1]);
  await until("the lost one", () => told(id).some((event) => event.eventType === "transaction.created"));
  await admin.webhooksV2.deleteWebhook({ webhookId: webhook.id });
});

test("what is asked for again comes again, and its job can be asked about", async () => {
  const webhook = await make("/again", ["transaction.created", "transaction.status.updated"]);
  const webhookId = webhook.id;
  await sandbox.control("POST", `/webhooks/${webhookId}/drop_next`, { count: 2 });
  const resourceId = await transfer();
  await completed(resourceId);
  const firstOfAll = () => told(resourceId).filter((event) => event.eventType === "transaction.created").length;
  assert.equal(firstOfAll(), 0);

  const resendByQueryRequest = { statuses: ["FAILED"], events: ["transaction.created"], resourceId };
  const byQuery = await editor.webhooksV2.resendNotificationsByQuery({ webhookId, resendByQueryRequest });
  assert.deepEqual([byQuery.statusCode, byQuery.data.total], [202, 1]);
  await until("the one of the query", () => firstOfAll() === 1);
  const failed = await editor.webhooksV2.resendFailedNotifications({ webhookId, resendFailedNotificationsRequest: {} });
  assert.deepEqual([failed.statusCode, failed.data.total], [202, 1]);
  const job = (answer) => ({ webhookId, jobId: answer.headers.location.split("/").at(-1) });
  const jobs = [
    await editor.webhooksV2.getResendByQueryJobStatus(job(byQuery)),
    await editor.webhooksV2.getResendJobStatus(job(failed)),
  ];
  for (const { data } of jobs) assert.deepEqual([data.status, data.processed, data.total], ["COMPLETED", 1, 1]);
  assert.equal(jobs[0].data.jobId, job(byQuery).jobId);

  // Of its resource: all but the two that were sent again just before.
  const { data } = await until("all are through", async () => {
    const listed = await admin.webhooksV2.getNotifications({ webhookId });
    return listed.data.data.every(({ status }) => status === "COMPLETED") && listed;
  });
  const heard = taken.length;
  const resendNotificationsByResourceIdRequest = { resourceId, excludeStatuses: [] };
  const byResource = { webhookId, resendNotificationsByResourceIdRequest };
  assert.equal((await editor.webhooksV2.resendNotificationsByResourceId(byResource)).statusCode, 202);
  await until("the others", () => taken.length >= heard + data.total - 2);
  assert.equal(new Set(told(resourceId).map((event) => event.id)).size, data.total);
  await admin.webhooksV2.deleteWebhook({ webhookId });
});

test("the older resends, and how an endpoint does", async () => {
  const webhook = await make("/older", ["transaction.created", "transaction.status.updated"]);
  const metric = { webhookId: webhook.id, metricName: "LAST_ACTIVE_HOUR_ERROR_RATE" };
  assert.equal((await admin.webhooksV2.getMetrics(metric)).data.value, "0");
  await sandbox.control("POST", `/webhooks/${webhook.id}/drop_next`, {});
  const txId = await transfer();
  await completed(txId);
  const created = () => told(txId).filter((event) => event.eventType === "transaction.created").length;
  assert.equal(created(), 0);
  assert.equal((await admin.webhooks.resendWebhooks({})).data.messagesCount, 1);
  await until("the lost one", () => created() === 1);
  await until("its end is told", () => told(txId).some((event) => event.data.status === "COMPLETED"));
  const heard = told(txId).length;
  const resendTransactionWebhooksRequest = { resendStatusUpdated: true };
  const again = await admin.webhooks.resendTransactionWebhooks({ txId, resendTransactionWebhooksRequest });
  assert.equal(again.data.success, true);
  await until("its status comes again", () => told(txId).length === heard + 1);
  assert.equal(told(txId).at(-1).data.status, "COMPLETED");
  await admin.webhooksV2.deleteWebhook({ webhookId: webhook.id });
});

test("webhooks are changed, listed, deleted", async () => {
  const made = [];
  for (const number of [1, 2, 3]) made.push(await make(`/${number}`, ["vault_account.created"]));
  const first = (await admin.webhooksV2.getWebhooks({ pageSize: 2 })).data;
  const rest = (await admin.webhooksV2.getWebhooks({ pageSize: 2, pageCursor: first.next })).data;
  const listed = [...first.data, ...rest.data].map((webhook) => webhook.id);
  assert.deepEqual(listed, made.map((webhook) => webhook.id).reverse());
  const webhookId = made[0].id;
  const updateWebhookRequest = { enabled: false, events: ["transaction.created"] };
  const changed = (await admin.webhooksV2.updateWebhook({ webhookId, updateWebhookRequest })).data;
  assert.deepEqual([changed.status, changed.events], ["DISABLED", ["transaction.created"]]);
  assert.deepEqual((await admin.webhooksV2.getWebhook({ webhookId })).data, changed);
  for (const { id } of made) await admin.webhooksV2.deleteWebhook({ webhookId: id });
  assert.deepEqual((await admin.webhooksV2.getWebhooks()).data.data, []);
});

test("a key is rotated, and the old one retired", async () => {
  const webhook = await make("/rotated", ["transaction.created"]);
  const kid = ({ headers }) =>
    JSON.parse(Buffer.from(headers["fireblocks-webhook-signature"].split(".")[0], "base64url")).kid;
  await transfer();
  await until("the first", () => taken.length === 1);
  await sandbox.house("POST", "/webhook_keys/rotate");
  legacyKeys = await listedKeys();
  assert.equal(legacyKeys.length, 2);
  await transfer();
  await until("the second", () => taken.length === 2);
  assert.deepEqual(unverified, [], "jose finds the new key by itself");
  const [old, fresh] = taken;
  assert.notEqual(kid(old), kid(fresh));
  for (const { body, headers } of taken) {
    await verifyJws(headers["fireblocks-webhook-signature"], body);
    verifyLegacy(headers["fireblocks-signature"], body);
  }
  await sandbox.house("POST", "/webhook_keys/retire");
  [keys, legacyKeys] = [keySet(), await listedKeys()];
  await verifyJws(fresh.headers["fireblocks-webhook-signature"], fresh.body);
  await assert.rejects(verifyJws(old.headers["fireblocks-webhook-signature"], old.body));
  assert.throws(() => verifyLegacy(old.headers["fireblocks-signature"], old.body));
  await admin.webhooksV2.deleteWebhook({ webhookId: webhook.id });
});
