// What the official client's types promise and nothing checks at run time: each answer is held
// against the contract's schema of its operation and status, by ajv.

import assert from "node:assert/strict";

import Ajv from "ajv/dist/2020.js";

const escaped = (text) => text.replaceAll("~", "~0").replaceAll("/", "~1");

/** A check of answers by the document at this origin: `(operation, status, body)`. */
export async function contractOf(origin) {
  const document = await (await fetch(`${origin}/openapi.json`)).json();
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(document, "contract");
  const operations = new Map();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, told] of Object.entries(methods)) {
      operations.set(told.operationId, { at: `contract#/paths/${escaped(path)}/${method}/responses`, told });
    }
  }
  return (operation, status, body) => {
    const { at, told } = operations.get(operation) ?? assert.fail(`${operation} is in no contract`);
    // Some of the contract's ages name no status but the range.
    const named = [String(status), `${String(status)[0]}XX`].find((each) => each in told.responses);
    assert.ok(named, `${operation} answers ${status}, which the contract has not`);
    if (!told.responses[named].content?.["application/json"]) return;
    const holds = ajv.compile({ $ref: `${at}/${named}/content/application~1json/schema` });
    assert.ok(holds(body), `${operation} ${status}: ${ajv.errorsText(holds.errors)} in ${JSON.stringify(body)}`);
  };
}

/** The client, with every answer checked. Its methods bear the names of the contract's operations. */
export function checked(client, check) {
  const method = (api, name) => async (...asked) => {
    const answer = await api[name](...asked);
    check(name, answer.statusCode, answer.data);
    return answer;
  };
  const area = (api) => new Proxy(api, { get: (_, name) => method(api, name) });
  return new Proxy(client, { get: (_, name) => area(client[name]) });
}
