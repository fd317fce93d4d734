// The official TypeScript client at workspaces whose clocks stand in the past and in the future.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./sandbox.mjs";

let sandbox;

before(async () => {
  sandbox = await start("--manual");
});
after(() => sandbox?.stop());

const transfer = {
  assetId: "SOL",
  amount: "0.25",
  source: { type: "VAULT_ACCOUNT", id: "0" },
  destination: { type: "VAULT_ACCOUNT", id: "1" },
};

for (const at of [Date.UTC(2024, 1, 29), Date.UTC(2100, 0, 1)]) {
  test(`frozen at ${new Date(at).toISOString()}`, async () => {
    const { user, control } = await sandbox.fresh({ clock: { at, frozen: true } });
    const editor = user("editor");
    const page = await editor.vaults.getPagedVaultAccounts({ limit: 1 });
    assert.equal(Date.parse(page.headers.date), at);
    const made = [];
    for (let number = 0; number < 3; number += 1) {
      const { data } = await editor.transactions.createTransaction({ transactionRequest: transfer });
      made.push(data.id);
    }
    const moments = [];
    for (const txId of made) {
      const { data } = await editor.transactions.getTransaction({ txId });
      moments.push(data.createdAt);
    }
    assert.ok(at <= moments[0] && moments[0] < moments[1] && moments[1] < moments[2]);
    assert.ok(moments[2] < at + 1000);
    // The last 90 days are those of the workspace.
    const { data: recent } = await editor.transactions.getTransactions({ limit: 500 });
    assert.ok(made.every((id) => recent.some((each) => each.id === id)));
    const advanced = await control("POST", "/clock/advance", { millis: 3_600_000 });
    assert.ok(advanced.frozen && advanced.now >= at + 3_600_000);
    await control("DELETE", "");
  });
}
