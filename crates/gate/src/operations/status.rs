//! How the gate stands: what `doctor` reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use protocol::error::ApiError;
use protocol::ids::{UserId, WorkspaceId};
use protocol::model::workspace::Workspace;
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::Serialize;
use sync::SyncError;
use wire::client::Client;

use super::refused;
use super::review::SOON;
use crate::ages::Age;
use crate::connections::{Connection, Directory, Mode, Provider, State};
use crate::gate::Gate;
use crate::identities::UpstreamIds;
use crate::log;
use crate::mail::{self, Look, Waiting};
use crate::proposals::{Stopped, Stray};
use crate::relay::CLIENT;
use crate::rows;
use crate::rows::deliveries::Standing;
use crate::witnesses::{self, Seen};

/// One thing looked at.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// Whether it is as it must be; nothing: it cannot be seen.
    pub ok: Option<bool>,
    /// What was seen, and what to do.
    pub saw: String,
}

/// A gate over the store.
#[derive(Debug, Serialize)]
pub struct OneGate {
    /// Its name.
    pub name: String,
    /// Whether it does what only one does.
    pub leads: bool,
    /// Whether it is the one that answers.
    pub here: bool,
}

/// How the gate stands.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The workspace behind it.
    pub workspace_id: WorkspaceId,
    /// How providers reach it.
    pub public_url: String,
    /// Whether the books were filled once.
    pub filled: bool,
    /// As of when they are, in milliseconds since the epoch.
    pub as_of: i64,
    /// Whether a look at all of upstream that was asked for goes on.
    pub looking: bool,
    /// How old each subject of them is.
    pub areas: Vec<Age>,
    /// Entries of the log.
    pub log_entries: u64,
    /// The gates over the store, where there may be several.
    pub gates: Vec<OneGate>,
    /// How far each witness of the log is.
    pub witnesses: Vec<Seen>,
    /// Reminders by mail that no server has taken yet.
    pub letters: Vec<Waiting>,
    /// What is shut and what opens it, where a copy of the store was put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<&'static str>,
    /// Why no proposal is sent, where it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// The latest transactions upstream that are the gate's own and that nobody let go.
    pub strays: Vec<Stray>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// What there is to say of a store that was put back.
const QUARANTINE: &str = "a copy of the store was put back: nobody is let in and nothing is sent until `vestibule gate release`";

