//! The tables of pages at random, refusals, evidence and the soak.

use std::fmt::{self, Write};
use std::time::Duration;

use super::gate::{self, Judged, micros};
use super::{held, whole_of};
use crate::evidence::{self, Evidence};
use crate::figures::{Figures, ratio, whole};
use crate::pages::{self, Pages};
use crate::reads;
use crate::refusals::{self, Refusals};
use crate::soak::{self, Soaked};

/// What half of capacity may add to nginx's slowest hundredth, in seconds.
const ADDED: f64 = 0.001;
/// What a refusal may cost of a read.
const REFUSAL: f64 = 0.1;
/// Entries verified a second, at least, and seconds of judging, at most.
const VERIFIED: f64 = 200_000.0;
const JUDGED: f64 = 2.0;
/// What memory may grow to, of what it was.
const FLAT: f64 = 1.05;

pub(super) fn pages(text: &mut String, pages: &Pages) -> fmt::Result {
    writeln!(
        text,
        "## Pages at random, while events are applied

A workspace of 100,000 vault accounts; both providers have {} of them in scope, by id; the
gate has the settings that it is shipped with, and walks through the whole of it all the time.
Each read is of one of {} pages of {} accounts, drawn at random, by cursor. Upstream makes a
transaction every {} ms meanwhile, {} in all, each told by several events; the last was seen through
the gate {} after its answer. Everything else is as above. Log, access records and budgets are on; the
budgets are never used up. Afterwards the gate held {:.0} MB. The sandbox has to share core 1 with the load
generator, which costs every server of these tables some of its rate: goals are judged by processor time here. In
the gate's are its walks, its events and all else that it does for itself meanwhile.
",
        whole_of(pages::IN_SCOPE),
        whole_of(pages.pages),
        reads::ACCOUNTS,
        pages::events::EACH.as_millis(),
        whole_of(pages.events.0),
        since(pages.events.1),
        pages.reads.gate_resident,
    )?;
    gate::cases(text, &pages.reads, Judged::Processor)?;
    writeln!(
        text,
        "
Open loop: each request is due at its own moment, at half of the rate that the gate has over {} connections
for that page, for a second in each round; time counts from when it was due. While the load generator is kept
waiting for its core (more than 0.15 ms at a time) by the sandbox, nothing becomes due, and what is under
way cannot be timed: it does not count. nginx answers the same bytes at the same pace while the gate stands still.

| accounts of a page | body | requests | not timed (gate, nginx) | gate, median | nginx, median | gate, p99 | nginx, p99 | added p99 | goal: at most | |
|---|---|---|---|---|---|---|---|---|---|---|",
        pages::PACED
    )?;
    for paced in &pages.paced {
        let added = paced.gate.slow.beyond(&paced.nginx.slow).median();
        writeln!(
            text,
            "| {} | {} bytes | {}/s | {:.1} %, {:.1} % | {} | {} | {} | {} | {:.2} ms | {:.0} ms | {} |",
            paced.accounts,
            whole_of(paced.body),
            whole(paced.rate.median()),
            paced.gate.missed.median() * 100.0,
            paced.nginx.missed.median() * 100.0,
            millis(&paced.gate.median),
            millis(&paced.nginx.median),
            millis(&paced.gate.slow),
            millis(&paced.nginx.slow),
            added * 1_000.0,
            ADDED * 1_000.0,
            held(added <= ADDED),
        )?;
    }
    text.push('\n');
    Ok(())
}

pub(super) fn refusals(text: &mut String, refusals: &Refusals) -> fmt::Result {
    writeln!(
        text,
        "## Refusals

Over {} connections, beside a bare answer of the same listener (`/.well-known/jwks.json`) and a read
with RSA-4096. Both refusals are answered 401, and counted for the log.

| what | an answer | beyond the bare one, of what a read is beyond it | goal: under | |
|---|---|---|---|---|
| bare answer | {} | | | |
| read | {} | 1 | | |",
        refusals::CONNECTIONS,
        micros(&refusals.bare),
        micros(&refusals.read),
    )?;
    for (what, refused) in [
        ("a key that nobody has", &refusals.unknown_key),
        ("an address that is not listed", &refusals.wrong_address),
    ] {
        let share = refusals.share_of(refused);
        writeln!(
            text,
            "| {what} | {} | {} | {REFUSAL} | {} |",
            micros(refused),
            ratio(&share),
            held(share.median() < REFUSAL),
        )?;
    }
    writeln!(
        text,
        "
A provider reads at {:.0} % of what the core answers ({}/s), alone and beside {} refused calls a second by
a stranger: its slowest hundredth takes {} alone and {} beside them.
",
        refusals::SHARE * 100.0,
        whole(refusals.rates.0.median()),
        whole(refusals.rates.1.median()),
        millis(&refusals.quiet),
        millis(&refusals.flooded),
    )
}

pub(super) fn evidence(text: &mut String, evidence: &Evidence) -> fmt::Result {
    writeln!(
        text,
        "## Log and posture

A log of {} entries and more, verified by the whole command, from the start of the process to its end: every entry,
the tree and every signed checkpoint. The posture of {} API users, each a third party's, under {} rules
that name them all: from the JSON of the API to the verdicts.

| what | figure | goal | |
|---|---|---|---|
| `gate log verify COPY` | {}/s | {}/s | {} |
| `gate log verify`, in the gate's store | {}/s | | |
| posture of {} API users | {} | {:.0} s | {} |
",
        whole_of(usize::try_from(evidence::ENTRIES).unwrap_or(usize::MAX)),
        whole_of(evidence::USERS),
        whole_of(evidence::RULES),
        whole(evidence.copy.median()),
        whole(VERIFIED),
        held(evidence.copy.median() >= VERIFIED),
        whole(evidence.store.median()),
        whole_of(evidence::USERS),
        millis(&evidence.posture),
        JUDGED,
        held(evidence.posture.median() < JUDGED),
    )
}

pub(super) fn soak(text: &mut String, soaked: &Soaked) -> fmt::Result {
    let (first, second) = soaked.halves();
    let minutes = soaked.resident.len().saturating_sub(1);
    let each: Vec<_> = soaked
        .resident
        .iter()
        .map(|resident| format!("{resident:.0}"))
        .collect();
    writeln!(
        text,
        "## Memory over {minutes} minutes

Random pages as above, up to {}/s over {} connections, {} in all, while {} transactions were made upstream (the
last was seen through the gate {} after its answer). Memory
(VmRSS) at the start and after each minute, in MB: {}. The second half's most is {:.2} of the first
half's; goal: at most {FLAT}: {}.
",
        soak::RATE,
        soak::CONNECTIONS,
        whole_of(soaked.reads),
        whole_of(soaked.events.0),
        since(soaked.events.1),
        each.join(", "),
        second / first,
        held(second <= first * FLAT),
    )
}

fn since(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn millis(figures: &Figures) -> String {
    format!("{:.2} ms", figures.median() * 1_000.0)
}
