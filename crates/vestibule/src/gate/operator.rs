//! `vestibule gate operator`: the client's people.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use gate::Folder;
use gate::changes::{Change as What, ChangeState};
use gate::operations::changes::Shown as Change;
use gate::operations::operators::{Quorum, Shown};
use gate::operators::OperatorRole;
use protocol::csr::CertificateSigningRequest;
use protocol::keys::{KeySize, PrivateKey};
use serde::Serialize;
use serde_json::json;

use super::change::{told, waits};
use super::connection::handed;
use super::desk::Desk;
use super::{At, desk};
use crate::output::{Output, note};

/// The organization in an operator's CSR.
const ORGANIZATION: &str = "Vestibule operator";

/// The client's people: who they are, what each may do, how many must sign.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate operator invite alice --role admin      what she does, and what you do then
  vestibule gate operator key alice --into alice         at hers: her key stays, its CSR travels
  vestibule gate operator add alice --role admin --csr alice.csr.pem --reason 'joins operations'
  vestibule gate operator quorum 2 --reason 'four eyes'  two must sign what lets more through")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what a newcomer does at hers, and what an owner does then.
    #[command(after_help = "Example:
  vestibule gate operator invite alice --role admin")]
    Invite {
        /// Her name.
        name: String,
        /// What she may do.
        #[arg(long, value_enum)]
        role: RoleWord,
    },
    /// Make a key of your own, and its CSR for an owner of the gate. Needs no gate.
    #[command(after_help = "Example:
  vestibule gate operator key alice --into alice     alice/operator.pem stays; alice/operator.csr.pem travels")]
    Key {
        /// Your name.
        name: String,
        /// The folder that they are written to.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
    /// Let somebody in, with a key of its own.
    #[command(after_help = "Example:
  vestibule gate operator add alice --role admin --csr alice.csr.pem --reason 'joins operations'")]
    Add {
        /// Her name: nobody else ever had it.
        name: String,
        /// What she may do.
        #[arg(long, value_enum)]
        role: RoleWord,
        /// The CSR of her key.
        #[arg(long, value_name = "FILE")]
        csr: PathBuf,
        /// Why; the log keeps it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Everybody who may come in.
    #[command(after_help = "Examples:
  vestibule gate operator list
  vestibule --json gate operator list | jq 'select(.role == \"OWNER\") | .name'")]
    List,
    /// Give an operator another role.
    #[command(after_help = "Example:
  vestibule gate operator role alice auditor --reason 'another post'")]
    Role {
        /// Whose.
        name: String,
        /// What she may do then.
        #[arg(value_enum)]
        role: RoleWord,
        /// Why; the log keeps it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let an operator in no more.
    #[command(after_help = "Example:
  vestibule gate operator remove alice --reason 'has left'")]
    Remove {
        /// Who.
        name: String,
        /// Why; the log keeps it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// How many operators must sign what lets more through; with a number, ask for another.
    #[command(after_help = "Examples:
  vestibule gate operator quorum
  vestibule gate operator quorum 2 --reason 'four eyes'")]
    Quorum {
        /// How many must sign.
        #[arg(requires = "reason")]
        needed: Option<u32>,
        /// Why; the log keeps it.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleWord {
    /// Everything; alone decides who the operators are.
    Owner,
    /// Decides who comes in, to see what.
    Admin,
    /// Decides on proposals, writes reports, closes a door at once.
    Operator,
    /// Looks, and changes nothing.
    Auditor,
}

impl RoleWord {
    const fn role(self) -> OperatorRole {
        match self {
            Self::Owner => OperatorRole::Owner,
            Self::Admin => OperatorRole::Admin,
            Self::Operator => OperatorRole::Operator,
            Self::Auditor => OperatorRole::Auditor,
        }
    }
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Invite { name, role } => invite(at, &name, role, out)?,
        Command::Key { name, into } => key(&name, into, out).await?,
        Command::Add {
            name,
            role,
            csr,
            reason,
        } => {
            let csr = handed::sent(&handed::read(&csr)?);
            let body = json!({"name": name, "role": role.role(), "csr": csr, "reason": reason});
            asked(at, "POST", "/operators", &body, out).await?;
        }
        Command::List => {
            let list: Vec<Shown> = Desk::open(at)?.list("/operators").await?;
            out.table(&list, &["NAME", "ROLE", "ID", "KEY"], |one| {
                vec![
                    one.name.clone(),
                    one.role.to_string(),
                    one.id.to_string(),
                    one.fingerprint.clone(),
                ]
            })?;
        }
        Command::Role { name, role, reason } => {
            let body = json!({"role": role.role(), "reason": reason});
            asked(at, "POST", &format!("/operators/{name}/role"), &body, out).await?;
        }
        Command::Remove { name, reason } => {
            let body = json!({"reason": reason});
            asked(at, "POST", &format!("/operators/{name}/remove"), &body, out).await?;
        }
        Command::Quorum { needed, reason } => match needed {
            None => {
                let quorum: Quorum = Desk::open(at)?.get("/quorum").await?;
                out.show(&quorum, |quorum| quorum.needed.to_string())?;
            }
            Some(needed) => {
                let body = json!({"needed": needed, "reason": reason});
                asked(at, "PUT", "/quorum", &body, out).await?;
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}

async fn asked(
    at: &At,
    method: &str,
    path: &str,
    body: &impl Serialize,
    out: Output,
) -> anyhow::Result<()> {
    let change: Change = Desk::open(at)?.send(method, path, body).await?;
    waits(Some(&change));
    if let (What::AddOperator { operator, id, .. }, ChangeState::Made) =
        (&change.request.change, change.request.state)
    {
        note(format_args!(
            "{operator} calls with --operator-id {id} --operator-key FILE,"
        ));
        note(format_args!(
            "or VESTIBULE_OPERATOR_ID={id} and VESTIBULE_OPERATOR_KEY=FILE"
        ));
    }
    out.show(&change, told)
}

#[derive(Serialize)]
struct Invitation {
    newcomer: Vec<String>,
    owner: Vec<String>,
}

fn invite(at: &At, name: &str, role: RoleWord, out: Output) -> anyhow::Result<()> {
    let (folder, _) = desk::config(at)?;
    let role = role.role().as_str().to_lowercase();
    let dir = folder.path().display().to_string();
    let invitation = Invitation {
        newcomer: vec![
            format!("vestibule gate operator key {name} --into {name}"),
            format!("send {name}/operator.csr.pem to an owner; operator.pem never travels"),
        ],
        owner: vec![format!(
            "vestibule gate --dir {dir} operator add {name} --role {role} --csr {name}.csr.pem --reason TEXT"
        )],
    };
    out.show(&invitation, |invitation| {
        format!(
            "{name}, at hers:\n  {}\nThen an owner:\n  {}",
            invitation.newcomer.join("\n  "),
            invitation.owner.join("\n  ")
        )
    })
}

#[derive(Serialize)]
struct Made {
    key: PathBuf,
    csr: PathBuf,
}

async fn key(name: &str, into: PathBuf, out: Output) -> anyhow::Result<()> {
    let name = name.to_owned();
    let work = move || {
        let key = PrivateKey::generate(KeySize::Rsa4096)?;
        let csr = CertificateSigningRequest::new(&key, ORGANIZATION, Some(&name))?;
        let folder = Folder::new(&into);
        let made = Made {
            key: into.join("operator.pem"),
            csr: into.join("operator.csr.pem"),
        };
        folder.write_new(&made.key, key.to_pkcs8_pem()?.as_bytes())?;
        folder.write_new(&made.csr, csr.to_pem().as_bytes())?;
        Ok::<_, anyhow::Error>(made)
    };
    note("making a key (RSA-4096 takes some seconds)");
    let made = tokio::task::spawn_blocking(work).await;
    let made = made.context("making the key stopped unexpectedly")??;
    out.show(&made, |made| {
        format!(
            "key {} (it stays with you)\nCSR {} (for an owner of the gate)",
            made.key.display(),
            made.csr.display()
        )
    })
}
