//! No call of the control plane is forgotten: each has a command, and each command's examples are
//! calls of it.

use std::collections::BTreeSet;

use clap::{Args as _, Command, FromArgMatches as _};
use sandbox::control::calls;

use super::{Args, Ask};

/// The examples in a command's help and in those of the commands below it.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string);
    let own = help.unwrap_or_default();
    let own = own
        .lines()
        .filter_map(|line| line.trim().strip_prefix("vestibule "))
        // What follows after many spaces is a remark; a pipe is the shell's.
        .map(|line| line.split("     ").next().unwrap_or_default())
        .map(|line| line.split(['|', '>']).next().unwrap_or_default().to_owned());
    let below = command.get_subcommands().flat_map(examples);
    own.chain(below).collect()
}

/// The words of a line, as a shell takes them apart.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for char in line.chars() {
        match (quote, char) {
            (Some(open), char) if char == open => quote = None,
            (None, '\'' | '"') => quote = Some(char),
            (None, ' ') => words.push(String::new()),
            (_, char) => words.last_mut().expect("a word").push(char),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn read(line: &str) -> Ask {
    let command = Args::augment_args(Command::new("ctl"));
    let line = line.trim_start_matches("--json ");
    let line = line.strip_prefix("sandbox ").expect(line);
    let matches = command
        .try_get_matches_from(words(line))
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let args = Args::from_arg_matches(&matches).expect(line);
    args.command.ask()
}

#[test]
fn every_call_of_the_control_plane_has_a_command_and_every_example_is_such_a_call() {
    let mut reached = BTreeSet::new();
    for line in examples(&Args::augment_args(Command::new("ctl"))) {
        let ask = read(&line);
        let call = calls::find(ask.method.as_str(), &ask.path);
        let call = call.unwrap_or_else(|| panic!("{line}: no call {} {}", ask.method, ask.path));
        let empty = ask
            .body
            .as_ref()
            .is_none_or(|body| body == &serde_json::json!({}));
        assert!(
            empty || call.body.is_some(),
            "{line}: {} takes no body",
            call.id
        );
        if !line.contains(" call ") || call.id == "getDocument" {
            reached.insert(call.id);
        }
    }
    let all: BTreeSet<_> = calls::all().iter().map(|call| call.id).collect();
    let forgotten: Vec<_> = all.difference(&reached).collect();
    assert!(
        forgotten.is_empty(),
        "calls without a command: {forgotten:?}"
    );
}