/// Looks.
pub(crate) async fn status(gate: &Arc<Gate>) -> Result<Status, ApiError> {
    let ids = *gate.upstream.read();
    let filled = gate.filled();
    let now = gate.clock.now();
    let areas = gate.ages.read().table(&gate.config.areas, now);
    let workspace = gate.workspace();
    let read = gate.store.read(move |reading| {
        let (entries, _) = log::root(reading, workspace)?;
        let strays = rows::strays::raised(reading, workspace)?;
        let stopped = rows::strays::stopped(reading, workspace)?;
        let held = rows::strays::held(reading, workspace)?;
        let dispatch = (strays, stopped, held);
        let told = rows::deliveries::newest(reading, workspace, CLIENT)?;
        let gates = rows::gates::all(reading, workspace)?;
        Ok((entries, gates, dispatch, told))
    });
    let (log_entries, gates, (strays, stopped, held), told) = read
        .await
        .map_err(|error: store::StoreError| refused(500, error))?;
    let events = gate
        .inbox
        .counts()
        .await
        .map_err(|error| refused(500, error))?;
    let counts = gate.receiver.counts("upstream").unwrap_or_default();
    let (mut checks, mail) = tokio::join!(own_keys(gate, ids), mail::look(gate));
    let mail = mail.map_err(|error| refused(500, error))?;
    checks.push(Check {
        what: "the books are filled",
        ok: Some(filled),
        saw: if filled {
            "yes".to_owned()
        } else {
            "not yet: set the Viewer's API key, or see the log".to_owned()
        },
    });
    checks.push(young(&areas, now));
    checks.push(not_ending(&gate.directory.load(), now));
    checks.push(no_key_ending(&gate.directory.load(), now));
    checks.push(none_astray(stopped.as_ref(), held, &strays));
    let quarantine = gate.is_quarantined().then_some(QUARANTINE);
    checks.extend(quarantine.map(|saw| Check {
        what: "the gate lets providers in",
        ok: Some(false),
        saw: saw.to_owned(),
    }));
    let witnesses = witnesses::seen(gate).await;
    let witnesses = witnesses.map_err(|error| refused(500, error))?;
    if !witnesses.is_empty() {
        let words: Vec<_> = witnesses.iter().map(ToString::to_string).collect();
        checks.push(Check {
            what: "witnesses vouch for the log",
            ok: Some(witnesses.iter().all(|witness| witness.ok)),
            saw: words.join("; "),
        });
    }
    checks.extend(mail.iter().flat_map(letters));
    checks.extend(client_webhook(gate, told));
    checks.push(Check {
        what: "the workspace's webhook is pinned",
        ok: Some(ids.webhook.is_some()),
        saw: match ids.webhook {
            Some(id) => format!("webhook {id}; {} stored, {} applied", counts.stored, events.applied),
            None => format!(
                "no: make a webhook to {}{}/upstream and run `vestibule gate upstream --webhook-id ID`",
                gate.public,
                wire::hooks_in::Receiver::PREFIX
            ),
        },
    });
    checks.push(Check {
        what: "no event of another workspace came in",
        ok: Some(counts.foreign == 0),
        saw: format!(
            "{} foreign, {} unverified, {} not understood",
            counts.foreign, counts.unverified, events.aside
        ),
    });
    checks.extend(editors(gate, ids.editor));
    checks.push(Check {
        what: "the gate's own keys have IP allow-lists in the Console",
        ok: None,
        saw: "a Viewer's key cannot read them: check in the Console".to_owned(),
    });
    Ok(Status {
        workspace_id: gate.workspace(),
        public_url: gate.public.clone(),
        filled,
        as_of: gate.as_of.load(Ordering::SeqCst),
        looking: gate.leads() && gate.look.go_on(),
        areas,
        log_entries,
        gates: gates
            .into_iter()
            .map(|one| OneGate {
                here: gate.lease.instance() == Some(one.instance),
                name: one.name,
                leads: one.leads,
            })
            .collect(),
        witnesses,
        letters: mail.map(|look| look.waiting).unwrap_or_default(),
        quarantine,
        stopped,
        strays,
        checks,
    })
}

/// Whether the client's webhook takes what it is told.
fn client_webhook(gate: &Gate, told: Option<Standing>) -> Option<Check> {
    let place = gate.config.webhook.as_ref()?;
    let how = match told {
        None => "nothing was told yet",
        Some(Standing::Taken) => "it has taken the latest",
        Some(Standing::UnderWay) => "the latest is on its way",
        Some(Standing::GivenUp) => "it did not take the latest, which is not tried any more",
    };
    Some(Check {
        what: "the client's webhook takes its reminders",
        ok: Some(told != Some(Standing::GivenUp)),
        saw: format!("{}: {how}", place.url),
    })
}

/// Whether reminders go out by mail.
fn letters(look: &Look) -> [Check; 2] {
    let (place, answer) = &look.server;
    let waiting: Vec<_> = look.waiting.iter().map(ToString::to_string).collect();
    let waiting = match waiting.as_slice() {
        [] => "none waits".to_owned(),
        some => format!("not taken yet: {}", some.join("; ")),
    };
    let silent = match look.silent.as_slice() {
        [] => String::new(),
        some => format!(
            "; nobody is written to at the provider of {}: vestibule gate connection change NAME --contact ADDRESS",
            some.join(", ")
        ),
    };
    [
        Check {
            what: "the mail server lets the gate in",
            ok: Some(answer.is_ok()),
            saw: match answer {
                Ok(()) => place.clone(),
                Err(trouble) => format!("{place}: {trouble}"),
            },
        },
        Check {
            what: "reminders by mail have gone out",
            ok: Some(look.is_well()),
            saw: format!("{waiting}{silent}"),
        },
    ]
}

