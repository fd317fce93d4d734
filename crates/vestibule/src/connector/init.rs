//! `vestibule connector init`: folder, keystore, books.

use std::net::SocketAddr;
use std::process::ExitCode;

use connector::Settings;
use connector::operations::init;
use ipnet::IpNet;
use protocol::handover::parse_range;
use url::Url;

use super::At;
use crate::output::Output;

/// Make the folder, the keystore and the books.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule connector init --organization \"Acme Books\" --egress 203.0.113.7 --public-url https://hooks.acme.example")]
pub(crate) struct Args {
    /// The provider's name, in every CSR.
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// An address or a range that requests leave by (may be given more than once).
    #[arg(long, value_name = "ADDR|NET", value_parser = parse_range)]
    egress: Vec<IpNet>,
    /// What stands before /webhooks/NAME as clients reach it.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// Where webhooks are taken in.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// postgres://... in place of a SQLite file in the folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        organization: args.organization,
        egress: args.egress,
        public_url: args.public_url,
        listen: args.listen,
        database: args.database,
        ..Settings::default()
    };
    let made = init::init(&at.dir, &settings).await?;
    out.show(&made, |made| {
        format!(
            "made {}\nNow: vestibule connector keys new --client NAME",
            made.settings.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
