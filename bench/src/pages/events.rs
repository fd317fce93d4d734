//! Transactions that are made upstream while the gate is read: each is told to it by several events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use super::body;
use crate::cores;
use crate::load::Line;
use crate::product::until_within;
use crate::tokens::{self, Call};
use crate::world::{FILLED, Provider, World};

/// A transaction so often.
pub(crate) const EACH: Duration = Duration::from_millis(50);

/// Made until they are to end.
#[derive(Debug)]
pub(crate) struct Events {
    ended: Arc<AtomicBool>,
    maker: JoinHandle<anyhow::Result<Made>>,
}

#[derive(Debug)]
struct Made {
    count: usize,
    last: String,
}

impl Events {
    /// From a vault account nobody has in scope to one that every provider has.
    pub(crate) fn begin(world: &World) -> anyhow::Result<Self> {
        let (address, signer) = (world.workspace.address()?, world.workspace.user("signer")?);
        let to = world.newest.clone();
        let ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ended);
        let maker = std::thread::spawn(move || {
            cores::on_async(cores::LOAD, move || async move {
                let body = json!({
                    "operation": "TRANSFER", "assetId": "USDC", "amount": "0.01",
                    "source": {"type": "VAULT_ACCOUNT", "id": "0"},
                    "destination": {"type": "VAULT_ACCOUNT", "id": to},
                });
                let call = Call::post("/v1/transactions", body.to_string());
                let mut line = Line::open(address).await?;
                let (mut count, mut last) = (0, None);
                while !over.load(Ordering::Relaxed) {
                    let request = tokens::request(signer.user, &signer.key, &call)?;
                    let (answer, _) = line.call(&request).await?;
                    let made: Value = serde_json::from_slice(&answer.body)?;
                    last = made.get("id").and_then(Value::as_str).map(str::to_owned);
                    count += 1;
                    tokio::time::sleep(EACH).await;
                }
                let last = last.context("a transaction was made")?;
                Ok(Made { count, last })
            })
        });
        Ok(Self { ended, maker })
    }

    /// How many there were, and how long it took until the last of them was seen through the gate.
    pub(crate) fn end(
        self,
        world: &World,
        provider: &Provider,
    ) -> anyhow::Result<(usize, Duration)> {
        self.ended.store(true, Ordering::Relaxed);
        let made = self.maker.join();
        let made = made.map_err(|_| anyhow!("making transactions broke off"))??;
        let target = format!("/v1/transactions/{}", made.last);
        let began = Instant::now();
        until_within(
            FILLED,
            "the last transaction is seen through the gate",
            || Ok(body(world.gate_address, provider, &target).ok()),
        )?;
        Ok((made.count, began.elapsed()))
    }
}