/// Whether every subject of the books may be told.
fn young(areas: &[Age], now: Millis) -> Check {
    let words: Vec<_> = areas.iter().map(|age| age.words(now)).collect();
    Check {
        what: "no part of the books is too old to be told",
        ok: Some(!areas.iter().any(|age| age.too_old)),
        saw: words.join(", "),
    }
}

/// Whether nothing of the gate's own is upstream that nobody let go.
fn none_astray(stopped: Option<&Stopped>, held: Option<String>, strays: &[Stray]) -> Check {
    let (ok, saw) = match (stopped, held) {
        (Some(stopped), _) => {
            let last = strays.iter().find(|one| one.upstream == stopped.upstream);
            let status = last.map_or("unknown", |stray| stray.status.as_str());
            let saw = format!(
                "{}. It was {status} when it was looked at last. NOTHING IS SENT: find out who sent it, replace the Editor's API user if its key is out or mend the policy, then run `vestibule gate resume`",
                stopped.words()
            );
            (Some(false), saw)
        }
        (None, Some(held)) => (None, format!("proposals wait: {held}")),
        (None, None) => (Some(true), "nothing is".to_owned()),
    };
    Check {
        what: "nothing of the gate's own is upstream that nobody let go",
        ok,
        saw,
    }
}

/// Whether no open connection ends soon.
fn not_ending(directory: &Directory, now: Millis) -> Check {
    none_soon(
        "no connection ends within 14 days",
        directory,
        now,
        |one| Some(one.connection.until),
        "give it a later end with `vestibule gate connection change NAME --until DATE`, or let it end",
    )
}

/// Whether the key that each open connection signs with stays.
fn no_key_ending(directory: &Directory, now: Millis) -> Check {
    none_soon(
        "no connection's key expires within 14 days",
        directory,
        now,
        |one| one.keys.end(),
        "have a new key brought, and `vestibule gate connection key NAME rotate --csr FILE`, or set another end with `... key NAME expire`",
    )
}

/// Whether none of the open connections has something that ends soon; else which, and what to do.
fn none_soon(
    what: &'static str,
    directory: &Directory,
    now: Millis,
    end: impl Fn(&Provider) -> Option<Millis>,
    todo: &str,
) -> Check {
    let soon = |one: &&Arc<Provider>| end(one).is_some_and(|end| end <= now.plus(SOON));
    let names = directory
        .living(now)
        .filter(soon)
        .map(|one| one.connection.name.as_str());
    let ending: Vec<_> = names.collect();
    Check {
        what,
        ok: Some(ending.is_empty()),
        saw: if ending.is_empty() {
            "none does".to_owned()
        } else {
            format!("{}: {todo}", ending.join(", "))
        },
    }
}

/// Whether every connection that proposes has somebody upstream to propose as.
fn editors(gate: &Gate, shared: Option<UserId>) -> Option<Check> {
    let directory = gate.directory.load();
    let proposers: Vec<_> = directory
        .all()
        .map(|provider| &provider.connection)
        .filter(|one| one.role == ProviderRole::Editor && one.state != State::Revoked)
        .filter(|one| one.mode != Mode::Watched)
        .collect();
    let lacks = |one: &&Connection| match one.editor {
        None => shared.is_none(),
        Some(user) => gate.own_editor(&one.name, user).is_none(),
    };
    let lacking = proposers.iter().copied().find(lacks);
    let saw = match lacking {
        None => {
            let own = proposers
                .iter()
                .filter_map(|one| Some(format!("API user {} for {} alone", one.editor?, one.name)));
            let shared = shared.map(|id| format!("API user {id}"));
            shared.into_iter().chain(own).collect::<Vec<_>>().join("; ")
        }
        Some(one) if one.editor.is_some() => {
            format!(
                "no: the key of {}'s own Editor is not at this gate",
                one.name
            )
        }
        Some(_) => "no: run `vestibule gate upstream --editor-api-key ID`".to_owned(),
    };
    (!proposers.is_empty()).then_some(Check {
        what: "an Editor upstream for connections that propose",
        ok: Some(lacking.is_none()),
        saw,
    })
}

