//! A workspace, a gate in front of it whose books are filled, and two providers that were let in:
//! made with the product's own commands, as a client and its Console would.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Method;
use protocol::csr::CertificateSigningRequest;
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::model::vault::VaultAccountsPagedResponse;
use serde_json::{Value, json};
use tempfile::TempDir;
use wire::client::{Budget, Client, LocalKey, Once};
use wire::clock::SystemClock;

use crate::cores;
use crate::product::{Product, Running, free_port, until_within};
use crate::workspace::Workspace;

/// Who in the sandbox makes API users and webhooks.
const ADMIN: &str = "non-signing-admin";
/// Calls a minute to the sandbox: as many as we like.
const CALLS: NonZeroU32 = NonZeroU32::MIN.saturating_add(5_999);

/// Accounts of a page of the sandbox's.
const PAGE: usize = 500;
/// How long a large workspace may take to be made, and to be read into the gate's books.
pub(crate) const FILLED: Duration = Duration::from_secs(300);

/// A provider with its key.
#[derive(Debug)]
pub(crate) struct Provider {
    /// How its key is called in the tables.
    pub(crate) name: &'static str,
    /// Its API key.
    pub(crate) user: UserId,
    /// Its key.
    pub(crate) key: PrivateKey,
}

/// What the workspace holds, and who is let in.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    /// The description of the workspace; the sandbox's own if missing.
    pub(crate) workspace: Option<&'a Path>,
    /// Most vault accounts in a provider's scope, the newest of the workspace.
    pub(crate) in_scope: usize,
}

impl Setting<'_> {
    /// The sandbox's own workspace, every account in scope.
    pub(crate) const SMALL: Setting<'static> = Setting {
        workspace: None,
        in_scope: PAGE,
    };
}

/// What runs.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) product: Product,
    pub(crate) sandbox: Option<Running>,
    pub(crate) sandbox_port: u16,
    pub(crate) gate: Option<Running>,
    /// Where providers come in.
    pub(crate) gate_address: SocketAddr,
    pub(crate) providers: Vec<Provider>,
    /// Vault accounts in the providers' scopes.
    pub(crate) accounts: usize,
    /// The newest of them.
    pub(crate) newest: String,
    /// The workspace itself, as its sandbox tells it.
    pub(crate) workspace: Workspace,
    pub(crate) folder: TempDir,
}

impl World {
    /// Makes it all. The gate is on the servers' core, what is behind it on the other.
    pub(crate) fn set(program: &Path, setting: &Setting<'_>) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("vestibule-bench-")?;
        let product = Product::new(program, folder.path());
        let sandbox_port = free_port()?;
        let mut arguments = product.sandbox(sandbox_port);
        if let Some(workspace) = setting.workspace {
            let workspace = workspace.display().to_string();
            arguments.extend(["--workspace".to_owned(), workspace]);
        }
        let behind = cores::pinned(cores::LOAD, program);
        let (sandbox, said, _) = product.serve_within(FILLED, behind, &arguments)?;
        let ready = Workspace::of(&said)?;
        let listen = format!("127.0.0.1:{}", free_port()?);
        let made = product.run(&product.gate(&[
            "init",
            "--upstream",
            &ready.base_url,
            "--workspace",
            &ready.workspace_id,
            "--jwks-url",
            &ready.jwks_url,
            "--listen",
            &listen,
            "--admin",
            "127.0.0.1:0",
            "--egress",
            "127.0.0.1",
            "--private-target",
            "127.0.0.0/8",
        ]))?;
        let settings = product.gate_folder().join("gate.toml");
        let shipped = std::fs::read_to_string(&settings)?;
        std::fs::write(&settings, hurried(&shipped)?)?;
        let serve = || {
            let pinned = cores::pinned(cores::SERVER, program);
            product.serve_within(FILLED, pinned, &product.gate(&["run"]))
        };
        let (gate, said, _) = serve()?;
        let gate_url = text(&said, "/gate/base_url")?;
        let gate_address = gate_url
            .trim_start_matches("http://")
            .trim_end_matches("/v1")
            .parse()
            .context("the gate's address")?;
        let csr = std::fs::read_to_string(text(&made, "/viewer_csr")?)?;
        let webhook_url = text(&said, "/gate/webhook_url")?.to_owned();
        let accounts =
            cores::wait(async { console(&ready, &csr, &webhook_url, setting.in_scope).await })?;
        product.run(&product.gate(&[
            "upstream",
            "--viewer-api-key",
            &accounts.viewer,
            "--webhook-id",
            &accounts.webhook,
        ]))?;
        until_within(FILLED, "the gate's books are filled", || {
            let status = product.run(&product.gate(&["doctor"])).ok();
            Ok(status.filter(|status| status.get("filled") == Some(&Value::Bool(true))))
        })?;
        let providers = [
            ("RSA-2048", KeySize::Rsa2048),
            ("RSA-4096", KeySize::Rsa4096),
        ]
        .into_iter()
        .map(|(name, size)| let_in(&product, folder.path(), name, size, &accounts.accounts))
        .collect::<anyhow::Result<_>>()?;
        // What is measured is a gate as it is shipped.
        gate.end()?;
        std::fs::write(&settings, &shipped)?;
        let (gate, ..) = serve()?;
        Ok(Self {
            product,
            sandbox: Some(sandbox),
            sandbox_port,
            gate: Some(gate),
            gate_address,
            providers,
            accounts: accounts.accounts.len(),
            newest: accounts.accounts.first().cloned().context("an account")?,
            workspace: ready,
            folder,
        })
    }
}

