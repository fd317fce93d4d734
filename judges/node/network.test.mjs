// The network: a name of one's own, a peer, a connection to its end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { byCursor } from "./pages.mjs";
import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

const custom = (dstType, dstId) => ({ scheme: "CUSTOM", dstType, dstId });

let sandbox, network;

before(async () => {
  sandbox = await start();
  network = (await sandbox.fresh({})).user("admin").networkConnections;
});
after(() => sandbox?.stop());

test("a name is made, changed, found and deleted", async () => {
  const createNetworkIdRequest = { name: "Desk", routingPolicy: { crypto: custom("VAULT", "3") } };
  const { id: networkId } = (await network.createNetworkId({ createNetworkIdRequest })).data;
  await network.setNetworkIdName({ networkId, setNetworkIdNameRequest: { name: "Desk 2" } });
  const setNetworkIdDiscoverabilityRequest = { isDiscoverable: true };
  await network.setNetworkIdDiscoverability({ networkId, setNetworkIdDiscoverabilityRequest });
  const setNetworkIdRoutingPolicyRequest = { routingPolicy: { crypto: { scheme: "NONE" } } };
  await network.setNetworkIdRoutingPolicy({ networkId, setNetworkIdRoutingPolicyRequest });
  const now = (await network.getNetworkId({ networkId })).data;
  assert.deepEqual(
    [now.name, now.isDiscoverable, now.routingPolicy.crypto],
    ["Desk 2", true, { scheme: "NONE" }],
  );
  const search = await byCursor((filters) => network.searchNetworkIds(filters), { search: "desk", pageSize: 1 });
  assert.deepEqual(search.map(({ id }) => id), [networkId]);
  assert.deepEqual((await network.getRoutingPolicyAssetGroups()).data, ["crypto", "fiat"]);
  assert.equal((await network.deleteNetworkId({ networkId })).data.success, true);
  await refused(network.getNetworkId({ networkId }), 404);
});

test("a connection to its end", async () => {
  const names = (await network.getNetworkIds()).data;
  const mine = names.find(({ routingPolicy }) => routingPolicy);
  const theirs = names.find(({ name }) => name === "Blue Harbor OTC");
  const networkConnection = { localNetworkId: mine.id, remoteNetworkId: theirs.id };
  const made = (await network.createNetworkConnection({ networkConnection })).data;
  assert.deepEqual([made.status, made.remoteNetworkId.name], ["APPROVED", theirs.name]);
  const connectionId = made.id;
  assert.deepEqual((await network.getNetwork({ connectionId })).data, made);
  assert.ok((await network.getNetworkConnections()).data.some(({ id }) => id === connectionId));
  const routes = async (assetType) =>
    (await network.checkThirdPartyRouting({ connectionId, assetType })).data.isThirdPartyRouting;
  assert.deepEqual([await routes("crypto"), await routes("fiat")], [true, false]);
  const setRoutingPolicyRequest = { routingPolicy: { crypto: custom("VAULT", "7") } };
  await network.setRoutingPolicy({ connectionId, setRoutingPolicyRequest });
  assert.equal((await network.getNetwork({ connectionId })).data.routingPolicy.crypto.dstId, "7");
  assert.equal((await network.deleteNetworkConnection({ connectionId })).data.success, true);
  assert.equal((await network.getNetwork({ connectionId })).data.status, "REMOVED");
});
