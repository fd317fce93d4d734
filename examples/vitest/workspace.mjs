// A workspace for each test, and what tests wait with.

import sdk from "@fireblocks/ts-sdk";

/** What the condition gives, as soon as it gives something. */
export async function until(condition, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within ${seconds} s`);
}

/** Makes a workspace of the sandbox; `client(name)` is the official SDK in the name of a user. */
export async function makeWorkspace({ url, controlUrl, token }) {
  const control = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(controlUrl + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
  const { id, users } = await control("POST", "/workspaces", {});
  const client = (name) => {
    const { api_key: apiKey, secret_key: secretKey } = users.find((user) => user.name === name);
    return new sdk.Fireblocks({ apiKey, secretKey, basePath: url });
  };
  return { id, client, control, remove: () => control("DELETE", `/workspaces/${id}`) };
}
