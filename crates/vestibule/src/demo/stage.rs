//! Everything that runs: the workspace, the gate, the providers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use protocol::ids::WebhookId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::console::Console;
use super::provider::Provider;
use super::step::Teller;
use crate::gate::desk::Desk;
use crate::gate::entrance::EntranceArgs;
use crate::gate::{At, init, run as gate_run};
use crate::sandbox::serve;

/// What runs.
pub(crate) struct Stage {
    pub(crate) data: PathBuf,
    pub(crate) sandbox: sandbox::Running,
    pub(crate) sandbox_ready: serve::Ready,
    pub(crate) console: Console,
    pub(crate) gate: gate::Running,
    pub(crate) gate_ready: gate_run::Ready,
    pub(crate) desk: Desk,
    /// The webhook that the client made for the gate.
    pub(crate) gate_webhook: WebhookId,
    pub(crate) accounting: Provider,
    pub(crate) portfolio: Provider,
    pub(crate) trading: Provider,
    pub(crate) direct: Provider,
}

fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

impl Stage {
    pub(crate) async fn set(
        data: &Path,
        seed: u64,
        shutdown: CancellationToken,
        teller: &mut Teller,
    ) -> anyhow::Result<Self> {
        teller.chapter("The stage: a workspace, a gate in front of it, four providers");
        let folder = data.join("workspace");
        crate::files::private_folder(&folder)?;
        let config = sandbox::Config {
            data: Some(folder.join("sandbox.db")),
            seed: Some(seed),
            ..sandbox::Config::new(anywhere(), anywhere())
        };
        let running = sandbox::start(config, shutdown.clone()).await?;
        let sandbox_ready = serve::ready(&running, &folder)?;
        let console = Console::of(&running)?;
        let accounts = console.accounts().await?.len();
        teller.step(
            "-",
            "client",
            "has a Fireblocks workspace (vestibule sandbox)",
            "it answers its own admin",
            Ok((
                accounts > 0,
                format!("{accounts} vault accounts at {}", sandbox_ready.base_url),
            )),
        )?;
        // Keys of 4096 bits take a while: the providers make theirs while the gate makes its own.
        let start = |name, open_key| Provider::start(data, name, open_key, shutdown.clone());
        let (built, accounting, portfolio, trading, direct) = tokio::try_join!(
            build_gate(data, &sandbox_ready, &shutdown),
            start("accounting", false),
            start("portfolio", true),
            start("trading", true),
            start("direct", false),
        )?;
        let (gate, gate_ready, desk, csr) = built;
        let viewer = console
            .add_api_user("vestibule gate", protocol::role::Role::Viewer, &csr)
            .await?;
        console.allow(viewer, &["127.0.0.1"]).await?;
        let gate_webhook = console.add_webhook(&gate_ready.webhook_url).await?;
        let _: Value = desk
            .send(
                "PUT",
                "/upstream",
                &json!({"viewer": viewer, "webhook": gate_webhook}),
            )
            .await?;
        let status = filled(&desk).await;
        teller.step(
            "-",
            "client",
            "puts a gate in front of it: a Viewer made from its CSR, one webhook (vestibule gate init, run, upstream)",
            "doctor finds nothing broken",
            status,
        )?;
        Ok(Self {
            data: data.to_owned(),
            sandbox: running,
            sandbox_ready,
            console,
            gate,
            gate_ready,
            desk,
            gate_webhook,
            accounting,
            portfolio,
            trading,
            direct,
        })
    }

    pub(crate) fn providers(&self) -> [&Provider; 4] {
        [
            &self.accounting,
            &self.portfolio,
            &self.trading,
            &self.direct,
        ]
    }

    /// Where everything is, for scripts.
    pub(crate) fn ready(&self) -> anyhow::Result<Value> {
        let mut gate = serde_json::to_value(&self.gate_ready)?;
        let open = [&self.portfolio, &self.trading];
        let providers: Vec<Value> = open
            .iter()
            .map(|provider| {
                let role = if provider.name == "trading" { "EDITOR" } else { "VIEWER" };
                let scope = super::story::scope_of(provider.name);
                json!({
                    "name": provider.name, "role": role, "api_key": provider.api_key.get(),
                    "secret_key_path": provider.key_path,
                    "scope": {
                        "vault_accounts": scope.vault_accounts, "assets": scope.assets.unwrap_or_default(),
                        "whitelists": scope.whitelists,
                    },
                })
            })
            .collect();
        gate.as_object_mut()
            .context("the gate's part is an object")?
            .insert("providers".to_owned(), json!(providers));
        let connectors: Vec<Value> = self
            .providers()
            .iter()
            .map(|provider| {
                json!({
                    "name": provider.name,
                    "webhook_url": provider.connector.webhook_url(&provider.client),
                    "data": provider.connector.folder(),
                })
            })
            .collect();
        Ok(json!({"sandbox": self.sandbox_ready, "gate": gate, "connectors": connectors}))
    }

    /// Waits until all has ended.
    pub(crate) async fn strike(self) {
        for provider in [self.accounting, self.portfolio, self.trading, self.direct] {
            let _ = provider.running.done.await;
        }
        let _ = self.gate.done().await;
        self.sandbox.done().await;
    }
}

async fn build_gate(
    data: &Path,
    sandbox: &serve::Ready,
    shutdown: &CancellationToken,
) -> anyhow::Result<(gate::Running, gate_run::Ready, Desk, String)> {
    let at = At::owner(data.join("gate"));
    let args = init::Args {
        upstream: sandbox.base_url.parse()?,
        workspace: sandbox.workspace_id.parse()?,
        jwks_url: Some(sandbox.jwks_url.parse()?),
        listen: anywhere(),
        admin: anywhere(),
        public_url: None,
        egress: vec![Ipv4Addr::LOCALHOST.into()],
        entrance: EntranceArgs::default(),
        private_target: vec!["127.0.0.0/8".parse()?],
        store_url: None,
        owner: "owner".to_owned(),
    };
    let (folder, made) = init::make(&at, args).await?;
    let (_, config) = crate::gate::desk::config(&at)?;
    let running = gate::start(folder.clone(), config, shutdown.clone()).await?;
    let desk = Desk::at(&folder, &running.admin_origin)?;
    let ready = gate_run::ready(&running, &folder);
    Ok((
        running,
        ready,
        desk,
        std::fs::read_to_string(made.viewer_csr)?,
    ))
}

/// What `gate doctor` says, once the books are filled.
async fn filled(desk: &Desk) -> super::step::Saw {
    let status: Value = super::story::until("the gate's books are filled", || async {
        let status: Value = desk.get("/status").await?;
        Ok((status["filled"] == true).then_some(status))
    })
    .await?;
    let checks = status["checks"].as_array().cloned().unwrap_or_default();
    let broken: Vec<_> = checks
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["what"].to_string())
        .collect();
    Ok((
        broken.is_empty() && !checks.is_empty(),
        format!(
            "{} checks, broken: {}",
            checks.len(),
            if broken.is_empty() {
                "none".to_owned()
            } else {
                broken.join(", ")
            }
        ),
    ))
}
