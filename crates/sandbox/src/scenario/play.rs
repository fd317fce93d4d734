//! Playing scenarios: in sandboxes started for it, or in a running one; each in a workspace of its
//! own, which goes when it is over.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::expect::{Failure, Seen};
use super::receivers::Receivers;
use super::side::{Callers, Control, Done, Side, Unplayable, client};
use super::variables::Variables;
use super::{Scenario, Step, Workspace};
use crate::hosts;
use crate::start::{self, Config, Running, StartError};

/// Calls a minute of a user of a sandbox: as many as anybody needs.
const CALLS: NonZeroU32 = NonZeroU32::new(60_000).unwrap();

/// A sandbox that runs.
#[derive(Clone, Debug)]
pub struct Address {
    /// Where its API is: `http://127.0.0.1:8080/v1`.
    pub base_url: Url,
    /// Where `/_sandbox` is.
    pub control_url: Url,
    /// What calls of `/_sandbox` need.
    pub control_token: SecretString,
    /// Where its webhooks' keys are listed.
    pub jwks_url: Url,
}

/// Why a scenario could not be played to its end: nothing that it expects is at fault.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// A sandbox for it.
    #[error("the sandbox does not start: {0}")]
    Start(#[from] StartError),
    /// A running sandbox.
    #[error(transparent)]
    Host(#[from] hosts::Refused),
    /// Its control plane.
    #[error("no workspace could be made: {0}")]
    Workspace(String),
    /// The running sandbox is not as the scenario wants it.
    #[error("{0}")]
    Unfit(String),
    /// Receivers, clients.
    #[error("{0}")]
    Client(String),
}

/// How a step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that was expected was seen.
    Passed,
    /// Something was not.
    Failed,
    /// It could not be played, since a step before it was not.
    Skipped,
}

/// What came of a step.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// What it is called.
    pub step: String,
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// How it came out.
    pub verdict: Verdict,
    /// What was done.
    pub doing: String,
    /// What was seen, cut where it is long.
    pub saw: String,
    /// What was expected and not seen.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub millis: u64,
}

/// What came of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it is called.
    pub scenario: String,
    /// Its steps, as far as they were played.
    pub steps: Vec<StepReport>,
    /// How many steps were not come to.
    pub left: usize,
    /// Whether it was ended from outside.
    pub interrupted: bool,
}

impl Report {
    /// Whether every step was played and passed.
    pub fn passed(&self) -> bool {
        let all = self
            .steps
            .iter()
            .all(|step| step.verdict == Verdict::Passed);
        all && self.left == 0 && !self.interrupted
    }
}

/// Plays scenarios, one after another.
pub struct Player {
    place: Place,
}

enum Place {
    /// Sandboxes of its own, by what was asked of them.
    Own(BTreeMap<Asked, Own>),
    Running(Box<Address>),
}

/// What is asked of a sandbox: whether nobody acts by themselves, what workspaces are made from by
/// chance, and the workspace file that it is given.
type Asked = (bool, Option<u64>, Option<PathBuf>);

struct Own {
    running: Running,
    address: Address,
    shutdown: CancellationToken,
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Player")
    }
}

/// A workspace, as the control plane tells of it.
#[derive(Deserialize)]
struct Made {
    id: String,
    manual: bool,
    seed: u64,
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    name: Option<String>,
    id: UserId,
    /// One of the fixed set, which is public.
    secret_key: Option<String>,
}

impl Player {
    /// In sandboxes that are started for it and kept nowhere.
    pub fn own() -> Self {
        Self {
            place: Place::Own(BTreeMap::new()),
        }
    }

    /// In a sandbox that runs.
    pub fn at(address: Address) -> Result<Self, PlayError> {
        for url in [&address.base_url, &address.control_url, &address.jwks_url] {
            hosts::not_fireblocks(url)?;
        }
        Ok(Self {
            place: Place::Running(Box::new(address)),
        })
    }

    /// Plays a scenario; `tell` hears of each step as it is over. A step that fails ends it, but
    /// where it is to keep going. Whoever cancels `over` ends it where it is.
    pub async fn play(
        &mut self,
        scenario: &Scenario,
        keep_going: bool,
        over: &CancellationToken,
        tell: &mut (dyn FnMut(&StepReport) + Send),
    ) -> Result<Report, PlayError> {
        let address = self.address(&scenario.workspace).await?;
        let (mut side, workspace) = open(&address, scenario).await?;
        let mut report = Report {
            scenario: scenario.name.clone(),
            steps: Vec::new(),
            left: scenario.steps.len(),
            interrupted: false,
        };
        for step in &scenario.steps {
            let began = Instant::now();
            let played = tokio::select! {
                () = over.cancelled() => {
                    report.interrupted = true;
                    break;
                }
                played = side.play(step) => played,
            };
            let told = reported(step, played, began);
            tell(&told);
            let goes_on = told.verdict == Verdict::Passed || keep_going;
            report.steps.push(told);
            report.left -= 1;
            if !goes_on {
                break;
            }
        }
        if let Some(control) = &side.control {
            let path = format!("/workspaces/{workspace}");
            let gone = control.ask("DELETE", &path, None).await;
            tracing::debug!(%gone, "the workspace is over");
        }
        Ok(report)
    }

    /// Ends what was started.
    pub async fn end(self) {
        if let Place::Own(all) = self.place {
            for own in all.into_values() {
                own.shutdown.cancel();
                own.running.done().await;
            }
        }
    }