/// The gate's settings, but it may ask upstream as often as it likes: the books are to be filled soon.
fn hurried(shipped: &str) -> anyhow::Result<String> {
    let (told, wanted) = (
        "calls_per_minute = 300",
        format!("calls_per_minute = {CALLS}"),
    );
    ensure!(
        shipped.contains(told),
        "the gate's settings say how often it asks"
    );
    Ok(shipped.replace(told, &wanted))
}

struct Made {
    viewer: String,
    webhook: String,
    accounts: Vec<String>,
}

/// What the client does in its Console: an API user from the gate's CSR, and a webhook.
async fn console(
    ready: &Workspace,
    csr: &str,
    webhook_url: &str,
    in_scope: usize,
) -> anyhow::Result<Made> {
    let admin = ready.user(ADMIN)?;
    let client = Client::new(
        &ready.base_url,
        Arc::new(LocalKey::new(admin.user, admin.key)),
        Budget::per_minute(CALLS, CALLS, Duration::from_secs(10)),
        Arc::new(SystemClock),
    )?;
    let post = async |target: &str, body: Value| {
        let body = Bytes::from(body.to_string());
        client
            .write(Method::POST, target, body, Once::Unkeyed)
            .await
    };
    let name = "vestibule gate";
    post(
        "/v1/management/api_users",
        json!({"name": name, "role": "VIEWER", "csrPem": csr}),
    )
    .await?;
    let users: Value = client.get("/v1/management/api_users").await?.json()?;
    let viewer = users
        .get("users")
        .and_then(Value::as_array)
        .and_then(|users| {
            users
                .iter()
                .find(|user| user.get("name") == Some(&json!(name)))
        })
        .context("the gate's API user is listed")?;
    let webhook: Value = post("/v1/webhooks", json!({"url": webhook_url, "events": ["*"]}))
        .await?
        .json()?;
    let mut accounts = Vec::new();
    let mut target = format!("/v1/vault/accounts_paged?limit={PAGE}");
    while accounts.len() < in_scope {
        let page: VaultAccountsPagedResponse = client.get(&target).await?.json()?;
        accounts.extend(page.accounts.iter().map(|account| account.id.to_string()));
        let Some(after) = page.paging.after else {
            break;
        };
        target = format!("/v1/vault/accounts_paged?limit={PAGE}&after={after}");
    }
    accounts.truncate(in_scope);
    Ok(Made {
        viewer: text(viewer, "/id")?.to_owned(),
        webhook: text(&webhook, "/id")?.to_owned(),
        accounts,
    })
}

/// A connection for a new key, with every account in scope.
fn let_in(
    product: &Product,
    folder: &Path,
    name: &'static str,
    size: KeySize,
    accounts: &[String],
) -> anyhow::Result<Provider> {
    let key = PrivateKey::generate(size)?;
    let csr = folder.join(format!("{name}.csr"));
    let request = CertificateSigningRequest::new(&key, "Bench", None)?;
    std::fs::write(&csr, request.to_pem())?;
    let csr = csr.display().to_string();
    let mut arguments = product.gate(&[
        "connection",
        "request",
        name,
        "--csr",
        &csr,
        "--role",
        "viewer",
        "--address",
        "127.0.0.1/32",
        "--address",
        "127.0.1.0/24",
    ]);
    // Counted, and never used up: one key stands for all providers here.
    for budget in ["requests_per_second", "requests_per_day", "rows_per_day"] {
        arguments.extend(["--budget".to_owned(), format!("{budget}={}", u32::MAX)]);
    }
    for account in accounts {
        arguments.extend(["--vault-account".to_owned(), account.clone()]);
    }
    product.run(&arguments)?;
    let handback =
        product.run(&product.gate(&["connection", "approve", name, "--reason", "as agreed"]))?;
    let user = text(&handback, "/api_key")?.parse()?;
    ensure!(key.public().bits() >= 2048, "a key of the wanted size");
    Ok(Provider { name, user, key })
}

fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .with_context(|| format!("no {pointer} in what was printed"))
}
