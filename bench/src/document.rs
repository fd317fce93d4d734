//! The page: the machine, then each part's tables, as Markdown.

mod books;
mod door;
mod gate;
mod sandbox;

use std::fmt::{self, Write};

use crate::figures::whole;
use crate::machine::Machine;
use crate::parts::Measured;
use crate::quiet::DISTURBED;

/// A run of every part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) load_after: &'a str,
    pub(crate) seconds: u64,
    pub(crate) rounds: u32,
    pub(crate) parts: &'a [Measured],
}

/// The whole page.
pub(crate) fn page(run: &Run<'_>) -> Result<String, fmt::Error> {
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`; every figure of this page comes from one run. Do not edit it by hand.\n\n",
    );
    machine(&mut text, run)?;
    let others = run.parts.iter().filter_map(Measured::others);
    if others.fold(0.0, f64::max) > DISTURBED {
        text.push_str(DISTURBED_TEXT);
    }
    for measured in run.parts {
        part(&mut text, measured, run.rounds)?;
    }
    text.push_str(REPEAT);
    Ok(text)
}

/// The tables of one part.
pub(crate) fn part(text: &mut String, measured: &Measured, rounds: u32) -> fmt::Result {
    match measured {
        Measured::Reads(reads) => gate::reads(text, reads, rounds),
        Measured::Pages(pages) => door::pages(text, pages),
        Measured::Refusals(refusals) => door::refusals(text, refusals),
        Measured::Evidence(evidence) => door::evidence(text, evidence),
        Measured::Soak(soaked) => door::soak(text, soaked),
        Measured::Start(starts) => gate::starts(text, starts),
        Measured::Import(imported) => books::import(text, imported),
        Measured::Webhooks(taken) => books::webhooks(text, taken),
        Measured::Beside(beside) => sandbox::beside(text, beside),
        Measured::Creating(creating) => sandbox::creating(text, creating),
        Measured::Fresh(fresh) => sandbox::fresh(text, fresh),
        Measured::Lists(lists) => sandbox::lists(text, lists),
    }
}

const REPEAT: &str = "## To repeat it

```sh
cargo xtask bench               # installs nginx, HAProxy (2.6 or newer) by apt-get and prism by npm where they lack
cargo xtask bench --rounds 9    # more rounds
cargo xtask bench --only reads  # one part, to the terminal
```

It needs two cores, about three quarters of an hour after the release build, and a machine that does nothing
else. Absolute figures drift from machine to machine and from day to day; ratios hold better,
because what is divided was measured within seconds of each other.
";

fn machine(text: &mut String, run: &Run<'_>) -> fmt::Result {
    let Machine {
        processor,
        cores,
        memory,
        system,
        nginx,
        haproxy,
        load_before,
        revision,
    } = run.machine;
    let (after, seconds, rounds) = (run.load_after, run.seconds, run.rounds);
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

const DISTURBED_TEXT: &str = "**This run was disturbed**: something else was busy on the machine in rounds that count (see *others
took at most*). It meets the gate, one process, harder than HAProxy and nginx, which are two and get
two shares of a busy core. Repeat it on a quiet machine before drawing on the rates; the processor
times per answer are less touched.

";

fn held(held: bool) -> &'static str {
    if held { "held" } else { "**missed**" }
}

fn whole_of(count: usize) -> String {
    u32::try_from(count).map_or("many".to_owned(), |count| whole(f64::from(count)))
}
