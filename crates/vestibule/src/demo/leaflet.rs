//! What to try next, with keys and URLs that work.

use std::path::Path;

use super::stage::Stage;
use crate::sandbox::env::quoted;

/// What is to be copied begins at the margin: a shell and Python mind the spaces before it.
pub(crate) fn print(stage: &Stage) -> String {
    let (gate, sandbox) = (&stage.gate_ready, &stage.sandbox_ready);
    let api_key = stage
        .trading
        .api_key
        .get()
        .map(ToString::to_string)
        .unwrap_or_default();
    let key = stage
        .trading
        .key_path
        .as_ref()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    let base = &gate.base_url;
    let origin = &stage.gate.origin;
    let program = program();
    let data = stage.data.display();
    let folder = stage.trading.connector.folder();
    format!(
        r#"
Everything is up; Ctrl-C ends it. Data, keys and books: {data}

The gate as the trading provider (an Editor; pip install fireblocks==35.1.0):

python3 - <<'PY'
from fireblocks.client import Fireblocks
from fireblocks.client_configuration import ClientConfiguration
from fireblocks.models import TransactionRequest, TransactionRequestAmount
key = open("{key}").read()
with Fireblocks(ClientConfiguration(api_key="{api_key}", secret_key=key, base_path="{base}")) as fb:
    for account in fb.vaults.get_paged_vault_accounts().result().data.accounts:
        print(account.id, account.name, [(a.id, a.total) for a in account.assets])
    print(fb.transactions.create_transaction(transaction_request=TransactionRequest(
        operation="TRANSFER", asset_id="ETH", amount=TransactionRequestAmount("0.5"), note="try me",
        source={{"type": "VAULT_ACCOUNT", "id": "1"}}, destination={{"type": "VAULT_ACCOUNT", "id": "2"}},
    )).result().data)
PY

The same in TypeScript or JavaScript (npm install @fireblocks/ts-sdk@18.0.0; as try.ts or try.mjs):

import {{ readFileSync }} from "node:fs";
import {{ Fireblocks }} from "@fireblocks/ts-sdk";

const fireblocks = new Fireblocks({{
  apiKey: "{api_key}", secretKey: readFileSync("{key}", "utf8"), basePath: "{base}" }});
fireblocks.vaults.getPagedVaultAccounts({{}}).then(
  (answer) => console.log(answer.data.accounts), (error) => console.error(error));

The same with curl and openssl, without any SDK:

target="/v1/vault/accounts_paged?limit=3"
b64() {{ openssl base64 -A | tr '+/' '-_' | tr -d '='; }}
head=$(printf '{{"alg":"RS256","typ":"JWT"}}' | b64)
claims=$(printf '{{"uri":"%s","nonce":"%s","iat":%d,"exp":%d,"sub":"%s","bodyHash":"%s"}}' "$target" \
  "$(openssl rand -hex 16)" "$(date +%s)" "$(($(date +%s) + 30))" "{api_key}" \
  "$(printf '' | openssl dgst -sha256 -r | cut -d' ' -f1)" | b64)
signature=$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -sign "{key}" | b64)
curl -H "X-API-Key: {api_key}" -H "Authorization: Bearer $head.$claims.$signature" "{origin}$target"

What waits for your decision, as the gate's owner:

{program} gate --dir {gate_folder} proposal list
{program} gate --dir {gate_folder} proposal approve ID
{program} gate --dir {gate_folder} posture
{program} gate --dir {gate_folder} log verify

A provider's own view:

{program} connector --dir {provider} --passphrase-file {passphrase} status

What anybody may see, and the sandbox's own side:

curl {jwks}
curl -H "Authorization: Bearer $(cat {token})" {control}/workspaces

The workspace itself: {upstream} (keys of each role in {data}/workspace/keys)
"#,
        jwks = gate.jwks_url,
        gate_folder = word(&stage.data.join("gate")),
        provider = word(folder),
        passphrase = word(&folder.join("passphrase")),
        token = word(&sandbox.control_token_path),
        control = sandbox.control_url,
        upstream = sandbox.base_url,
    )
}

/// How this very program is called: it may be on no PATH.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "vestibule".to_owned(), |path| word(&path))
}

/// A path as a word of a shell's line.
fn word(path: &Path) -> String {
    quoted(&path.display().to_string())
}
