//! From a file's text to a scenario that can be played, or to everything that is wrong with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::model::event::EventType;
use protocol::operations::{self, Resolution};
use protocol::time::Millis;
use serde_json::Value;
use toml::Spanned;

use super::target::Target;
use super::variables::{names, names_of};
use super::written::{self, Table};
use super::{Act, Capture, MAX_RECEIVERS, MAX_STEPS, MAX_WAIT, Scenario, Step, Workspace};
use crate::control::calls;
use crate::described::{Found, Plan, Problems, Shipped, UnknownName, near, of_serde};
use crate::ground::{File, Ground};
use crate::world::Network;

mod expectations;
mod values;

use values::json;

/// Reads a scenario. `file` is what its errors name, `workspaces` finds workspace files.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &Path, text: &str, workspaces: WorkspaceFiles<'_>) -> Result<Scenario, Problems> {
    let mut reader = Reader {
        text,
        workspaces,
        found: Found::default(),
        callers: None,
        known: BTreeSet::new(),
        receivers: Vec::new(),
    };
    let written = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(text.len()..text.len());
        let what = of_serde(&error.message().replace('\n', "; "));
        reader.found.add(at, what);
    });
    let scenario = written
        .ok()
        .and_then(|written| reader.scenario(file, written));
    let called = file.display().to_string();
    reader.found.told(&called, text)?;
    scenario.ok_or_else(|| Problems {
        file: called,
        all: Vec::new(),
    })
}

/// Finds a workspace file by the word that a scenario names it with.
pub type WorkspaceFiles<'a> = &'a dyn Fn(&str) -> Result<(PathBuf, File), String>;

/// The line, from 1, of a byte.
fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

struct Reader<'a> {
    text: &'a str,
    workspaces: WorkspaceFiles<'a>,
    found: Found,
    /// Who may call the API in its workspace, once that is known.
    callers: Option<Vec<String>>,
    /// The names that may be used, as far as was read.
    known: BTreeSet<String>,
    receivers: Vec<String>,
}