/// A key of the gate's own, and what it is for.
struct Own {
    client: Option<Client>,
    id: Option<UserId>,
    most: ProviderRole,
    answers: &'static str,
    no_more: &'static str,
    unset: &'static str,
}

/// What upstream says to the gate's Viewer and, once there is one, to its Editor.
async fn own_keys(gate: &Arc<Gate>, ids: UpstreamIds) -> Vec<Check> {
    let viewer = Own {
        client: gate.viewer(),
        id: ids.viewer,
        most: ProviderRole::Viewer,
        answers: "upstream answers the gate's Viewer",
        no_more: "the gate's Viewer can do no more than read",
        unset: "its API key is not set: run `vestibule gate upstream --viewer-api-key ID`",
    };
    let editor = Own {
        client: gate.editor().map(|editor| editor.client),
        id: ids.editor,
        most: ProviderRole::Editor,
        answers: "upstream answers the gate's Editor",
        no_more: "the gate's Editor can do no more than propose",
        unset: "it has no key: approve a connection that proposes, and upload the CSR",
    };
    let mut checks = own_key(gate, viewer).await;
    if ids.editor.is_some() {
        checks.extend(own_key(gate, editor).await);
    }
    for (name, user) in own_editors(gate) {
        let (ok, saw) = match gate.own_editor(&name, user) {
            None => (
                false,
                "its key is not at this gate: copy the gate's folder keys/ whole".to_owned(),
            ),
            Some(own) => match gate.opens_for(&own).await {
                Ok(()) => (true, format!("API user {user}")),
                Err(error) => (false, error.to_string()),
            },
        };
        checks.push(Check {
            what: "a connection's own Editor can propose and no more",
            ok: Some(ok),
            saw: format!("{name}: {saw}"),
        });
    }
    checks
}

/// The Editors that connections have of their own.
fn own_editors(gate: &Gate) -> Vec<(String, UserId)> {
    let directory = gate.directory.load();
    let connections = directory.all().map(|provider| &provider.connection);
    connections
        .filter(|one| one.state != State::Revoked)
        .filter_map(|one| Some((one.name.clone(), one.editor?)))
        .collect()
}

async fn own_key(gate: &Arc<Gate>, own: Own) -> Vec<Check> {
    let (Some(client), Some(id)) = (own.client, own.id) else {
        return vec![Check {
            what: own.answers,
            ok: Some(false),
            saw: own.unset.to_owned(),
        }];
    };
    let (ok, saw) = answers(gate, &client).await;
    let mut checks = vec![Check {
        what: own.answers,
        ok: Some(ok),
        saw,
    }];
    if ok {
        let (ok, saw) = no_more(gate, &client, id, own.most).await;
        checks.push(Check {
            what: own.no_more,
            ok,
            saw,
        });
    }
    checks
}

async fn answers(gate: &Gate, client: &Client) -> (bool, String) {
    match client
        .get("/v1/workspace")
        .await
        .and_then(|answer| answer.json::<Workspace>())
    {
        Ok(workspace) if workspace.id == gate.workspace() => (
            true,
            format!("workspace {} ({})", workspace.id, workspace.name),
        ),
        Ok(workspace) => (false, format!("another workspace: {}", workspace.id)),
        Err(error) => (false, error.to_string()),
    }
}

async fn no_more(
    gate: &Gate,
    client: &Client,
    id: UserId,
    most: ProviderRole,
) -> (Option<bool>, String) {
    match gate.judge(client, id, most).await {
        Ok(seen) => {
            let saw = format!("{}: {}", seen.judgement.words(), seen.how);
            match seen.role() {
                Some(role) if role == most => (Some(true), saw),
                Some(_) => (Some(false), format!("too little: {saw}")),
                None => (None, saw),
            }
        }
        Err(SyncError::MoreThanAsked(more)) => (Some(false), more.to_string()),
        Err(error) => (None, error.to_string()),
    }
}
