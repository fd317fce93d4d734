//! Where it is tried: a gate with two providers. The attacker is one of them, with a key that is
//! right; the other one's things, and the client's, are what it wants.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use protocol::csr::CertificateSigningRequest;
use protocol::handover::HandOver;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::attempt::{Attacker, Attempt, Gets};
use crate::caller::Caller;
use crate::hooks::Hooks;
use crate::processes::address;
use crate::provider::{Provider, editor, transfer};
use crate::world::World;

/// Longest wait for the end of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read at most.
const MAX_ANSWER: usize = 4 << 20;
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
}

impl Prey {
    /// What no answer may tell.
    pub fn marks(&self) -> Vec<String> {
        let marks = [
            &self.account_name,
            &self.wallet_name,
            &self.proposal,
            &self.transaction,
        ];
        marks.map(ToOwned::to_owned).into()
    }
}

pub struct Scene {
    world: World,
    attacker: Caller,
    pub prey: Prey,
    _rival: Provider,
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
        let prey = prey(&world, &rival).await;
        world.quiet().await;
        let (before, sent) = (standing(&world).await, world.line.sent());
        Self {
            world,
            attacker,
            prey,
            _rival: rival,
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
            let fine = matches!(statuses.as_slice(), [200..=299]);
            assert!(fine, "before {name}: {heard:.600}");
        }
        if !attempt.before.is_empty() {
            self.before = standing(&self.world).await;
        }
        let asked = self.ask(&attempt.bytes, attempt.elsewhere, attempt.hangs_up);
        let (statuses, heard) = asked.await;
        let fits = match &attempt.gets {
            Gets::Denied => statuses == [401],
            Gets::Code(code) => statuses == [401] && heard.contains(&format!("\"code\":{code}}}")),
            Gets::Refused => statuses
                .iter()
                .all(|status| matches!(status, 400..=499 | 501 | 505)),
            Gets::Hides(marks) => {
                statuses.iter().all(|status| *status < 500)
                    && !marks.iter().any(|mark| heard.contains(mark))
            }
        };
        assert!(fits, "{name}: wanted {:?}, got {heard:.600}", attempt.gets);
        assert_eq!(standing(&self.world).await, self.before, "{name}: a change");
        assert_eq!(self.world.line.sent(), self.sent, "{name}: sent upstream");
    }

    /// Sends bytes from an address of their own; all statuses that came, and all bytes.
    async fn ask(&mut self, bytes: &[u8], elsewhere: bool, hangs_up: bool) -> (Vec<u16>, String) {
        self.tried += 1;
        let [high, low] = self.tried.to_be_bytes();
        let from = Ipv4Addr::new(127, if elsewhere { 200 } else { 1 }, high, low.max(1));
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = SocketAddr::from((from, 0));
        socket.bind(from).expect("an address of this machine");
        let gate = address(&self.world.gate.origin);
        let mut stream = socket.connect(gate).await.expect("a connection");
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
        let statuses = heard.split("HTTP/1.1 ").skip(1);
        let statuses = statuses.filter_map(|rest| rest.get(..3)?.parse().ok());
        (statuses.collect(), heard)
    }
}

/// All that an attempt could have changed, as the client's people see it.
async fn standing(world: &World) -> Value {
    let mut connections = world.look("/connections").await;
    let decided = [
        "name",
        "provider",
        "role",
        "state",
        "api_key",
        "fingerprint",
        "addresses",
        "part",
        "place",
    ];
    for one in connections.as_array_mut().into_iter().flatten() {
        let one = one.as_object_mut().expect("a connection");
        one.retain(|name, _| decided.contains(&name.as_str()));
    }
    json!({"connections": connections, "proposals": world.look("/proposals").await})
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

async fn prey(world: &World, rival: &Provider) -> Prey {
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
    Prey {
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
    }
}