impl Reader<'_> {
    fn line<T>(&self, place: &Spanned<T>) -> usize {
        line_at(self.text, place.span().start)
    }

    /// Notes what is wrong at a place.
    fn wrong<T>(&mut self, place: &Spanned<T>, what: impl Into<String>) {
        self.found.add(place.span(), what);
    }

    fn scenario(&mut self, file: &Path, written: written::File) -> Option<Scenario> {
        let workspace = self.workspace(&written);
        self.known.insert("run".to_owned());
        self.known.insert("workspace".to_owned());
        for receiver in &written.receivers {
            let name = receiver.get_ref();
            let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
            if name.is_empty() || !name.chars().all(plain) {
                self.wrong(receiver, "a receiver's name is letters, digits, - and _");
            } else if self.receivers.contains(name) {
                self.wrong(receiver, format!("there are two receivers '{name}'"));
            } else if self.receivers.len() >= MAX_RECEIVERS {
                self.wrong(receiver, format!("at most {MAX_RECEIVERS} receivers"));
            }
            self.receivers.push(name.clone());
            self.known.insert(format!("receiver.{name}"));
        }
        if written.step.is_empty() {
            self.wrong(&written.name, "a scenario has steps: [[step]]");
        }
        if let Some(beyond) = written.step.get(MAX_STEPS) {
            self.wrong(beyond, format!("at most {MAX_STEPS} steps"));
            return None;
        }
        let mut steps = Vec::new();
        for step in written.step {
            steps.extend(self.step(step));
        }
        Some(Scenario {
            name: written.name.into_inner(),
            about: written.about,
            file: file.to_owned(),
            workspace: workspace?,
            receivers: self.receivers.clone(),
            steps,
        })
    }

    fn workspace(&mut self, written: &written::File) -> Option<Workspace> {
        let network = match &written.network {
            None => Some(Network::Mainnet),
            Some(word) => {
                let network = Network::named(word.get_ref());
                if network.is_none() {
                    self.wrong(word, "a network is mainnet or testnet");
                }
                network
            }
        };
        let word = written.workspace.as_ref();
        let shipped = word.map_or(Ok(Shipped::Fund), |word| word.get_ref().parse());
        let from = match (shipped, word) {
            (Ok(shipped), _) => network.map(|network| {
                self.people(&shipped.plan(network));
                (Ground::shipped(shipped, network), None)
            }),
            (Err(UnknownName), None) => None,
            (Err(UnknownName), Some(word)) => match (self.workspaces)(word.get_ref()) {
                Ok((path, file)) => {
                    if let Some(network) = &written.network {
                        self.wrong(
                            network,
                            "a workspace file says itself of which network it is",
                        );
                    }
                    self.people(file.plan());
                    Some((Ground::File(file.name().to_owned()), Some((path, file))))
                }
                Err(why) => {
                    self.wrong(
                        word,
                        format!("no workspace is shipped by that name ({UnknownName}), and {why}"),
                    );
                    None
                }
            },
        };
        let frozen_at = written.frozen_at.as_ref().and_then(|text| {
            let at: Option<jiff::Timestamp> = text.get_ref().parse().ok();
            if at.is_none() {
                self.wrong(text, "a moment is like 2026-01-31T12:00:00Z");
            }
            at.map(|at| Millis(at.as_millisecond()))
        });
        let (from, file) = from?;
        Some(Workspace {
            from,
            file,
            manual: written.manual,
            seed: written.seed,
            frozen_at,
        })
    }

    /// Who is in the workspace.
    fn people(&mut self, plan: &Plan) {
        for member in &plan.people {
            self.known.insert(format!("user.{}", member.name));
        }
        let callers = plan.people.iter().filter(|one| one.key_pem.is_some());
        self.callers = Some(callers.map(|one| one.name.clone()).collect());
    }

    fn step(&mut self, written: Spanned<written::Step>) -> Option<Step> {
        let line = self.line(&written.get_ref().name);
        let mut step = written.into_inner();
        let within = step.within.take().and_then(|text| self.duration(&text));
        let act = self.act(&mut step);
        if act.is_some() {
            self.leftovers(&step);
        }
        let expect = self.expectations(step.expect);
        let mut captures: Vec<_> = step.capture.into_iter().collect();
        captures.sort_by_key(|(name, _)| name.span().start);
        let mut read = Vec::new();
        for (name, path) in captures {
            if name.get_ref().contains(['.', '}', '$']) {
                self.wrong(&name, "a name has no '.', '}' or '$' in it");
            }
            self.known.insert(name.get_ref().clone());
            if let Some(parsed) = self.path(&path, path.get_ref()) {
                read.push(Capture {
                    line: self.line(&path),
                    name: name.into_inner(),
                    path: parsed,
                });
            }
        }
        Some(Step {
            name: step.name.into_inner(),
            line,
            act: act?,
            expect,
            captures: read,
            within,
        })
    }

    fn duration(&mut self, text: &Spanned<String>) -> Option<Duration> {
        let read: Option<jiff::SignedDuration> = text.get_ref().parse().ok();
        let read = read.and_then(|read| Duration::try_from(read).ok());
        let fits = read.filter(|read| *read <= MAX_WAIT);
        if fits.is_none() {
            self.wrong(text, "a wait is like 20s or 2m, at most 10m");
        }
        fits
    }

    fn act(&mut self, step: &mut written::Step) -> Option<Act> {
        let given = (
            step.call.take(),
            step.control.take(),
            step.webhook.take(),
            step.receiver.take(),
        );
        match given {
            (Some(call), None, None, None) => self.api(call, step),
            (None, Some(call), None, None) => self.control(call, step),
            (None, None, Some(receiver), None) => self.webhook(receiver, step),
            (None, None, None, Some(receiver)) => self.answers(receiver, step),
            _ => {
                let what = "a step does one thing: call, control, webhook or receiver";
                self.wrong(&step.name, what);
                None
            }
        }
    }

    fn api(&mut self, call: Spanned<String>, step: &mut written::Step) -> Option<Act> {
        let user = match step.user.take() {
            Some(user) => user,
            None => {
                self.wrong(&call, "a call is made by somebody: as = \"viewer\"");
                return None;
            }
        };
        if let Some(callers) = &self.callers
            && !callers.contains(user.get_ref())
        {
            let (name, all) = (user.get_ref(), callers.join(", "));
            let near = near(name, callers.iter().map(String::as_str));
            self.wrong(
                &user,
                format!("no API user '{name}'; there are: {all}{near}"),
            );
        }
        let text = call.get_ref();
        let (operation, path) = match text.split_once(' ') {
            None => {
                let Some(operation) = operations::by_id(text) else {
                    self.wrong(&call, format!("'{text}' is no operation of the contract"));
                    return None;
                };
                let template = format!("{}{}", operations::PREFIX, operation.path);
                let path = self.path_of(&call, &template, step.path.take())?;
                (operation, path)
            }
            Some((method, path)) => {
                let likeness = Target::likeness(path.split('?').next().unwrap_or_default());
                match operations::resolve(method, &likeness) {
                    Resolution::Known(known) => (known.operation, path.to_owned()),
                    Resolution::MethodNotAllowed | Resolution::Unknown => {
                        self.wrong(&call, format!("'{text}' is no operation of the contract"));
                        return None;
                    }
                }
            }
        };
        let query = self.query(step.query.take());
        let target = Target::new(path, query);
        self.used(&call, &target.names());
        let body = step.body.take().and_then(|body| self.body(&body));
        let idempotency_key = step.idempotency_key.take().map(|key| {
            self.used(&key, &names_of(key.get_ref()));
            key.into_inner()
        });
        Some(Act::Api {
            user: user.into_inner(),
            operation,
            target,
            body,
            idempotency_key,
        })
    }

    fn control(&mut self, name: Spanned<String>, step: &mut written::Step) -> Option<Act> {
        let text = name.get_ref();
        let Some(call) = calls::by_id(text).filter(|call| !call.streams) else {
            let near = near(text, calls::all().iter().map(|call| call.id));
            let what =
                format!("'{text}' is no call of the control plane; its document names them{near}");
            self.wrong(&name, what);
            return None;
        };
        let path = self.path_of(&name, call.path, step.path.take())?;
        let target = Target::new(path, Vec::new());
        self.used(&name, &target.names());
        let body = match (step.body.take(), call.body) {
            (Some(body), Some(_)) => self.body(&body),
            (Some(body), None) => {
                self.wrong(&body, format!("'{text}' takes no body"));
                None
            }
            (None, _) => None,
        };
        Some(Act::Control { call, target, body })
    }

    fn webhook(&mut self, receiver: Spanned<String>, step: &mut written::Step) -> Option<Act> {
        let receiver = self.receiver(receiver)?;
        let known = |kind: &str| EventType::ALL.iter().any(|known| known.as_str() == kind);
        if let Some(kind) = &step.kind
            && !known(kind.get_ref())
        {
            self.wrong(kind, format!("'{}' is no event's type", kind.get_ref()));
        }
        Some(Act::Webhook {
            receiver,
            kind: step.kind.take().map(Spanned::into_inner),
            count: step.count.take().map(|count| count.into_inner() as usize),
        })
    }

    fn answers(&mut self, receiver: Spanned<String>, step: &mut written::Step) -> Option<Act> {
        let Some(status) = step.answers.take() else {
            self.wrong(&receiver, "a receiver answers with a status: answers = 503");
            return None;
        };
        if !(200..600).contains(status.get_ref()) {
            self.wrong(&status, "a status is 200 to 599");
        }
        Some(Act::Answers {
            receiver: self.receiver(receiver)?,
            status: status.into_inner(),
        })
    }

    fn receiver(&mut self, name: Spanned<String>) -> Option<String> {
        if self.receivers.contains(name.get_ref()) {
            return Some(name.into_inner());
        }
        let what = format!(
            "no receiver '{}': it must stand in receivers = [...] at the top",
            name.get_ref()
        );
        self.wrong(&name, what);
        None
    }

    /// The path of a call, its parameters put in.
    fn path_of<T>(
        &mut self,
        place: &Spanned<T>,
        template: &str,
        given: Option<Spanned<Table>>,
    ) -> Option<String> {
        let mut given = given.map(Spanned::into_inner).unwrap_or_default();
        let mut path = Vec::new();
        let mut missing = Vec::new();
        for part in template.split('/') {
            match part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                None => path.push(part.to_owned()),
                Some("workspace") => path.push("${workspace}".to_owned()),
                Some(name) => match given.remove(name).map(|value| json(value.get_ref())) {
                    Some(Ok(Value::String(text))) => path.push(Target::part(&text)),
                    Some(Ok(Value::Number(number))) => path.push(number.to_string()),
                    Some(_) => self.wrong(place, format!("path.{name} is a text or a number")),
                    None => missing.push(name),
                },
            }
        }
        if !missing.is_empty() {
            let what = format!("in path = {{...}} is missing: {}", missing.join(", "));
            self.wrong(place, what);
            return None;
        }
        for (name, value) in given {
            self.wrong(&value, format!("'{name}' is no parameter of {template}"));
        }
        Some(path.join("/"))
    }

    fn query(&mut self, given: Option<Spanned<Table>>) -> Vec<(String, Value)> {
        let mut query: Vec<_> = given
            .map(Spanned::into_inner)
            .into_iter()
            .flatten()
            .collect();
        query.sort_by_key(|(_, value)| value.span().start);
        let mut read = Vec::new();
        for (name, value) in query {
            match json(value.get_ref()) {
                Ok(value) if !(value.is_object() || value.is_array() || value.is_null()) => {
                    read.push((name, value));
                }
                _ => self.wrong(&value, "a parameter is a text, a number or true or false"),
            }
        }
        read
    }

    fn body(&mut self, body: &Spanned<toml::Value>) -> Option<Value> {
        match json(body.get_ref()) {
            Ok(value) => {
                self.used(body, &names(&value));
                Some(value)
            }
            Err(what) => {
                self.wrong(body, what);
                None
            }
        }
    }

    /// Names that are used where they stand must be known by then.
    fn used<T>(&mut self, place: &Spanned<T>, names: &[&str]) {
        for name in names {
            if !self.known.contains(*name) {
                let what =
                    format!("${{{name}}} is not known here: an earlier step must capture it");
                self.wrong(place, what);
            }
        }
    }

    /// Keys that the step has no use for.
    fn leftovers(&mut self, step: &written::Step) {
        let no_use = |name: &str| format!("'{name}' is of no use in this step");
        let texts = [
            ("as", &step.user),
            ("idempotency_key", &step.idempotency_key),
            ("type", &step.kind),
        ];
        for (name, place) in texts {
            if let Some(place) = place {
                self.wrong(place, no_use(name));
            }
        }
        for (name, table) in [("path", &step.path), ("query", &step.query)] {
            if let Some(place) = table {
                self.wrong(place, no_use(name));
            }
        }
        if let Some(place) = &step.body {
            self.wrong(place, no_use("body"));
        }
        if let Some(place) = &step.count {
            self.wrong(place, no_use("count"));
        }
        if let Some(place) = &step.answers {
            self.wrong(place, no_use("answers"));
        }
    }
}

#[cfg(test)]
mod tests;
