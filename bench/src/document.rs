//! The tables, as Markdown.

mod sandbox;

use std::fmt::{self, Write};

use crate::figures::{Figures, ratio, whole};
use crate::import::{self, Imported};
use crate::machine::Machine;
use crate::quiet::DISTURBED;
use crate::reads::{Case, Reads};
use crate::sandbox::Measured as Part;
use crate::start::{Started, Starts};
use crate::webhooks::{self, Taken};

/// Ready within this, in seconds.
const READY: f64 = 0.2;
/// Less memory than this, in MB.
const MEMORY: f64 = 60.0;

/// Everything that was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) load_after: &'a str,
    pub(crate) seconds: u64,
    pub(crate) rounds: u32,
    pub(crate) reads: &'a Reads,
    pub(crate) start: &'a Starts,
    pub(crate) import: &'a Imported,
    pub(crate) webhooks: &'a Taken,
    pub(crate) sandbox: &'a [Part],
}

/// The whole document.
pub(crate) fn write(measured: &Measured<'_>) -> Result<String, fmt::Error> {
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`; every figure of this page comes from one run. Do not edit it by hand.\n\n",
    );
    machine(&mut text, measured)?;
    disturbed(&mut text, measured);
    reads(&mut text, measured.reads, measured.rounds)?;
    starts(&mut text, measured.start, measured.reads)?;
    books(&mut text, measured.import, measured.webhooks)?;
    text.push_str("## The sandbox\n\n");
    for part in measured.sandbox {
        sandbox::write(&mut text, part)?;
    }
    text.push_str(REPEAT);
    Ok(text)
}

/// A part of the sandbox's alone.
pub(crate) fn part(measured: &Part) -> Result<String, fmt::Error> {
    let mut text = String::new();
    sandbox::write(&mut text, measured)?;
    Ok(text)
}

const REPEAT: &str = "## To repeat it

```sh
cargo xtask bench               # installs nginx, HAProxy (2.6 or newer) by apt-get and prism by npm where they lack
cargo xtask bench --rounds 9    # more rounds
```

It needs two cores, about half an hour after the release build, and a machine that does nothing
else. Absolute figures drift from machine to machine and from day to day; ratios hold better,
because what is divided was measured within seconds of each other.
";

fn machine(text: &mut String, measured: &Measured<'_>) -> fmt::Result {
    let Machine {
        processor,
        cores,
        memory,
        system,
        nginx,
        haproxy,
        load_before,
        revision,
    } = measured.machine;
    let (after, seconds, rounds) = (measured.load_after, measured.seconds, measured.rounds);
    writeln!(
        text,
        "| | |
|---|---|
| machine | {processor}, {cores} cores, {memory} |
| system | {system} |
| beside | {nginx}, {haproxy} |
| source | {revision} |
| load average before, after | {load_before}; {after} (1, 5, 15 minutes) |
| run | {rounds} rounds of each measurement, {seconds} s in all |

Figures are medians over the rounds; in brackets the least and the greatest round. A round of reads,
import or webhooks in which anything else on the machine took more than a tenth of a core is
measured again, if time allows; the {rounds} least disturbed rounds count, whatever came out of them.
"
    )
}

/// Says so where the machine was never quiet long enough.
fn disturbed(text: &mut String, measured: &Measured<'_>) {
    let most = measured.reads.cases.iter().map(|case| case.others).fold(
        measured.import.others.max(measured.webhooks.others),
        f64::max,
    );
    if most > DISTURBED {
        text.push_str(DISTURBED_TEXT);
    }
}

const DISTURBED_TEXT: &str = "**This run was disturbed**: something else was busy on the machine in rounds that count (see *others
took at most*). It meets the gate, one process, harder than HAProxy and nginx, which are two and get
two shares of a busy core. Repeat it on a quiet machine before drawing on the rates; the processor
times per answer are less touched.

";

fn reads(text: &mut String, reads: &Reads, rounds: u32) -> fmt::Result {
    writeln!(
        text,
        "## Reads through the gate

`GET /v1/vault/accounts_paged?limit=20`: 20 accounts, {} bytes of JSON, from books of {} vault
accounts; every request with a token of its own, signed beforehand (RS256). The load generator is
closed-loop (each connection sends its next request once the last is answered, keep-alive) and has
core 1 to itself; the server has core 0. In each of the {rounds} rounds every server answers the
same requests, one server after the other, in an order that turns.

- **limit** = 1 / (time of one bare verification + time of nginx's static answer of the same
  bytes): what a server on this core could do that did nothing beside.
- **HAProxy** checks the source address (ACL), a rate by API key (stick table) and the token's
  signature (`jwt_verify`, RS256), and hands on to that nginx. It knows no nonces, times, targets or
  scopes. *One core*: HAProxy and its nginx share core 0, as the gate has it. *Spread*: its nginx
  runs on core 1 beside the load generator, and HAProxy has core 0 alone.

| key | connections | gate | limit | gate / limit | HAProxy, one core | gate / HAProxy, one core | HAProxy, spread | gate / HAProxy, spread |
|---|---|---|---|---|---|---|---|---|",
        whole_of(reads.body),
        reads.accounts
    )?;
    for case in &reads.cases {
        let Case {
            key,
            connections,
            gate,
            limit,
            haproxy,
            haproxy_spread,
            ..
        } = case;
        writeln!(
            text,
            "| {key} | {connections} | {}/s | {}/s | {} | {}/s | {} | {}/s | {} |",
            whole(gate.rate.median()),
            whole(limit.median()),
            ratio(&gate.rate.over(limit)),
            whole(haproxy.rate.median()),
            ratio(&gate.rate.over(&haproxy.rate)),
            whole(haproxy_spread.rate.median()),
            ratio(&gate.rate.over(&haproxy_spread.rate)),
        )?;
    }
    writeln!(
        text,
        "
What the figures above are made of. Processor time is the server's own (user and system, of
HAProxy and its nginx together), counted in hundredths of a second, per answer.

| key | connections | requests a round | rounds measured | others took at most | bare verification | nginx | nginx, processor | gate, processor | HAProxy, one core, processor |
|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for case in &reads.cases {
        writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} % of a core | {} | {}/s | {} | {} | {} |",
            case.key,
            case.connections,
            whole_of(case.requests),
            case.measured,
            case.others * 100.0,
            micros(&case.verify),
            whole(case.nginx.rate.median()),
            micros(&case.nginx.cost),
            micros(&case.gate.cost),
            micros(&case.haproxy.cost),
        )?;
    }
    text.push('\n');
    Ok(())
}

fn starts(text: &mut String, starts: &Starts, reads: &Reads) -> fmt::Result {
    writeln!(
        text,
        "## Start and memory

From the start of the process to its ready file, on a store that is there already; the resident
memory (VmRSS) after 5 s without work. The goals are under {:.0} ms and under {MEMORY:.0} MB each.

| program | ready after | goal | memory, idle | goal |
|---|---|---|---|---|",
        READY * 1_000.0
    )?;
    for (name, started) in [("sandbox", &starts.sandbox), ("gate", &starts.gate)] {
        let Started { ready, resident } = started;
        let (least, most) = ready.range();
        writeln!(
            text,
            "| `vestibule {name}` | {:.0} ms ({:.0}-{:.0}) | {} | {resident:.0} MB | {} |",
            ready.median() * 1_000.0,
            least * 1_000.0,
            most * 1_000.0,
            held(ready.median() < READY),
            held(*resident < MEMORY),
        )?;
    }
    writeln!(
        text,
        "\nAfter all the reads above the gate held {:.0} MB: it remembers each nonce until its token has expired.\n",
        reads.gate_resident
    )
}

fn books(text: &mut String, imported: &Imported, taken: &Taken) -> fmt::Result {
    writeln!(
        text,
        "## Into the books

Durable (SQLite file, WAL, `synchronous=FULL`), each round into a new file. Others took at most
{:.0} % of a core meanwhile.

| what | a second |
|---|---|
| report import, read and applied: {} transactions ({} MB of CSV), {} rows a commit | {} rows |
| of that, reading: signature, SHA-256, every row, digest | {} rows |
| of that, applying | {} rows |
| webhooks stored: verified (RS512, RSA-2048), committed, then 200; {} connections, the server on one core | {} |
| webhooks applied to the books (a transaction each) | {} |
",
        imported.others.max(taken.others) * 100.0,
        whole(f64::from(import::ROWS)),
        millions(imported.length),
        import::BATCH,
        rates(&imported.whole),
        rates(&imported.read),
        rates(&imported.applied),
        webhooks::CONNECTIONS,
        rates(&taken.stored),
        rates(&taken.applied),
    )
}

fn held(held: bool) -> &'static str {
    if held { "held" } else { "**missed**" }
}

fn rates(figures: &Figures) -> String {
    let (least, most) = figures.range();
    format!(
        "{} ({}-{})",
        whole(figures.median()),
        whole(least),
        whole(most)
    )
}

fn micros(figures: &Figures) -> String {
    format!("{:.0} µs", figures.median() * 1e6)
}

fn whole_of(count: usize) -> String {
    u32::try_from(count).map_or("many".to_owned(), |count| whole(f64::from(count)))
}

fn millions(bytes: usize) -> String {
    u32::try_from(bytes).map_or("many".to_owned(), |bytes| {
        format!("{:.1}", f64::from(bytes) / 1e6)
    })
}
