//! A sandbox with a file, from its start to its end; which may be a sudden one.

use std::future::{Future as _, poll_fn};
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use protocol::time::Millis;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::ledger::Entry;
use super::play::Player;
use super::runtime;
use super::steps::Step;
use crate::start::{Config, Running, start};

/// How long what runs has to see that it is over.
const END: Duration = Duration::from_secs(20);

pub(super) fn config(data: Option<PathBuf>) -> Config {
    let any = ([127, 0, 0, 1], 0).into();
    Config {
        seed: Some(1),
        manual: true,
        frozen_at: Some(Millis(1_790_000_000_000)),
        data,
        ..Config::new(any, any)
    }
}

pub(super) struct Life {
    pub(super) runtime: Runtime,
    running: Running,
    shutdown: CancellationToken,
    data: PathBuf,
}

impl Life {
    pub(super) fn begin(data: &Path) -> Self {
        let (runtime, shutdown) = (runtime(), CancellationToken::new());
        let started = start(config(Some(data.to_owned())), shutdown.clone());
        Self {
            running: runtime.block_on(started).expect("it starts"),
            runtime,
            shutdown,
            data: data.to_owned(),
        }
    }

    fn hall(&self) -> std::sync::Arc<crate::hall::Hall> {
        let id = self.running.workspaces[0].0;
        self.running.halls().get(id).expect("a workspace")
    }

    pub(super) fn player(&self) -> Player {
        self.runtime.block_on(Player::new(&self.hall()))
    }

    /// A step is under way when all is over. What it has made, where that is known: of a step that
    /// makes something it is waited for, since its maker would not know of what else.
    pub(super) fn cut_off(&self, player: &mut Player, step: &Step, polls: u8) -> Option<Entry> {
        if step.makes_something() {
            return self.runtime.block_on(player.act(step));
        }
        self.runtime.block_on(async {
            let mut act = std::pin::pin!(player.act(step));
            for _ in 0..polls {
                let polled = poll_fn(|context| Poll::Ready(act.as_mut().poll(context)));
                if polled.await.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        None
    }

    /// Nothing is told that it ends: as if the process were gone. Then it begins again.
    pub(super) fn again(self, player: &mut Player) -> Self {
        let Self {
            runtime,
            running,
            data,
            ..
        } = self;
        player.leave();
        runtime.shutdown_timeout(END);
        drop(running);
        let life = Self::begin(&data);
        player.enter(&life.hall());
        life
    }

    /// As a user ends it.
    pub(super) fn end(self) {
        self.shutdown.cancel();
        self.runtime.block_on(self.running.done());
        self.runtime.shutdown_timeout(END);
    }
}
