//! The tables of the gate's reads, and of how soon and how small both programs are.

use std::fmt::{self, Write};

use super::{held, whole_of};
use crate::figures::{Figures, ratio, whole};
use crate::reads::{Case, Reads};
use crate::start::{Started, Starts};

/// Of the limit, and of HAProxy on one core, at least.
const RSA_2048: (f64, f64) = (0.85, 1.45);
const RSA_4096: (f64, f64) = (0.91, 1.2);
/// Ready within so many seconds, in less memory than so many MB.
const SANDBOX: (f64, f64) = (0.1, 40.0);
const GATE: (f64, f64) = (0.2, 60.0);

pub(super) fn reads(text: &mut String, reads: &Reads, rounds: u32) -> fmt::Result {
    writeln!(
        text,
        "## Reads through the gate

`GET /v1/vault/accounts_paged?limit=20`: 20 accounts, {} bytes of JSON, from books of {} vault
accounts; every request with a token of its own, signed beforehand (RS256). The load generator is
closed-loop (each connection sends its next request once the last is answered, keep-alive) and has
core 1 to itself, where it never sleeps (no server pays for waking it, which a caller on another machine
would not cost it either); the server has core 0. In each of the {rounds} rounds every server answers the
same requests, one server after the other, in an order that turns.

- **limit** = 1 / (time of one bare verification + time of nginx's static answer of the same
  bytes): what a server on this core could do that did nothing beside.
- **limit, copied** is the same with an nginx that reads the file into its own memory and writes it from
  there (`sendfile off`, its default), where the other names the file to the kernel. Who makes each answer
  anew has to have its bytes copied, too: that is not the gate's to save. The goal is of the limit above.
- **by processor time**: what verification and nginx's answer take, over what the gate takes for an answer; and
  what HAProxy and its nginx take over it. Goals are judged by the rates here.
- **HAProxy** checks the source address (ACL), a rate by API key (stick table) and the token's
  signature (`jwt_verify`, RS256), and hands on to that nginx. It knows no nonces, times, targets or
  scopes. *One core*: HAProxy and its nginx share core 0, as the gate has it. *Spread*: its nginx
  runs on core 1 beside the load generator, which sleeps then when it waits, and HAProxy has core 0 alone.
",
        whole_of(reads.body),
        reads.accounts
    )?;
    cases(text, reads, Judged::Rates)?;
    writeln!(
        text,
        "\nAfter all that the gate held {:.0} MB: it remembers each nonce until its token has expired.\n",
        reads.gate_resident
    )
}

/// By what it is judged whether a goal is held.
#[derive(Clone, Copy, Debug)]
pub(super) enum Judged {
    /// Answers a second.
    Rates,
    /// Processor time an answer.
    Processor,
}

/// The tables of who answered how much, and of what that is made of.
pub(super) fn cases(text: &mut String, reads: &Reads, judged: Judged) -> fmt::Result {
    text.push_str(
        "| key | connections | gate | limit | gate / limit | by processor time | goal | | limit, copied | gate / limit, copied | HAProxy, one core | gate / HAProxy, one core | by processor time | goal | | HAProxy, spread | gate / HAProxy, spread |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
",
    );
    for case in &reads.cases {
        let Case {
            key,
            connections,
            gate,
            limit,
            limit_copying,
            needed,
            haproxy,
            haproxy_spread,
            ..
        } = case;
        let (of_limit, of_haproxy) = if *key == "RSA-2048" {
            RSA_2048
        } else {
            RSA_4096
        };
        let (of, over) = (gate.rate.over(limit), gate.rate.over(&haproxy.rate));
        let cheaper = haproxy.cost.over(&gate.cost);
        let (reached, beaten) = match judged {
            Judged::Rates => (&of, &over),
            Judged::Processor => (needed, &cheaper),
        };
        writeln!(
            text,
            "| {key} | {} | {}/s | {}/s | {} | {} | {of_limit} | {} | {}/s | {} | {}/s | {} | {} | {of_haproxy} | {} | {}/s | {} |",
            whole_of(*connections),
            whole(gate.rate.median()),
            whole(limit.median()),
            ratio(&of),
            ratio(needed),
            held(reached.median() >= of_limit),
            whole(limit_copying.median()),
            ratio(&gate.rate.over(limit_copying)),
            whole(haproxy.rate.median()),
            ratio(&over),
            ratio(&cheaper),
            held(beaten.median() >= of_haproxy),
            whole(haproxy_spread.rate.median()),
            ratio(&gate.rate.over(&haproxy_spread.rate)),
        )?;
    }
    writeln!(
        text,
        "
What the figures above are made of. Processor time is the server's own (user and system, of
HAProxy and its nginx together), counted by the scheduler, per answer.

| key | connections | requests a round | rounds measured | others took at most | bare verification | nginx | nginx, processor | nginx, copied | nginx, copied, processor | gate, processor | HAProxy, one core, processor |
|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for case in &reads.cases {
        writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} % of a core | {} | {}/s | {} | {}/s | {} | {} | {} |",
            case.key,
            case.connections,
            whole_of(case.requests),
            case.measured,
            case.others * 100.0,
            micros(&case.verify),
            whole(case.nginx.rate.median()),
            micros(&case.nginx.cost),
            whole(case.nginx_copying.rate.median()),
            micros(&case.nginx_copying.cost),
            micros(&case.gate.cost),
            micros(&case.haproxy.cost),
        )?;
    }
    Ok(())
}

pub(super) fn starts(text: &mut String, starts: &Starts) -> fmt::Result {
    writeln!(
        text,
        "## Start and memory

From the start of the process to its ready file, on a store that is there already; the resident
memory (VmRSS) after 5 s without work.

| program | ready after | goal: within | | memory, idle | goal: under | |
|---|---|---|---|---|---|---|"
    )?;
    for (name, started, (soon, small)) in [
        ("sandbox", &starts.sandbox, SANDBOX),
        ("gate", &starts.gate, GATE),
    ] {
        let Started { ready, resident } = started;
        let (least, most) = ready.range();
        writeln!(
            text,
            "| `vestibule {name}` | {:.0} ms ({:.0}-{:.0}) | {:.0} ms | {} | {:.0} MB | {small:.0} MB | {} |",
            ready.median() * 1_000.0,
            least * 1_000.0,
            most * 1_000.0,
            soon * 1_000.0,
            held(ready.median() < soon),
            resident.median(),
            held(resident.median() < small),
        )?;
    }
    text.push('\n');
    Ok(())
}

pub(super) fn micros(figures: &Figures) -> String {
    format!("{:.1} µs", figures.median() * 1e6)
}
