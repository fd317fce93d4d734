//! Several gates over one PostgreSQL: processes of their own, which can be paused and killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gate::restore::RestoreError;
use gate::{Config, Folder, GateName};
use serde_json::{Value, json};
use store::Location;
use store::testing::{Engine, TestStore};
use tokio_util::sync::CancellationToken;
use wire::clock::SystemClock;

use crate::caller::Caller;
use crate::desk::{Desk, comes_in, why};
use crate::post_office::PostOffice;
use crate::processes::anywhere;
use crate::provider::{editor, transfer};
use crate::quorum::days;
use crate::world::{World, until};

/// Names the folder of the gate that a process is to be.
const FOLDER: &str = "VESTIBULE_STORY_GATE";
/// How long a gate serves without having looked.
const LEASE: Duration = Duration::from_secs(2);
const READ: &str = "/v1/vault/accounts_paged";

/// A gate in a process of its own; killed, with -9, when it is dropped.
struct Other {
    child: Child,
    /// How providers reach it, and its own people.
    origin: String,
    admin: String,
}

/// A database, and what makes a gate's configuration one that is over it.
async fn database() -> (TestStore, impl Fn(&mut Config)) {
    let database = TestStore::new(Engine::Postgres, &[]).await;
    let Location::Postgres(url) = database.location().clone() else {
        unreachable!("it is one of PostgreSQL")
    };
    (database, move |config: &mut Config| {
        config.store.url = Some(url.clone());
    })
}

impl Other {
    /// A second gate beside this one: the same keys, a folder and a name of its own.
    async fn beside(folder: &Folder, config: &Config, name: &str) -> Self {
        let home = folder.path().with_file_name(name);
        let keys = home.join("keys");
        std::fs::create_dir_all(&keys).expect("a folder");
        for file in std::fs::read_dir(folder.path().join("keys")).expect("keys") {
            let file = file.expect("a key");
            std::fs::copy(file.path(), keys.join(file.file_name())).expect("copied");
        }
        let mut config = config.clone();
        config.store.gate = Some(GateName::try_from(name.to_owned()).expect("a name"));
        (config.serve.listen, config.serve.admin) = (anywhere(), anywhere());
        let text = serde_json::to_string(&config).expect("JSON");
        std::fs::write(home.join("config.json"), text).expect("written");
        let program = std::env::current_exe().expect("this program");
        let child = Command::new(program)
            .args(["--exact", "gates::another_process", "--ignored"])
            .env(FOLDER, &home)
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        let ready = home.join("ready.json");
        until("the other gate serves", || async { ready.exists() }).await;
        let ready: Value = read(&ready);
        Self {
            child,
            origin: ready["origin"].as_str().expect("text").to_owned(),
            admin: ready["admin"].as_str().expect("text").to_owned(),
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("kill").success());
    }

    /// Whether bytes wait that it has not read.
    fn is_asked(&self) -> bool {
        let (_, port) = self.origin.rsplit_once(':').expect("a port");
        let port = format!(":{:04X}", port.parse::<u16>().expect("a port"));
        let sockets = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
        sockets.lines().any(|socket| {
            let fields: Vec<_> = socket.split_whitespace().collect();
            // Local address, state (01: established), bytes to send and to read.
            matches!(fields.as_slice(), [_, local, _, "01", queues, ..]
                if local.ends_with(&port) && !queues.ends_with(":00000000"))
        })
    }

    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Somebody, calling here.
    fn here(&self, caller: &Caller) -> Caller {
        Caller::new(&self.origin, caller.user, caller.key.clone())
    }

