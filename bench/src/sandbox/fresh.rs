//! How soon a workspace is there: of a sandbox that has just been started, and of one that runs.

use std::process::Command;

use serde_json::json;

use crate::cores;
use crate::figures::Figures;
use crate::load::Line;
use crate::product::Product;
use crate::workspace::Workspace;

/// Workspaces of a round.
const WORKSPACES: usize = 10;

/// What it came to.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    /// From the start of the process to its ready file, with a fund freshly made, in seconds.
    pub(crate) program: Figures,
    /// A fresh workspace of a running sandbox, in seconds.
    pub(crate) workspace: Figures,
    /// The same, from a snapshot.
    pub(crate) restored: Figures,
    /// The program's size in MB (of 1,000,000 bytes).
    pub(crate) size: f64,
}

/// Measures.
pub(crate) fn measure(product: &Product, rounds: u32) -> anyhow::Result<Fresh> {
    println!("--- fresh workspaces: {rounds} rounds");
    let length = std::fs::metadata(product.program())?.len();
    let mut fresh = Fresh {
        size: f64::from(u32::try_from(length)?) / 1e6,
        ..Fresh::default()
    };
    for _ in 0..rounds {
        let program = Command::new(product.program());
        let (running, said, took) = product.serve(program, &product.fresh_sandbox())?;
        fresh.program.add(took.as_secs_f64());
        let workspace = Workspace::of(&said)?;
        let control = workspace.control()?;
        let token = std::fs::read_to_string(&workspace.control_token_path)?;
        let call = |path: &str, body: &str| {
            format!(
                "POST /_sandbox{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                token.trim(),
                body.len()
            )
            .into_bytes()
        };
        let snapshot = format!("/workspaces/{}/snapshots", workspace.workspace_id);
        let (made, restored) = cores::wait(async {
            let mut line = Line::open(control).await?;
            line.call(&call("/workspaces", "{}")).await?; // The template is made with the first.
            line.call(&call(&snapshot, r#"{"name":"bench"}"#)).await?;
            let from = json!({"from": {"snapshot": {"workspace": workspace.workspace_id, "name": "bench"}}});
            let (mut made, mut restored) = (Vec::new(), Vec::new());
            for _ in 0..WORKSPACES {
                made.push(line.call(&call("/workspaces", "{}")).await?.1.as_secs_f64());
                let copied = line.call(&call("/workspaces", &from.to_string())).await?;
                restored.push(copied.1.as_secs_f64());
            }
            Ok((made, restored))
        })?;
        let middle = |seconds: Vec<f64>| seconds.into_iter().collect::<Figures>().median();
        fresh.workspace.add(middle(made));
        fresh.restored.add(middle(restored));
        running.end()?;
    }
    Ok(fresh)
}