    /// The sandbox that a scenario is played in, started if need be.
    async fn address(&mut self, wanted: &Workspace) -> Result<Address, PlayError> {
        let all = match &mut self.place {
            Place::Running(address) => return Ok(Address::clone(address)),
            Place::Own(all) => all,
        };
        let path = wanted.file.as_ref().map(|(path, _)| path.clone());
        let asked = (wanted.manual, wanted.seed, path);
        if let Some(own) = all.get(&asked) {
            return Ok(own.address.clone());
        }
        let own = start(wanted).await?;
        let address = own.address.clone();
        all.insert(asked, own);
        Ok(address)
    }

    /// The sandbox that a scenario is compared in, where people and chain act by themselves as they
    /// do elsewhere; and the scenario, so that it fits.
    pub async fn lively(&mut self, scenario: &Scenario) -> Result<(Address, Scenario), PlayError> {
        let mut scenario = scenario.clone();
        scenario.workspace.manual = false;
        scenario.workspace.frozen_at = None;
        scenario.workspace.seed = None;
        Ok((self.address(&scenario.workspace).await?, scenario))
    }
}

/// A sandbox for scenarios.
async fn start(wanted: &Workspace) -> Result<Own, PlayError> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let shutdown = CancellationToken::new();
    let file = wanted.file.as_ref().map(|(_, file)| file.clone());
    let config = Config {
        manual: wanted.manual,
        seed: wanted.seed,
        files: file.into_iter().collect(),
        ..Config::new(free, free)
    };
    let running = start::start(config, shutdown.clone()).await?;
    let url = |text: String| {
        text.parse()
            .map_err(|_| PlayError::Client(format!("{text} is no URL")))
    };
    let address = Address {
        base_url: url(format!("{}/v1", running.origin))?,
        control_url: url(format!("{}/_sandbox", running.control_origin))?,
        control_token: running.control_token.clone(),
        jwks_url: url(format!("{}{}", running.origin, wire::jwks::PATH))?,
    };
    Ok(Own {
        running,
        address,
        shutdown,
    })
}

/// A workspace of the scenario's own, with its users; and its id.
pub(super) async fn open(
    address: &Address,
    scenario: &Scenario,
) -> Result<(Side, String), PlayError> {
    let failed = |error: &dyn fmt::Display| PlayError::Client(error.to_string());
    let control = Control::new(address.control_url.as_str(), &address.control_token)
        .map_err(|error| failed(&error))?;
    let wanted = &scenario.workspace;
    let mut body = json!({
        "name": format!("{} {}", name_of(scenario), Uuid::new_v4()),
        "from": wanted.from,
    });
    if let Some(at) = wanted.frozen_at {
        body["clock"] = json!({ "at": at, "frozen": true });
    }
    let made = control.ask("POST", "/workspaces", Some(&body)).await;
    let made = match &made {
        Seen::Answer {
            status: 201, body, ..
        } => serde_json::from_value::<Made>(body.clone()).map_err(|error| {
            PlayError::Workspace(format!("the answer is not understood: {error}"))
        }),
        other => Err(PlayError::Workspace(other.to_string())),
    }?;
    if let Some(why) = unfit(scenario, &made) {
        control
            .ask("DELETE", &format!("/workspaces/{}", made.id), None)
            .await;
        return Err(PlayError::Unfit(why));
    }
    let receivers = Receivers::open(&scenario.receivers, address.jwks_url.as_str()).await;
    let receivers = receivers.map_err(|error| failed(&error))?;
    let mut known = Variables::default();
    known.set("run", Uuid::new_v4().to_string());
    known.set("workspace", made.id.as_str());
    for name in &scenario.receivers {
        known.set(format!("receiver.{name}"), receivers.url(name));
    }
    let mut clients = BTreeMap::new();
    for user in made.users {
        let Some(name) = user.name else { continue };
        known.set(format!("user.{name}"), user.id.to_string());
        let Some(secret) = user.secret_key else {
            continue;
        };
        let key = PrivateKey::from_pem(&secret).map_err(|error| failed(&error))?;
        let client = client(address.base_url.as_str(), user.id, key, CALLS);
        clients.insert(name, client.map_err(|error| failed(&error))?);
    }
    let side = Side {
        callers: Callers::Each(clients),
        control: Some(control),
        receivers: Some(receivers),
        known,
    };
    Ok((side, made.id))
}

/// The beginning of a scenario's name: a workspace's is not longer than 100.
fn name_of(scenario: &Scenario) -> String {
    scenario.name.chars().take(60).collect()
}

/// Why a sandbox is not as the scenario wants it.
fn unfit(scenario: &Scenario, made: &Made) -> Option<String> {
    let (name, wanted) = (&scenario.name, &scenario.workspace);
    if wanted.manual != made.manual {
        let (is, must) = if made.manual {
            ("nobody does", "without --manual")
        } else {
            ("they do", "with --manual")
        };
        let act = if wanted.manual {
            "nobody acts by themselves"
        } else {
            "people and chain act by themselves"
        };
        return Some(format!(
            "'{name}' wants a sandbox where {act}, and in this one {is}: start it {must}"
        ));
    }
    let seed = wanted.seed.filter(|seed| *seed != made.seed)?;
    Some(format!(
        "'{name}' wants a sandbox of --seed {seed}, and this one is of {}",
        made.seed
    ))
}

fn reported(step: &Step, played: Result<Done, Unplayable>, began: Instant) -> StepReport {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let report = |verdict, doing, saw, failures| StepReport {
        step: step.name.clone(),
        line: step.line,
        verdict,
        doing,
        saw,
        failures,
        millis,
    };
    match played {
        Ok(done) => {
            let verdict = if done.failures.is_empty() {
                Verdict::Passed
            } else {
                Verdict::Failed
            };
            report(verdict, done.doing, done.seen.to_string(), done.failures)
        }
        Err(why) => {
            let why = why.to_string();
            report(Verdict::Skipped, step.doing(), why, Vec::new())
        }
    }
}
