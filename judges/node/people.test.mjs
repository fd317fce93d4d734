// People and what they decide together: users, groups, devices, one-time addresses, tags, the audit.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { byCursor } from "./pages.mjs";
import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

let sandbox, fund, admin;

before(async () => {
  sandbox = await start("--manual");
  fund = await sandbox.fresh({});
  admin = fund.user("admin");
});
after(() => sandbox?.stop());

/** The whole quorum says yes, or no, to the one request of a kind. */
async function decide(kind, word = "approve") {
  const { requests } = await fund.control("GET", "/quorum");
  const waiting = requests.filter(({ ask }) => ask.type === kind);
  assert.equal(waiting.length, 1, `${kind}: ${waiting.length} wait`);
  return (await fund.control("POST", `/quorum/${waiting[0].id}/${word}`, {})).state;
}

const person = async (email) =>
  (await admin.consoleUser.getConsoleUsers()).data.users.find((user) => user.email === email);

test("a person comes in, and loses a device", async () => {
  const email = "ada@fund.example";
  const createConsoleUser = { firstName: "Ada", lastName: "Test", email, role: "APPROVER" };
  await admin.consoleUser.createConsoleUser({ createConsoleUser });
  assert.equal((await person(email)).status, "PENDING_ACTIVATION");
  assert.equal(await decide("NEW_USER"), "APPROVED");
  const { id } = await person(email);
  await fund.control("POST", `/users/${id}/set_up_device`);
  assert.equal((await person(email)).status, "READY");
  await admin.resetDevice.resetDevice({ id });
  assert.equal(await decide("DEVICE_RESET"), "APPROVED");
  assert.equal((await person(email)).status, "PENDING_DEVICE_PAIRING");
});

test("a group is made, changed, and dissolved", async () => {
  const { userGroupsBeta: groups } = admin;
  const [signer, approver] = ["signer", "approver"].map(fund.idOf);
  const userGroupCreateRequest = { groupName: "Desk", memberIds: [signer] };
  const { id: groupId } = (await groups.createUserGroup({ userGroupCreateRequest })).data;
  assert.equal((await groups.getUserGroup({ groupId })).data.status, "PENDING_APPROVAL");
  await decide("NEW_USER_GROUP");
  assert.deepEqual((await groups.getUserGroups()).data.map(({ name, status }) => [name, status]), [["Desk", "ACTIVE"]]);
  const userGroupUpdateRequest = { groupName: "Desk 2", memberIds: [signer, approver] };
  await groups.updateUserGroup({ groupId, userGroupUpdateRequest });
  await decide("USER_GROUP_CHANGE");
  const { name, memberIds } = (await groups.getUserGroup({ groupId })).data;
  assert.deepEqual([name, [...memberIds].sort()], ["Desk 2", [signer, approver].sort()]);
  await groups.deleteUserGroup({ groupId });
  await decide("USER_GROUP_DELETION");
  await refused(groups.getUserGroup({ groupId }), 404);
});

test("one-time addresses are turned off when people agree", async () => {
  const { otaBeta: ota } = admin;
  assert.equal((await ota.getOtaStatus()).data.enabled, true);
  const asked = await ota.setOtaStatus({ setOtaStatusRequest: { enabled: false } });
  assert.deepEqual([asked.statusCode, (await ota.getOtaStatus()).data.enabled], [202, true]);
  await decide("ONE_TIME_ADDRESS");
  assert.equal((await ota.getOtaStatus()).data.enabled, false);
});

test("a protected tag changes when people agree, and a request is taken back", async () => {
  const { tags } = admin;
  const createTagRequest = { label: "Cold", description: "ours", isProtected: true };
  const { id: tagId } = (await tags.createTag({ createTagRequest })).data;
  const rename = async (label) => {
    const { pendingApprovalRequest } = (await tags.updateTag({ tagId, updateTagRequest: { label } })).data;
    return pendingApprovalRequest.id;
  };
  const shown = async (id) => (await tags.getApprovalRequest({ id })).data;
  const first = await rename("Never");
  assert.deepEqual([(await shown(first)).type, (await shown(first)).state], ["TAG_UPDATE", "PENDING"]);
  assert.equal((await tags.cancelApprovalRequest({ id: first })).statusCode, 202);
  assert.equal((await shown(first)).state, "CANCELLED");
  const second = await rename("Colder");
  await fund.control("POST", `/quorum/${second}/approve`, {});
  assert.equal((await tags.getTag({ tagId })).data.label, "Colder");
  const usual = (await tags.createTag({ createTagRequest: { label: "Usual" } })).data;
  assert.deepEqual((await byCursor((f) => tags.getTags(f), { pageSize: 1 })).map(({ id }) => id).sort(), [tagId, usual.id].sort());
  await tags.deleteTag({ tagId: usual.id });
  await refused(tags.getTag({ tagId: usual.id }), 404);
});

test("the audit tells who did it", async () => {
  const { data } = await admin.auditLogs.getAuditLogs({ timePeriod: "DAY" });
  const told = data.data.find(({ subject, event }) => subject === "User group" && event === "Deleted");
  assert.equal(told?.user, "admin", JSON.stringify(data.data.slice(0, 5)));
});

test("key shares are those of who signs; the workspace is active", async () => {
  const { keysBeta: keys } = admin;
  const all = (await keys.getMpcKeysList()).data;
  assert.equal(all.tenantId, fund.id);
  const userId = fund.idOf("signer");
  const own = (await keys.getMpcKeysListByUser({ userId })).data.keys;
  assert.deepEqual(own, all.keys.filter((key) => key.userId === userId));
  assert.equal(own.length, 1);
  assert.equal((await admin.workspaceStatusBeta.getWorkspaceStatus()).data.status, "ACTIVE");
});
