//! How many transactions a second are taken in, durably, beside how often the disk is waited for.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use serde_json::json;

use crate::figures::{self, Figures};
use crate::load::Load;
use crate::product::{Product, free_port};
use crate::tokens::{self, Call};
use crate::workspace::Workspace;

/// Connections.
pub(crate) const CONNECTIONS: [usize; 2] = [1, 16];
/// Transactions of a round.
const COUNT: usize = 600;
/// Bytes that are written before each wait for the disk: about what a transaction is.
const BLOCK: usize = 4_096;

/// What it came to.
#[derive(Debug, Default)]
pub(crate) struct Creating {
    /// Transactions a second, by connections.
    pub(crate) created: Vec<(usize, Figures)>,
    /// Appends of 4 KiB with `fdatasync`, a second, in the same folder.
    pub(crate) synced: Figures,
}

/// Measures.
pub(crate) fn measure(product: &Product, folder: &Path, rounds: u32) -> anyhow::Result<Creating> {
    println!("--- transactions created: {rounds} rounds of {COUNT}");
    // People act by themselves elsewhere: here the call alone is looked at.
    let mut arguments = product.sandbox(free_port()?);
    arguments.push("--manual".to_owned());
    let (running, said, _) = product.serve(Command::new(product.program()), &arguments)?;
    let workspace = Workspace::of(&said)?;
    let (address, signer) = (workspace.address()?, workspace.user("signer")?);
    let mut creating = Creating {
        created: CONNECTIONS.map(|count| (count, Figures::default())).into(),
        synced: Figures::default(),
    };
    for _ in 0..rounds {
        creating.synced.add(synced(folder)?);
        for (connections, figures) in &mut creating.created {
            let body = json!({
                "operation": "TRANSFER", "assetId": "SOL", "amount": "0.0001",
                "source": {"type": "VAULT_ACCOUNT", "id": "0"},
                "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
            });
            let call = Call::post("/v1/transactions", body.to_string());
            let batch = tokens::sign_all(signer.user, &signer.key, &vec![call; COUNT])?;
            figures.add(Load::new(address, *connections).per_second(&batch.requests)?);
        }
    }
    running.end()?;
    Ok(creating)
}

fn synced(folder: &Path) -> anyhow::Result<f64> {
    let place = folder.join("synced");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&place)
        .context("a file to write to")?;
    let began = Instant::now();
    for _ in 0..COUNT {
        file.write_all(&[7; BLOCK])?;
        file.sync_data()?;
    }
    let rate = figures::per_second(COUNT, began.elapsed());
    std::fs::remove_file(place)?;
    rate
}
