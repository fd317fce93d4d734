//! Where it is tried: a gate with two providers. The attacker is one of them, with a key that is
//! right; the other one's things, and the client's, are what it wants.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use protocol::csr::CertificateSigningRequest;
use protocol::handover::HandOver;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::attempt::{Attacker, Attempt, Gets};
use crate::caller::Caller;
use crate::hooks::Hooks;
use crate::processes::address;
use crate::provider::{Provider, editor, transfer};
use crate::world::{World, until};

/// Longest wait for the end of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read at most.
const MAX_ANSWER: usize = 4 << 20;
/// What answers a request that is none.
const NO_REQUEST: [u16; 7] = [400, 408, 413, 414, 431, 501, 505];
/// Longest answer to what is refused, in bytes: nobody is sent back what he has sent.
const MAX_REFUSAL: usize = 8 * 1024;
/// Shortest text that nothing else has in it by chance.
const SHORTEST_MARK: usize = 7;
/// The half of this machine's loopback addresses that is on the list.
const LISTED: &str = "127.0.0.0/9";

/// What the attacker wants: things that are there, and not for it.
#[derive(Clone, Debug, Default)]
pub struct Prey {
    /// The other provider's API key.
    pub user: String,
    /// A proposal of the other provider's, and the external id that it was given.
    pub proposal: String,
    pub external: String,
    /// A transaction between accounts that are not the attacker's, and its hash.
    pub transaction: String,
    pub hash: String,
    /// The name of an account that is not the attacker's.
    pub account_name: String,
    /// A whitelisted wallet that was not granted, and its name.
    pub wallet: String,
    pub wallet_name: String,
    /// Cursors that the other provider was given.
    pub accounts_cursor: String,
    pub transactions_cursor: String,
    /// Addresses and balances of an account that is not the attacker's.
    pub addresses: Vec<String>,
    pub balances: Vec<String>,
}

impl Prey {
    /// What no answer may tell.
    fn marks(&self) -> impl Iterator<Item = &String> {
        let marks = [
            &self.user,
            &self.proposal,
            &self.external,
            &self.transaction,
            &self.hash,
            &self.account_name,
            &self.wallet,
            &self.wallet_name,
        ];
        let more = self.addresses.iter().chain(&self.balances);
        marks.into_iter().chain(more)
    }
}

pub struct Scene {
    world: World,
    attacker: Caller,
    pub prey: Prey,
    rival: Provider,
    _hooks: Hooks,
    before: Value,
    sent: usize,
    tried: u16,
}

impl Scene {
    pub async fn new() -> Self {
        let mut world = World::with(|config| {
            config.serve.calls_per_second = config.serve.calls_per_second.saturating_add(10_000);
        })
        .await;
        let rival = world.enrol("rival", editor(&[3, 4])).await;
        let (attacker, hooks) = attacker(&mut world).await;
        let prey = prey(&world, &rival, &attacker).await;
        world.quiet().await;
        let (before, sent) = (standing(&world).await, world.line.sent());
        Self {
            world,
            attacker,
            prey,
            rival,
            _hooks: hooks,
            before,
            sent,
            tried: 0,
        }
    }

    pub fn attacker(&self) -> Attacker {
        Attacker {
            user: self.attacker.user,
            key: self.attacker.key.clone(),
        }
    }

    /// Makes an attempt, and looks at what it got and whether anything has changed.
    pub async fn withstands(&mut self, attempt: &Attempt) {
        let name = &attempt.name;
        for fine in &attempt.before {
            let (statuses, heard) = self.ask(fine, false, false).await;
            assert_eq!(statuses, [200], "before {name}: {heard:.600}");
        }
        if !attempt.before.is_empty() {
            self.before = standing(&self.world).await;
        }
        let asked = self.ask(&attempt.bytes, attempt.elsewhere, attempt.hangs_up);
        let (statuses, heard) = asked.await;
        let fits = match (&attempt.gets, statuses.as_slice()) {
            (Gets::Fine, [status]) => *status == 200,
            (Gets::Taken, [status]) => [200, 202].contains(status),
            (Gets::Status(wanted), [status]) => status == wanted,
            (Gets::Code(wanted, code), [status]) => {
                status == wanted && heard.contains(&format!("\"code\":{code}}}"))
            }
            (Gets::NoRequest, []) => attempt.hangs_up,
            (Gets::NoRequest, [status]) => NO_REQUEST.contains(status),
            _ => false,
        };
        assert!(fits, "{name}: wanted {:?}, got {heard:.600}", attempt.gets);
        if statuses.iter().any(|status| *status >= 300) {
            assert!(heard.len() <= MAX_REFUSAL, "{name}: {heard:.600}");
        }
        let hidden = self
            .prey
            .marks()
            .map(String::as_str)
            .chain(attempt.hides.as_deref());
        let told: Vec<_> = hidden.filter(|mark| heard.contains(mark)).collect();
        assert!(told.is_empty(), "{name}: it tells {told:?}");
        let after = standing(&self.world).await;
        let changed = after != self.before;
        assert_eq!(changed, attempt.gets == Gets::Taken, "{name}: a change");
        self.before = after;
        assert_eq!(self.world.line.sent(), self.sent, "{name}: sent upstream");
    }

