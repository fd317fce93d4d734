//! The sandbox's tables.

use std::fmt::{self, Write};

use super::{held, whole_of};
use crate::figures::{ratio, whole};
use crate::sandbox::beside::Beside;
use crate::sandbox::creating::Creating;
use crate::sandbox::fresh::Fresh;
use crate::sandbox::lists::{Lists, Measured, PAGE};

/// As many times the mock server's answers.
const ANSWERS: f64 = 10.0;
/// With a key of so many bits.
const KEY: usize = 2048;
/// As small a part of the mock server's start.
const START: f64 = 0.1;
/// A fresh fund, in seconds.
const PROGRAM: f64 = 0.3;
/// A fresh workspace, in seconds.
const WORKSPACE: f64 = 0.05;
/// As many times the first page of a small workspace.
const PAGES: f64 = 3.0;

pub(super) fn beside(text: &mut String, beside: &Beside) -> fmt::Result {
    writeln!(
        text,
        "## The sandbox beside a mock server

`@stoplight/prism-cli` 5.16.0 with the sandbox's own document ({} operations); the server has core 0, the
load generator core 1. The sandbox checks the signature of every call and answers from its books;
prism checks that the headers are there and answers from the document. Goal: {ANSWERS:.0} times the
answers with a key of {KEY} bits, a tenth of the start.

| key | call | connections | sandbox | prism | sandbox / prism | goal |
|---|---|---|---|---|---|---|",
        beside.operations
    )?;
    for case in &beside.cases {
        let times = case.sandbox.over(&case.prism);
        writeln!(
            text,
            "| RSA-{} | `GET {}` | {} | {}/s | {}/s | {} | {} |",
            case.key,
            case.target,
            case.connections,
            whole(case.sandbox.median()),
            whole(case.prism.median()),
            ratio(&times),
            if case.key == KEY {
                held(times.median() >= ANSWERS)
            } else {
                ""
            },
        )?;
    }
    let part = beside.ready.over(&beside.prism_ready);
    writeln!(
        text,
        "\nFrom the start of the process to its first answer: {:.0} ms with a fund freshly made, prism {:.0} ms; {} of it, {}.\n",
        beside.ready.median() * 1e3,
        beside.prism_ready.median() * 1e3,
        ratio(&part),
        held(part.median() <= START),
    )
}

pub(super) fn creating(text: &mut String, creating: &Creating) -> fmt::Result {
    writeln!(
        text,
        "## Transactions created in the sandbox

`POST /v1/transactions`, each durable when it is answered (SQLite file, WAL, `synchronous=FULL`), beside
appends of 4 KiB with `fdatasync` in the same folder, one after the other: {}/s.

| connections | created | of the appends |
|---|---|---|",
        whole(creating.synced.median())
    )?;
    for (connections, created) in &creating.created {
        writeln!(
            text,
            "| {connections} | {}/s | {} |",
            whole(created.median()),
            ratio(&created.over(&creating.synced)),
        )?;
    }
    text.push('\n');
    Ok(())
}

pub(super) fn fresh(text: &mut String, fresh: &Fresh) -> fmt::Result {
    writeln!(
        text,
        "## Fresh workspaces of the sandbox

| what | took | goal |
|---|---|---|
| `vestibule sandbox --ephemeral` to its ready file, two funds freshly made | {:.0} ms | {} |
| a fresh fund of a running sandbox, by one call | {:.1} ms | {} |
| the same from a snapshot | {:.1} ms | {} |

The program: {:.0} MB.
",
        fresh.program.median() * 1e3,
        held(fresh.program.median() < PROGRAM),
        fresh.workspace.median() * 1e3,
        held(fresh.workspace.median() < WORKSPACE),
        fresh.restored.median() * 1e3,
        held(fresh.restored.median() < WORKSPACE),
        fresh.size,
    )
}

pub(super) fn lists(text: &mut String, lists: &Lists) -> fmt::Result {
    writeln!(
        text,
        "## A large workspace of the sandbox

The workspace of `bench/large.toml`; how many rows each list has stands below. Made in {:.0} s,
ready again after {:.1} s; {:.0} MB of memory before the calls below, {:.0} MB after them. Pages of {PAGE} rows over
one connection, evenly apart from the first page to the last (with a filter: to the 300th of the greatest
pages). Each page is asked for in turns with the first page without a filter of a small workspace
(`vestibule sandbox`), the medians of several calls count. Goal: no page takes more than {PAGES:.0} times as
long as that.

| list | filter | rows | first page | slowest page | small, beside it | slowest / small | goal |
|---|---|---|---|---|---|---|---|",
        lists.making, lists.ready, lists.resident.0, lists.resident.1
    )?;
    for line in &lists.lines {
        let Measured {
            name,
            filter,
            first,
            slowest,
            pages,
            rows,
        } = line;
        let times = slowest.times_small();
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} of {pages} | {} | {times:.1} | {} |",
            if filter.is_empty() {
                "none".to_owned()
            } else {
                format!("`{filter}`")
            },
            whole_of(*rows),
            micros(first.took),
            micros(slowest.took),
            micros(slowest.small),
            held(times <= PAGES),
        )?;
    }
    text.push('\n');
    Ok(())
}

fn micros(seconds: f64) -> String {
    format!("{} µs", whole(seconds * 1e6))
}
