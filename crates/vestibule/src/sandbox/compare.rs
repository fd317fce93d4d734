//! `vestibule sandbox compare`: what differs between a developer sandbox and ours.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use sandbox::scenario::compare::{Compared, Live, compare};
use sandbox::scenario::play::Player;
use serde_json::json;
use url::Url;

use super::{play, running};
use crate::output::{Output, note, printable};
use crate::shutdown;

/// Ask your own developer sandbox and this one the same, and tell what differs, without any value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule sandbox compare --live https://sandbox-api.fireblocks.io/v1 --key secret.pem --api-key ID
  vestibule sandbox compare --live https://sandbox-api.fireblocks.io/v1 --key secret.pem --api-key ID --allow-writes accounts-and-transfers

Only Fireblocks' developer sandbox and servers on this machine are called; only GETs unless --allow-writes.
It exits with 1 where something differs.")]
pub(crate) struct Args {
    /// Where the developer sandbox is.
    #[arg(long, value_name = "URL")]
    live: Url,
    /// The secret key of its API user, PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its API key.
    #[arg(long, value_name = "ID")]
    api_key: UserId,
    /// Play also what is not a GET: it changes the developer sandbox.
    #[arg(long)]
    allow_writes: bool,
    /// Who is called here, whatever a scenario says.
    #[arg(long = "as", value_name = "USER", default_value = "non-signing-admin")]
    name: String,
    /// Calls there in a minute.
    #[arg(long, value_name = "COUNT", default_value = "60")]
    calls_per_minute: NonZeroU32,
    /// Files, or names of shipped scenarios.
    #[arg(value_name = "FILE|NAME", default_value = "what-a-viewer-reads")]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    at: running::At,
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let file = args.key.display();
    let key =
        std::fs::read_to_string(&args.key).with_context(|| format!("{file} cannot be read"))?;
    let key = PrivateKey::from_pem(&key).with_context(|| format!("{file} has no private key"))?;
    let live = Live::new(
        args.live,
        args.api_key,
        key,
        args.calls_per_minute,
        args.allow_writes,
    )?;
    let scenarios = play::open(&args.scenarios)?;
    let mut player = match args.at.address()? {
        Some(address) => Player::at(address)?,
        None => Player::own(),
    };
    let over = shutdown::on_signal();
    let (mut compared, mut skipped, mut differ) = (0_usize, 0_usize, 0_usize);
    let mut whole = Ok(true);
    for scenario in &scenarios {
        let mut tell = |step: Compared| {
            compared += usize::from(step.skipped.is_none());
            skipped += usize::from(step.skipped.is_some());
            differ += usize::from(!step.differences.is_empty());
            if let Err(error) = told(&scenario.name, &step, out) {
                note(format_args!("{error:#}"));
            }
        };
        let played = compare(&live, &mut player, &args.name, scenario, &over, &mut tell);
        whole = played.await;
        if !matches!(whole, Ok(true)) {
            break;
        }
    }
    player.end().await;
    let to_the_end = whole?;
    let summary = json!({ "compared": compared, "differ": differ, "skipped": skipped });
    out.show(&summary, |_| {
        format!("{compared} steps compared, {differ} differ, {skipped} skipped")
    })?;
    if !to_the_end {
        return Ok(shutdown::interrupted());
    }
    Ok(if differ == 0 && compared > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn told(scenario: &str, step: &Compared, out: Output) -> anyhow::Result<()> {
    if out.json {
        let mut line = serde_json::to_value(step)?;
        line["scenario"] = scenario.into();
        return out.line(line);
    }
    let (mark, more) = match &step.skipped {
        Some(why) => ("skipped", format!("  ({})", printable(why))),
        None if step.differences.is_empty() => ("same   ", String::new()),
        None => ("DIFFERS", String::new()),
    };
    let (name, doing) = (printable(&step.step), printable(&step.doing));
    let mut text = format!("{mark}  {name}  [{doing}]{more}");
    for difference in &step.differences {
        text.push_str(&format!(
            "\n           {}: live {}, ours {}",
            printable(&difference.what),
            printable(&difference.live),
            printable(&difference.ours)
        ));
    }
    out.line(text)
}