    fn at_desk(&self, owner: &Caller) -> Caller {
        Caller::new(&self.admin, owner.user, owner.key.clone())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// Not a test: what a process of [`Other`] runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that other tests start"]
async fn another_process() {
    let Some(home) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let config = serde_json::from_value(read(&home.join("config.json"))).expect("a configuration");
    let running = gate::start(Folder::new(&home), config, CancellationToken::new()).await;
    let running = running.expect("a gate");
    let ready = json!({"origin": running.origin, "admin": running.admin_origin});
    std::fs::write(home.join("ready.new"), ready.to_string()).expect("written");
    std::fs::rename(home.join("ready.new"), home.join("ready.json")).expect("written");
    running.done().await.expect("until it is killed");
}

/// Of the gates that the desk names, who leads.
async fn leader(owner: &Caller) -> String {
    let status = owner.get("/vestibule/v1/status").await;
    if status.status != 200 {
        return String::new();
    }
    let status = status.json();
    let gates = status["gates"].as_array().expect("gates").clone();
    let leads = gates.into_iter().find(|gate| gate["leads"] == true);
    leads.map_or(String::new(), |gate| {
        gate["name"].as_str().expect("a name").to_owned()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_2_what_one_gate_closes_is_closed_at_the_other_when_it_answers() {
    let (_database, over) = database().await;
    let desk = Desk::with(&over).await;
    let other = Other::beside(&desk.gate.folder, &desk.gate.config, "b").await;
    let (acme, bolt) = (desk.enrol("acme").await, desk.enrol("bolt").await);
    let (there, bolt_there) = (other.here(&acme), other.here(&bolt));
    until("tokens of now are taken there", || async {
        comes_in(&there).await == 200
    })
    .await;
    assert_eq!(comes_in(&bolt_there).await, 200);

    // Narrower: the very next answer there is.
    let narrow = json!({"scope": {"accounts": ["1"]}, "reason": "less"});
    desk.act(&desk.owner, "acme", "change", narrow).await.fine();
    let me = there.get("/vestibule/v1/me").await.fine();
    assert_eq!(me["scope"]["part"]["accounts"], json!(["1"]));
    // Shut and opened again, five times over: never an answer of before.
    for round in 0..5 {
        desk.act(&desk.owner, "acme", "suspend", why("odd calls"))
            .await
            .fine();
        assert_eq!(comes_in(&there).await, 401, "{round}");
        desk.act(&desk.owner, "acme", "resume", why("explained"))
            .await
            .fine();
        assert_eq!(comes_in(&there).await, 200, "{round}");
    }
    // At the other's desk, and refused here.
    let owner_there = other.at_desk(&desk.owner);
    let path = "/vestibule/v1/connections/bolt/revoke";
    let done = owner_there.post(path, &why("over")).await;
    done.fine();
    assert_eq!(
        (comes_in(&bolt).await, comes_in(&bolt_there).await),
        (401, 401)
    );

    // A gate that stands still: the answer waits for its lease, no longer.
    other.signal("-STOP");
    let begun = Instant::now();
    desk.act(&desk.owner, "acme", "revoke", why("over"))
        .await
        .fine();
    let took = begun.elapsed();
    assert!(took >= LEASE, "its lease may have held still: {took:?}");
    assert!(took < LEASE * 4, "nobody waits for ever: {took:?}");
    assert_eq!(comes_in(&acme).await, 401);
    // A request that comes in while it stands still is answered when it wakes: not by what was before.
    let waking = tokio::spawn(async move { comes_in(&there).await });
    until("it has the request", || async { other.is_asked() }).await;
    other.signal("-CONT");
    let status = waking.await.expect("answered");
    assert!(matches!(status, 401 | 503), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_5_the_leader_is_killed_and_another_goes_on_where_it_was() {
    let (_database, over) = database().await;
    let mut world = World::with(&over).await;
    // First: the key that proposes upstream is made with the first provider that may.
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let other = Other::beside(&world.gate.folder, &world.gate.config, "b").await;
    let there = other.here(&trader.caller);
    until("tokens of now are taken there", || async {
        there.get(READ).await.status == 200
    })
    .await;
    let same = || async { there.get(READ).await.json() == trader.caller.get(READ).await.json() };
    assert!(same().await);
    // What the leader takes in is there at the other.
    let before = trader.caller.get(READ).await.json();
    world.sandbox.pay_in(1, "ETH", "0.5").await;
    until("the books know of it", || async {
        trader.caller.get(READ).await.json() != before
    })
    .await;
    until("the other's books follow", same).await;
    assert_ne!(there.get(READ).await.json(), before);

    // The other leads once the first has ended.
    world.gate.stop().await;
    let owner_there = other.at_desk(&world.owner);
    until("the other leads", || async {
        leader(&owner_there).await == "b"
    })
    .await;
    world.gate.start().await;
    let admin = format!("http://{}", world.gate.config.serve.admin);
    world.owner = Caller::new(&admin, world.owner.user, world.owner.key.clone());
    until("the first follows", || async {
        leader(&world.owner).await == "b"
    })
    .await;

    // A proposal whose answer from upstream is lost, and then the leader that had asked.
    until("the first takes tokens of now", || async {
        trader.caller.get(READ).await.status == 200
    })
    .await;
    let id = trader.propose(&transfer(1, 2, "0.01")).await;
    world.line.lose_an_answer();
    world.decide(&id, true).await.fine();
    until("its answer is lost", || async { world.line.has_lost_it() }).await;
    other.kill();
    until("the first leads", || async {
        leader(&world.owner).await == "gate"
    })
    .await;
    until("it is upstream", || async {
        world.state(&id).await == "SENT"
    })
    .await;
    world.quiet().await;
    assert_eq!(world.upstream_of(&id).await.len(), 1, "once");
    // The log is one chain, and its head is signed on.
    let (folder, config) = (world.gate.folder.clone(), world.gate.config.clone());
    world.gate.stop().await;
    let none: [&Path; 0] = [];
    let verified = gate::log::audit(&folder, &config, none, gate::log::Demand::default()).await;
    let verified = verified.expect("one chain");
    assert!(verified.entries > 8, "{}", verified.entries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_gates_one_writes_each_letter_once_and_the_other_goes_on_from_there() {
    let (_database, over) = database().await;
    let office = PostOffice::open().await;
    let mut desk = Desk::with(|config| {
        over(config);
        config.mail = Some(office.mail());
    })
    .await;
    desk.enrol("acme").await;
    let other = Other::beside(&desk.gate.folder, &desk.gate.config, "b").await;
    let near = json!({"until": days(5), "contact": "ops@acme.example", "reason": "it ends"});
    desk.act(&desk.owner, "acme", "change", near).await.fine();
    until("both sides have it", || async {
        office.letters().len() == 2
    })
    .await;
    // The other leads, and hears of another end.
    desk.gate.stop().await;
    let owner_there = other.at_desk(&desk.owner);
    until("the other leads", || async {
        leader(&owner_there).await == "b"
    })
    .await;
    let path = "/vestibule/v1/connections/acme/change";
    let sooner = json!({"until": days(4), "reason": "it ends sooner"});
    owner_there.post(path, &sooner).await.fine();
    until("both sides have that", || async {
        office.letters().len() >= 4
    })
    .await;
    desk.gate.start().await;
    let soonest = json!({"until": days(3), "reason": "it ends sooner still"});
    owner_there.post(path, &soonest).await.fine();
    until("both sides have that, too", || async {
        office.letters().len() >= 6
    })
    .await;
    let letters = office.letters();
    let mut ids: Vec<_> = letters
        .iter()
        .map(|letter| letter.header("Message-ID"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((letters.len(), ids.len()), (6, 6), "each once");
}

/// A PostgreSQL that its own means have put back is a copy like any other: nobody comes in until an owner
/// has looked.
#[tokio::test]
async fn a_postgresql_that_was_put_back_is_in_quarantine_once_that_is_said() {
    let (database, over_it) = database().await;
    let mut desk = Desk::with(&over_it).await;
    let acme = desk.enrol("acme").await;
    let comes = comes_in(&acme).await;
    assert_ne!(comes, 401);
    let (folder, config) = (desk.gate.folder.clone(), desk.gate.config.clone());
    let adopt = |config: Config| {
        let folder = folder.clone();
        async move { gate::restore::adopt(&folder, &config, &SystemClock).await }
    };
    let runs = adopt(config.clone()).await;
    assert!(matches!(runs, Err(RestoreError::Folder(_))), "{runs:?}");
    desk.gate.stop().await;
    let copy = database.copy().await;
    desk.gate.start().await;
    desk.act(&desk.owner, "acme", "revoke", why("a test"))
        .await
        .fine();
    desk.gate.stop().await;
    let kept = std::fs::read_to_string(folder.checkpoint()).expect("the newest checkpoint");

    // The copy in its place: the gate sees that it was cut.
    let Location::Postgres(url) = copy.location().clone() else {
        unreachable!("it is one of PostgreSQL")
    };
    let mut other = config;
    other.store.url = Some(url);
    let cut = gate::start::start(folder.clone(), other.clone(), CancellationToken::new()).await;
    assert!(cut.is_err(), "it knows a newer checkpoint");
    let back = adopt(other.clone()).await.expect("it is a copy");
    let aside = back.checkpoint.expect("what this machine knew");
    assert_eq!(std::fs::read_to_string(aside).expect("a file"), kept);
    // A machine whose gate was elsewhere meanwhile knows the checkpoint of before: no other life begins.
    std::fs::write(folder.checkpoint(), &kept).expect("as it was");
    let again = adopt(other.clone()).await.expect("done again");
    assert_eq!(again.entries, back.entries + 1, "it is no other life");
    let more = adopt(other.clone()).await.expect("said once more");
    assert_eq!((more.entries, more.checkpoint), (again.entries, None));
    desk.gate.config = other;
    desk.gate.start().await;
    let runs = Folder::new(folder.path().with_file_name("another"));
    std::fs::create_dir_all(runs.path().join("keys")).expect("a folder");
    let keys = |folder: &Folder| folder.log_key_path();
    std::fs::copy(keys(&folder), keys(&runs)).expect("copied");
    let serves = gate::restore::adopt(&runs, &desk.gate.config, &SystemClock).await;
    assert!(matches!(serves, Err(RestoreError::Serves)), "{serves:?}");
    let acme = Caller::new(&desk.gate.origin, acme.user, acme.key);
    assert_ne!(comes_in(&acme).await, comes, "nobody is let in");
    let word =
        |lost: u64| json!({"checkpoint": kept, "reason": "the disk failed", "accept_lost": lost});
    let told = desk.ask(&desk.owner, "POST", "/release", &word(0)).await;
    assert_eq!(told.status, 409, "{:?}", told.json());
    let mut lost = 1;
    let released = loop {
        let answer = desk.ask(&desk.owner, "POST", "/release", &word(lost)).await;
        if answer.status == 200 || lost > 9 {
            break answer.fine();
        }
        lost += 1;
    };
    assert_eq!(released["lost"], lost, "{released}");
    assert_eq!(
        comes_in(&acme).await,
        comes,
        "the copy has forgotten that it was revoked: the owner knew"
    );
}
