//! What can be measured, each part by itself: in a world of its own, which ends with it.

use std::path::Path;

use clap::ValueEnum;
use tempfile::TempDir;

use crate::evidence::{self, Evidence};
use crate::import::{self, Imported};
use crate::pages::{self, Pages};
use crate::product::Product;
use crate::reads::{self, Reads, Shape};
use crate::refusals::{self, Refusals};
use crate::sandbox::beside::{self, Beside};
use crate::sandbox::creating::{self, Creating};
use crate::sandbox::fresh::{self, Fresh};
use crate::sandbox::lists::{self, Lists};
use crate::soak::{self, Soaked};
use crate::start::{self, Starts};
use crate::webhooks::{self, Taken};
use crate::world::{Provider, Setting, World};

/// One page again and again: connections, and requests of a round.
const SHAPES: [Shape; 3] = [
    (1, [3_000, 2_000]),
    (16, [6_000, 4_000]),
    (256, [6_000, 4_000]),
];

/// A part, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Reads through the gate, beside HAProxy and the limit of the machine.
    Reads,
    /// Pages of a large workspace, at random, while events are applied.
    Pages,
    /// What a refusal costs, and a flood of them.
    Refusals,
    /// Verifying the log, judging a workspace's posture.
    Evidence,
    /// The gate's memory over some minutes.
    Soak,
    /// How soon sandbox and gate are ready, and what memory they hold.
    Start,
    /// A report into the books.
    Import,
    /// Webhooks into the books.
    Webhooks,
    /// The sandbox beside a mock server of the same document.
    Beside,
    /// Transactions created in the sandbox.
    Creating,
    /// Fresh workspaces of the sandbox.
    Fresh,
    /// The lists of a large workspace.
    Lists,
}

/// What a part came to.
#[derive(Debug)]
pub(crate) enum Measured {
    Reads(Reads),
    Pages(Pages),
    Refusals(Refusals),
    Evidence(Evidence),
    Soak(Soaked),
    Start(Starts),
    Import(Imported),
    Webhooks(Taken),
    Beside(Beside),
    Creating(Creating),
    Fresh(Fresh),
    Lists(Lists),
}

impl Measured {
    /// What others took of one core in the most disturbed round that counts, where that was watched.
    pub(crate) fn others(&self) -> Option<f64> {
        match self {
            Self::Reads(reads) => reads.others(),
            Self::Pages(pages) => pages.reads.others(),
            Self::Refusals(refusals) => Some(refusals.others),
            Self::Import(imported) => Some(imported.others),
            Self::Webhooks(taken) => Some(taken.others),
            _ => None,
        }
    }
}

/// What is measured, and beside what.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub(crate) vestibule: &'a Path,
    pub(crate) nginx: &'a Path,
    pub(crate) haproxy: &'a Path,
    pub(crate) prism: &'a Path,
    pub(crate) large: &'a Path,
    pub(crate) many: &'a Path,
    pub(crate) rounds: u32,
    pub(crate) minutes: u32,
}

impl Site<'_> {
    /// Measures a part.
    pub(crate) fn measure(&self, part: Part) -> anyhow::Result<Measured> {
        let folder = TempDir::with_prefix("vestibule-bench-")?;
        let product = Product::new(self.vestibule, folder.path());
        let (folder, rounds) = (folder.path(), self.rounds);
        let set = |setting: &Setting<'_>| {
            println!("--- a workspace, a gate in front of it, two providers");
            World::set(self.vestibule, setting)
        };
        let world = || set(&Setting::SMALL);
        let many = || {
            set(&Setting {
                workspace: Some(self.many),
                in_scope: pages::IN_SCOPE,
            })
        };
        Ok(match part {
            Part::Reads => {
                let page = |_: &Provider| Ok(vec![reads::first_page()]);
                let beside = (self.nginx, self.haproxy);
                Measured::Reads(reads::measure(&world()?, beside, rounds, &SHAPES, page)?)
            }
            Part::Pages => {
                let beside = (self.nginx, self.haproxy);
                Measured::Pages(pages::measure(&many()?, beside, rounds)?)
            }
            Part::Refusals => Measured::Refusals(refusals::measure(&world()?, rounds)?),
            Part::Evidence => Measured::Evidence(evidence::measure(&mut world()?, rounds)?),
            Part::Soak => Measured::Soak(soak::measure(&many()?, self.minutes)?),
            Part::Start => Measured::Start(start::measure(&mut world()?, rounds)?),
            Part::Import => Measured::Import(import::measure(rounds)?),
            Part::Webhooks => Measured::Webhooks(webhooks::measure(rounds)?),
            Part::Beside => {
                Measured::Beside(beside::measure(&product, folder, self.prism, rounds)?)
            }
            Part::Creating => Measured::Creating(creating::measure(&product, folder, rounds)?),
            Part::Fresh => Measured::Fresh(fresh::measure(&product, rounds)?),
            Part::Lists => Measured::Lists(lists::measure(&product, folder, self.large)?),
        })
    }
}
