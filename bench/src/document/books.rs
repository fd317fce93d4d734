//! The tables of what goes into the books.

use std::fmt::{self, Write};

use crate::figures::{Figures, whole};
use crate::import::{self, Imported};
use crate::webhooks::{self, Taken};

pub(super) fn import(text: &mut String, imported: &Imported) -> fmt::Result {
    writeln!(
        text,
        "## A report into the books

{} transactions ({} MB of CSV), {} rows a commit; durable (SQLite file, WAL,
`synchronous=FULL`), each round into a new file. Others took at most {:.0} % of a core meanwhile.

| what | rows a second |
|---|---|
| read and applied | {} |
| of that, reading: signature, SHA-256, every row, digest | {} |
| of that, applying | {} |
",
        whole(f64::from(import::ROWS)),
        millions(imported.length),
        import::BATCH,
        imported.others * 100.0,
        rates(&imported.whole),
        rates(&imported.read),
        rates(&imported.applied),
    )
}

pub(super) fn webhooks(text: &mut String, taken: &Taken) -> fmt::Result {
    writeln!(
        text,
        "## Webhooks into the books

Durable (SQLite file, WAL, `synchronous=FULL`), each round into a new file. Others took at most
{:.0} % of a core meanwhile.

| what | a second |
|---|---|
| stored: verified (RS512, RSA-2048), committed, then 200; {} connections, the server on one core | {} |
| applied to the books (a transaction each) | {} |
",
        taken.others * 100.0,
        webhooks::CONNECTIONS,
        rates(&taken.stored),
        rates(&taken.applied),
    )
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

fn millions(bytes: usize) -> String {
    u32::try_from(bytes).map_or("many".to_owned(), |bytes| {
        format!("{:.1}", f64::from(bytes) / 1e6)
    })
}