    /// A connection from an address of its own.
    pub async fn connect(&mut self, elsewhere: bool) -> TcpStream {
        self.connect_with(elsewhere, None).await
    }

    /// The same, of somebody who takes so many bytes at once.
    pub async fn connect_with(&mut self, elsewhere: bool, window: Option<u32>) -> TcpStream {
        self.tried += 1;
        let [high, low] = self.tried.to_be_bytes();
        let from = Ipv4Addr::new(127, if elsewhere { 200 } else { 1 }, high, low.max(1));
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = SocketAddr::from((from, 0));
        socket.bind(from).expect("an address of this machine");
        if let Some(window) = window {
            socket.set_recv_buffer_size(window).expect("a window");
        }
        let gate = address(&self.world.gate.origin);
        socket.connect(gate).await.expect("a connection")
    }

    /// Sends bytes from an address of their own; all statuses that came, and all bytes.
    pub async fn ask(
        &mut self,
        bytes: &[u8],
        elsewhere: bool,
        hangs_up: bool,
    ) -> (Vec<u16>, String) {
        let mut stream = self.connect(elsewhere).await;
        let mut heard = Vec::new();
        let talk = async {
            // The gate may have closed before it was told all.
            let _ = stream.write_all(bytes).await;
            if hangs_up {
                let _ = stream.shutdown().await;
            }
            let mut some = [0; 16 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut some).await {
                heard.extend_from_slice(&some[..count]);
                assert!(heard.len() < MAX_ANSWER, "an endless answer");
            }
        };
        let talk = tokio::time::timeout(PATIENCE, talk).await;
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(talk.is_ok(), "the gate did not close: {heard:.600}");
        (statuses(&heard), heard)
    }

    /// Whoever comes now is served: the other provider, the attacker from another address, and the
    /// client's people.
    pub async fn others_are_served(&mut self) {
        const READ: &str = "/v1/vault/accounts_paged";
        self.rival.caller.get(READ).await.fine();
        let (statuses, heard) = self
            .ask(&Vec::from(self.attacker().get(READ)), false, false)
            .await;
        assert_eq!(statuses, [200], "{heard:.600}");
        self.world.look("/status").await;
    }

    /// An event comes in from the workspace, and goes out to whom it concerns.
    pub async fn an_event_is_relayed(&self) {
        let paid = self.world.sandbox.pay_in(3, "ETH", "0.5").await;
        until("it is told", || async {
            !self.rival.hooks.about(&paid).is_empty()
        })
        .await;
    }

    /// How many calls the attacker may make today.
    pub async fn calls_left(&self) -> i64 {
        let me = self.attacker.get("/vestibule/v1/me").await.fine();
        let left = &me["budgets"]["requests_per_day"]["left"];
        left.as_i64().expect("a number")
    }

    /// Nothing has changed, and nothing went up.
    pub async fn is_as_before(&self, what: &str) {
        assert_eq!(standing(&self.world).await, self.before, "{what}: a change");
        assert_eq!(self.world.line.sent(), self.sent, "{what}: sent upstream");
    }

