//! `vestibule connector keys`: one key for one client. A private key cannot be printed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use connector::ClientName;
use connector::keystore::ForeignPassphrase;
use connector::operations::key_rotate::{self, Rotate, Rotated, Step};
use connector::operations::keys::{self, Adopt, KeyMade};
use protocol::keys::KeySize;

use super::At;
use crate::durations;
use crate::output::{Output, note};

/// One key for one client.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector keys new --client fund > fund.csr.pem
  vestibule connector keys adopt --client fund old-key.pem
  vestibule connector keys rotate fund
  vestibule connector keys list")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, born encrypted; prints its CSR, the only part that leaves.
    #[command(after_help = "Example:
  vestibule connector keys new --client fund > fund.csr.pem")]
    New {
        /// For which client.
        #[arg(long, value_name = "NAME")]
        client: ClientName,
        /// How long its modulus is, in bits. Fireblocks asks for 4096.
        #[arg(long, value_enum, default_value = "4096")]
        size: Bits,
    },
    /// Take in a key that was made elsewhere; it is marked so.
    #[command(after_help = "Examples:
  vestibule connector keys adopt --client fund old-key.pem > fund.csr.pem
  vestibule connector keys adopt --client fund sealed-key.pem --sealed-with its-passphrase.txt

The file stays where it is: removing it is yours to do.")]
    Adopt {
        /// For which client.
        #[arg(long, value_name = "NAME")]
        client: ClientName,
        /// The key: PEM, PKCS#8 (encrypted or not) or PKCS#1.
        file: PathBuf,
        /// A file (mode 0600) with the passphrase that opens it, where it is encrypted.
        #[arg(long, value_name = "FILE")]
        sealed_with: Option<PathBuf>,
    },
    /// Replace a client's key while everything runs: each call takes the next step.
    #[command(after_help = "Examples:
  vestibule connector keys rotate fund              make a key and offer it to the client's gate
  vestibule connector keys rotate fund              again: has the client confirmed? then it is put in place
  vestibule connector keys rotate fund --wait 24h   both, and wait in between
  vestibule connector keys rotate fund --by-hand > fund-new.csr.pem
                                                    only make it: the client brings the CSR itself

The old key is let in until the overlap ends that the client has set; whatever runs goes on with the new one.")]
    Rotate {
        /// Whose.
        client: ClientName,
        /// How long the new modulus is, in bits. Fireblocks asks for 4096.
        #[arg(long, value_enum, default_value = "4096")]
        size: Bits,
        /// Wait so long for the client.
        #[arg(long, value_name = "SPAN", value_parser = durations::parse, default_value = "0s")]
        wait: Duration,
        /// Offer it to nobody.
        #[arg(long, conflicts_with = "wait")]
        by_hand: bool,
    },
    /// Print a client's CSR again.
    #[command(after_help = "Example:
  vestibule connector keys csr --client fund > fund.csr.pem")]
    Csr {
        /// Whose.
        #[arg(long, value_name = "NAME")]
        client: ClientName,
    },
    /// Every key, as far as it may be shown.
    #[command(after_help = "Examples:
  vestibule connector keys list
  vestibule connector --json keys list")]
    List,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bits {
    #[value(name = "2048")]
    Rsa2048,
    #[value(name = "4096")]
    Rsa4096,
}

impl Bits {
    const fn of_a_key(self) -> KeySize {
        match self {
            Self::Rsa2048 => KeySize::Rsa2048,
            Self::Rsa4096 => KeySize::Rsa4096,
        }
    }
}

/// What a rotation has come to, and what is next.
fn words(done: &Rotated) -> String {
    let print = done.key.fingerprint;
    match done.step {
        Step::Made => format!(
            "made {print}: give its CSR to the client, then run `vestibule connector keys rotate {}`",
            done.key.client
        ),
        Step::Offered => format!(
            "offered {print}: the client confirms it with `vestibule gate connection key NAME confirm {print}`; then run this again"
        ),
        Step::Waiting => format!("{print} waits for the client's word"),
        Step::Switched => format!("{print} is in use now; the old key is no more"),
    }
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let made = match args.command {
        Command::New { client, size } => {
            note("making a key");
            keys::new(&connector, &client, size.of_a_key()).await?
        }
        Command::Adopt {
            client,
            file,
            sealed_with,
        } => {
            let sealed_with = sealed_with
                .map(|file| ForeignPassphrase::from_file(&file))
                .transpose()?;
            keys::adopt(
                &connector,
                Adopt {
                    client,
                    file,
                    sealed_with,
                },
            )
            .await?
        }
        Command::Rotate {
            client,
            size,
            wait,
            by_hand,
        } => {
            let how = Rotate {
                size: size.of_a_key(),
                by_hand,
            };
            let done = key_rotate::rotate_waiting(&connector, &client, how, wait).await?;
            note(words(&done));
            out.show(&done, |done| done.csr.clone())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Csr { client } => keys::csr(&connector, &client).await?,
        Command::List => {
            let list = keys::list(&connector)?;
            out.table(&list, &["CLIENT", "BITS", "ORIGIN", "FINGERPRINT"], |one| {
                vec![
                    one.client.to_string(),
                    one.bits.to_string(),
                    format!("{:?}", one.origin),
                    one.fingerprint.to_string(),
                ]
            })?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    out.show(&made, |made: &KeyMade| made.csr.clone())?;
    note("only this request leaves; the key stays sealed in the keystore");
    Ok(ExitCode::SUCCESS)
}
