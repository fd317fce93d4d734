// What is refused is an error of the official client's, with its status and code.

import assert from "node:assert/strict";

import sdk from "@fireblocks/ts-sdk";

/** `asked` must end in a `FireblocksError` with this status and, where one is named, code. */
export async function refused(asked, status, code) {
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof sdk.FireblocksError, String(error));
    assert.equal(error.response?.statusCode, status, error.message);
    if (code !== undefined) assert.equal(error.response.data.code, code, error.message);
    return true;
  });
}
