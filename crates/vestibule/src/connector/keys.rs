//! `vestibule connector keys`: one key for one client. A private key cannot be printed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use connector::ClientName;
use connector::keystore::ForeignPassphrase;
use connector::operations::keys::{self, Adopt, KeyMade};
use protocol::keys::KeySize;

use super::At;
use crate::output::{Output, note};

/// One key for one client.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector keys new --client fund > fund.csr.pem
  vestibule connector keys adopt --client fund old-key.pem
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

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let made = match args.command {
        Command::New { client, size } => {
            note("making a key");
            let size = match size {
                Bits::Rsa2048 => KeySize::Rsa2048,
                Bits::Rsa4096 => KeySize::Rsa4096,
            };
            keys::new(&connector, &client, size).await?
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
