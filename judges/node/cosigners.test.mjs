// Co-signers: another is added, users move there, handlers are set, and all is undone.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";

import { byCursor } from "./pages.mjs";
import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

let sandbox, fund, cosigners;

before(async () => {
  sandbox = await start();
  fund = await sandbox.fresh({});
  cosigners = fund.user("admin").cosignersBeta;
});
after(() => sandbox?.stop());

const listed = () => byCursor((filters) => cosigners.getCosigners(filters), { pageSize: 1 });

/** What has become of the request that an answer tells of, by its `Location`. */
async function done(answer, cosignerId, apiKeyId) {
  assert.equal(answer.statusCode, 202);
  const requestId = answer.headers.location.split("/").at(-1);
  const { data } = await cosigners.getRequestStatus({ cosignerId, apiKeyId, requestId });
  assert.equal(data.status, "COMPLETED", "people agree by themselves");
}

test("a co-signer is added, and its users are paired, given a handler, unpaired", async () => {
  const [communal] = await listed();
  assert.deepEqual([communal.type, communal.archived], ["SANDBOX", false]);
  const renameCosigner = { name: "Ours" };
  await cosigners.renameCosigner({ cosignerId: communal.id, renameCosigner });
  assert.equal((await cosigners.getCosigner({ cosignerId: communal.id })).data.name, "Ours");

  const [signer, approver] = ["signer", "approver"].map(fund.idOf);
  const addCosignerRequest = { apiKeyId: signer, name: "Machine two" };
  const added = await cosigners.addCosigner({ addCosignerRequest });
  assert.deepEqual([added.statusCode, added.data.name], [201, "Machine two"]);
  const cosignerId = added.data.pendingCosignerId;
  assert.deepEqual((await listed()).map(({ id }) => id), [cosignerId, communal.id], "newest first");

  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const handler = (path) => ({ callbackHandler: { url: `http://127.0.0.1:9/${path}`, publicKey: pem } });
  const place = { cosignerId, apiKeyId: approver };
  const paired = await cosigners.pairApiKey({ ...place, pairApiKeyRequest: handler("one") });
  await done(paired, cosignerId, approver);
  const keys = await byCursor((f) => cosigners.getApiKeys({ cosignerId, ...f }), { pageSize: 1 });
  assert.deepEqual(keys.map(({ id }) => id).sort(), [signer, approver].sort());
  const shown = async () => (await cosigners.getApiKey(place)).data.callbackHandler;
  assert.equal((await shown()).url, "http://127.0.0.1:9/one");
  const updateCallbackHandlerRequest = handler("two");
  await done(await cosigners.updateCallbackHandler({ ...place, updateCallbackHandlerRequest }), cosignerId, approver);
  assert.equal((await shown()).url, "http://127.0.0.1:9/two");
  await done(await cosigners.unpairApiKey(place), cosignerId, approver);
  await refused(cosigners.getApiKey(place), 404);
});