    /// Every entry of the gate's log, as the client's people read them. Refusals are told at an end at the
    /// latest.
    pub async fn log(&mut self) -> Vec<Value> {
        self.world.restart_gate().await;
        let mut all: Vec<Value> = Vec::new();
        loop {
            let page = self
                .world
                .look(&format!("/log/entries/{}", all.len()))
                .await;
            let page = page["data"]
                .as_array()
                .or(page.as_array())
                .expect("entries")
                .clone();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }
}

/// The status of each answer in what was heard.
pub fn statuses(heard: &str) -> Vec<u16> {
    let answers = heard.split("HTTP/1.1 ").skip(1);
    let statuses = answers.filter_map(|rest| rest.get(..3)?.parse().ok());
    statuses.collect()
}

/// All that an attempt could have changed, as the client's people see it: whole, but for when a key was
/// used last.
async fn standing(world: &World) -> Value {
    let connections = world.look("/connections").await;
    let mut keys = Vec::new();
    for connection in connections.as_array().expect("connections") {
        let name = connection["name"].as_str().expect("a name");
        let mut held = world.look(&format!("/connections/{name}/keys")).await;
        for key in held.as_array_mut().expect("keys") {
            key.as_object_mut().expect("a key").remove("lastUsed");
        }
        keys.push(held);
    }
    // Reports are listed to providers alone; their number is told here.
    let posture = world.look("/posture").await;
    let findings = posture.as_array().expect("connections").iter();
    let findings = findings.flat_map(|one| one["findings"].as_array().expect("findings"));
    let reports: Vec<_> = findings.filter(|one| one["practice"] == "C5").collect();
    assert_eq!(reports.len(), keys.len(), "{posture}");
    json!({
        "connections": connections,
        "keys": keys,
        "reports": reports,
        "proposals": world.look("/proposals").await,
        "changes": world.look("/changes").await,
        "operators": world.look("/operators").await,
        "quorum": world.look("/quorum").await,
    })
}

/// A provider that may call from half of this machine's addresses, so that no attempt is refused for
/// those before it.
async fn attacker(world: &mut World) -> (Caller, Hooks) {
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let csr = CertificateSigningRequest::new(&key, "attacker", None).expect("a request");
    let hooks = Hooks::start().await;
    let wanted = editor(&[1, 2]);
    let handover = HandOver {
        provider: "Attacker Ltd".to_owned(),
        role: wanted.role,
        csr: csr.to_pem(),
        addresses: vec![LISTED.parse().expect("a net")],
        webhook_url: Some(hooks.url.parse().expect("a URL")),
        legacy_signature: false,
        scope: wanted.scope,
    };
    let ask = json!({"name": "attacker", "handover": handover.to_json(), "place": wanted.place,
        "addresses_reason": "each attempt has an address of its own"});
    world.desk("POST", "/connections", &ask).await.fine();
    let path = "/connections/attacker/approve";
    let grant = json!({"reason": "as agreed"});
    let approved = world.desk("POST", path, &grant).await.fine();
    let id = approved["handback"]["api_key"].clone();
    let id = id.as_str().expect("an id").parse().expect("an id");
    (Caller::new(&world.gate.origin, id, key), hooks)
}

async fn prey(world: &World, rival: &Provider, attacker: &Caller) -> Prey {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let external = "rival-1".to_owned();
    let mut asked = transfer(3, 4, "0.01");
    asked["externalTxId"] = json!(external);
    let proposal = rival.propose(&asked).await;
    let all = world.admin.transactions().await;
    let attackers = |side: &Value| ["1", "2"].contains(&side["id"].as_str().unwrap_or_default());
    let of_others = |one: &&Value| {
        let sides = [&one["source"], &one["destination"]];
        one["txHash"].as_str().is_some_and(|hash| !hash.is_empty())
            && sides
                .iter()
                .all(|side| side["type"] == "VAULT_ACCOUNT" && !attackers(side))
    };
    let transaction = all.iter().find(of_others).expect("one of others");
    let account = world.admin.get("/v1/vault/accounts/3").await.fine();
    let wallets = world.admin.get("/v1/external_wallets").await.fine();
    let accounts = rival.caller.get("/v1/vault/accounts_paged?limit=1").await;
    let page = rival.caller.get("/v1/transactions?limit=1&after=0").await;
    let next = page.header("next-page").unwrap_or_default();
    let next = next.split("next=").nth(1).unwrap_or_default();
    let mut prey = Prey {
        user: rival.caller.user.to_string(),
        proposal,
        external,
        transaction: text(&transaction["id"]),
        hash: text(&transaction["txHash"]),
        account_name: text(&account["name"]),
        wallet: text(&wallets[0]["id"]),
        wallet_name: text(&wallets[0]["name"]),
        accounts_cursor: text(&accounts.json()["paging"]["after"]),
        transactions_cursor: next.split('&').next().unwrap_or_default().to_owned(),
        ..Prey::default()
    };
    // Of what the chain shows to everybody, what this attacker has not been shown.
    let own = attacker.pages("/v1/vault/accounts_paged", "accounts").await;
    let shown = json!([own, attacker.transactions().await]).to_string();
    let unseen = |text: &String| text.len() >= SHORTEST_MARK && !shown.contains(text);
    let mut told = json!([account, wallets, transaction, rival.handback]).to_string();
    told += &rival.sees(&prey.proposal).await.to_string();
    for wallet in account["assets"].as_array().expect("assets") {
        prey.balances
            .extend(Some(text(&wallet["total"])).filter(unseen));
        let path = format!("/v1/vault/accounts/3/{}", text(&wallet["id"]));
        let paged = format!("{path}/addresses_paginated");
        let page = world.admin.get(&paged).await.fine();
        let addresses = page["addresses"].as_array().expect("addresses");
        let addresses = addresses.iter().map(|one| text(&one["address"]));
        prey.addresses.extend(addresses.filter(unseen));
        told += &page.to_string();
    }
    // Each mark is told to whom it is for, and is not told to the attacker already.
    assert!(!prey.addresses.is_empty() && !prey.balances.is_empty());
    for mark in prey.marks() {
        assert!(unseen(mark) && told.contains(mark), "{mark}");
    }
    assert!(!prey.accounts_cursor.is_empty() && !prey.transactions_cursor.is_empty());
    prey
}
