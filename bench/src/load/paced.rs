//! An open-loop load: each request is due at its own moment, however slow the answers before it are.
//! Time counts from when it was due, so that a server that stands still is not spared. The generator's
//! clock stands still while the generator does not have its core: what it could neither send nor receive is
//! no server's fault, and is not sent all at once afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::net::TcpStream;

use super::{Load, PATIENCE, Requests, answer};
use crate::cores;

/// How long each answer took, in seconds, the shortest first.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<f64>);

impl Latencies {
    /// This share of them took no longer: 0.99 is all but the slowest hundredth.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let count = self.0.len();
        let rank = (1..=count).find(|rank| *rank as f64 >= share * count as f64);
        rank.and_then(|rank| self.0.get(rank - 1))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

/// One load of several at once.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    pub(crate) load: Load,
    pub(crate) requests: Requests,
    /// Requests a second.
    pub(crate) rate: f64,
}

/// Sends them all, each at its own pace; the latencies of each.
pub(crate) fn latencies(paces: Vec<Pace>) -> anyhow::Result<Vec<Latencies>> {
    cores::on_async(cores::LOAD, move || async move {
        let clock = Arc::new(Clock::new());
        let watched = Arc::clone(&clock);
        tokio::spawn(async move {
            loop {
                watched.now();
                tokio::task::yield_now().await;
            }
        });
        let mut running = Vec::new();
        for pace in paces {
            running.push(start(pace, &clock).await?);
        }
        let mut all = Vec::new();
        for tasks in running {
            let mut took = Vec::new();
            for task in tasks {
                took.extend(task.await??);
            }
            took.sort_by(f64::total_cmp);
            all.push(Latencies(took));
        }
        Ok(all)
    })
}

/// The generator's own time. It looks here all the time, as long as it has its core.
#[derive(Debug)]
struct Clock {
    began: Instant,
    /// When it looked last, in nanoseconds.
    looked: AtomicU64,
    /// How long it was away in all, in nanoseconds.
    away: AtomicU64,
}

impl Clock {
    /// Not to have looked for so long is to have been away: longer than all answers that can be there at
    /// once take to read.
    const AWAY: u64 = 500_000;

    fn new() -> Self {
        Self {
            began: Instant::now(),
            looked: AtomicU64::new(0),
            away: AtomicU64::new(0),
        }
    }

    fn now(&self) -> Duration {
        let real = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.at(real)
    }

    /// The generator's time where so much has gone by in truth.
    fn at(&self, real: u64) -> Duration {
        let since = real.saturating_sub(self.looked.swap(real, Ordering::Relaxed));
        let more = if since > Self::AWAY { since } else { 0 };
        let away = self.away.fetch_add(more, Ordering::Relaxed) + more;
        Duration::from_nanos(real.saturating_sub(away))
    }
}

type Task = tokio::task::JoinHandle<anyhow::Result<Vec<f64>>>;

async fn start(pace: Pace, clock: &Arc<Clock>) -> anyhow::Result<Vec<Task>> {
    let Pace {
        load,
        requests,
        rate,
    } = pace;
    ensure!(rate > 0.0, "a pace is more than nothing");
    let streams = load.connected().await?;
    let began = clock.now();
    let drive = |(first, stream): (usize, TcpStream)| {
        let (requests, clock) = (Arc::clone(&requests), Arc::clone(clock));
        tokio::spawn(async move {
            let all = one(load, stream, &requests, first, (began, rate), &clock);
            tokio::time::timeout(PATIENCE, all)
                .await
                .context("the server stands still")?
        })
    };
    Ok(streams.into_iter().enumerate().map(drive).collect())
}

/// One connection's share. A request that is due while the one before is not answered waits, and that
/// counts.
async fn one(
    load: Load,
    mut stream: TcpStream,
    requests: &Requests,
    first: usize,
    (began, rate): (Duration, f64),
    clock: &Clock,
) -> anyhow::Result<Vec<f64>> {
    let mut buffer = vec![0; 64 * 1024];
    let mut took = Vec::new();
    for (number, request) in requests
        .iter()
        .enumerate()
        .skip(first)
        .step_by(load.connections)
    {
        let due = began + Duration::from_secs_f64(number as f64 / rate);
        // Timers count in milliseconds; and no server is to pay for waking the generator.
        while clock.now() < due {
            tokio::task::yield_now().await;
        }
        answer(&mut stream, request, &mut buffer, load.status).await?;
        took.push(clock.now().saturating_sub(due).as_secs_f64());
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_those_that_were_seen() {
        let latencies = Latencies((1..=200).map(f64::from).collect());
        assert_eq!(latencies.quantile(0.5), 100.0);
        assert_eq!(latencies.quantile(0.99), 198.0);
        assert_eq!(latencies.quantile(1.0), 200.0);
        assert!(Latencies(Vec::new()).quantile(0.5).is_nan());
    }

    #[test]
    fn the_generators_clock_stands_still_while_it_is_away() {
        let clock = Clock::new();
        let at = |real| clock.at(real).as_nanos();
        assert_eq!((at(400_000), at(800_000)), (400_000, 800_000));
        assert_eq!(at(5_800_000), 800_000, "away for 5 ms");
        assert_eq!((at(5_900_000), at(6_300_000)), (900_000, 1_300_000));
    }
}
