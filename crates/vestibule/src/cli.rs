//! The commands and the arguments that all of them take.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{connector, demo, enroll, gate, key, posture, sandbox, token};

/// Third parties do their work here, and never step into the vault.
///
/// A gate in front of a Fireblocks workspace for the client, a connector for the provider, and a
/// Fireblocks-compatible workspace on localhost to try both with.
#[derive(Debug, Parser)]
#[command(
    name = "vestibule",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(after_help = "Examples:
  vestibule demo                       the whole story on this machine, in one command
  vestibule sandbox                    a workspace on localhost for the official SDKs")]
pub(crate) struct Cli {
    /// Print results as JSON, for scripts.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log, such as `info` or `gate=debug,warn` (to stderr).
    #[arg(long, global = true, value_name = "FILTER", env = "VESTIBULE_LOG")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole story on this machine: workspace, gate and four providers.
    Demo(demo::Args),
    /// Fireblocks-compatible workspaces on localhost.
    Sandbox(Box<sandbox::Args>),
    /// The client's side: what stands in front of the workspace.
    Gate(Box<gate::Args>),
    /// The seven practices in a workspace as it stands, without any gate.
    Posture(posture::Args),
    /// Let a provider into the workspace itself, without a gate in between.
    Enroll(Box<enroll::Args>),
    /// The provider's side: keys, books and exports of its clients.
    Connector(connector::Args),
    /// Which key is in a file.
    Key(key::Args),
    /// Make a request token, or say what is wrong with one.
    Token(token::Args),
    /// Print completions for a shell.
    #[command(after_help = "Example:
  vestibule completions bash > ~/.local/share/bash-completion/completions/vestibule")]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

impl Cli {
    /// Runs the command to its end.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let out = crate::output::Output { json: self.json };
        match self.command {
            Command::Demo(args) => demo::run(&args, out),
            Command::Sandbox(args) => sandbox::run(*args, out).await,
            Command::Gate(args) => gate::run(*args, out).await,
            Command::Posture(args) => posture::run(&args, out).await,
            Command::Enroll(args) => enroll::run(&args, out).await,
            Command::Connector(args) => connector::run(args, out).await,
            Command::Key(args) => key::run(&args, out),
            Command::Token(args) => token::run(&args, out),
            Command::Completions { shell } => {
                clap_complete::generate(
                    shell,
                    &mut Self::command(),
                    "vestibule",
                    &mut std::io::stdout(),
                );
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// Whose every command has examples in its help.
    const WITH_EXAMPLES: [&str; 7] = [
        "gate",
        "posture",
        "enroll",
        "connector",
        "key",
        "sandbox",
        "token",
    ];

    #[test]
    fn every_command_has_examples() {
        let cli = Cli::command();
        let bare: Vec<_> = WITH_EXAMPLES
            .iter()
            .filter_map(|name| cli.find_subcommand(name))
            .flat_map(|command| without_examples(command, "vestibule"))
            .collect();
        assert!(bare.is_empty(), "without examples: {bare:#?}");
    }

    fn without_examples(command: &clap::Command, above: &str) -> Vec<String> {
        let name = format!("{above} {}", command.get_name());
        let help = command.get_after_help().map(ToString::to_string);
        let has =
            help.is_some_and(|help| help.starts_with("Example") && help.contains("\n  vestibule "));
        let below = command
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
            .flat_map(|command| without_examples(command, &name));
        let mut bare: Vec<_> = below.collect();
        if !has {
            bare.push(name);
        }
        bare
    }
}
