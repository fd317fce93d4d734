//! An open-loop load: each request is due at its own moment, however slow the answers before it are.
//! Time counts from when it was due, so that a server that stands still is not spared. When a request is due
//! is by the generator's clock, so that what it could not send is not sent all at once afterwards. An answer that
//! was under way while the generator was away cannot be timed: when it came nobody knows.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::net::TcpStream;

use super::clock::Clock;
use super::{Load, PATIENCE, Requests, answer};
use crate::cores;

/// How long each answer took.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// In seconds, the shortest first.
    timed: Vec<f64>,
    /// Answers that could not be timed.
    missed: usize,
}

impl Latencies {
    /// Of each answer, how long it took; nothing, if it could not be timed.
    fn of(answers: Vec<Option<f64>>) -> Self {
        let all = answers.len();
        let mut timed: Vec<f64> = answers.into_iter().flatten().collect();
        timed.sort_by(f64::total_cmp);
        Self {
            missed: all - timed.len(),
            timed,
        }
    }

    /// The share of answers that could not be timed.
    pub(crate) fn missed(&self) -> f64 {
        self.missed as f64 / (self.missed + self.timed.len()) as f64
    }

    /// This share of them took no longer: 0.99 is all but the slowest hundredth.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let count = self.timed.len();
        let rank = (1..=count).find(|rank| *rank as f64 >= share * count as f64);
        rank.and_then(|rank| self.timed.get(rank - 1))
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
        let clock = Clock::watched();
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
            all.push(Latencies::of(took));
        }
        Ok(all)
    })
}

type Task = tokio::task::JoinHandle<anyhow::Result<Vec<Option<f64>>>>;

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
) -> anyhow::Result<Vec<Option<f64>>> {
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
        let (late, sent) = (clock.now().saturating_sub(due), clock.looks());
        answer(&mut stream, request, &mut buffer, load.status).await?;
        let answered = sent.until(clock.looks());
        took.push(answered.map(|answered| (late + answered).as_secs_f64()));
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_those_that_were_seen() {
        let mut answers: Vec<_> = (1..=200).rev().map(|took| Some(f64::from(took))).collect();
        answers.extend([None; 50]);
        let latencies = Latencies::of(answers);
        assert_eq!(latencies.quantile(0.5), 100.0);
        assert_eq!(latencies.quantile(0.99), 198.0);
        assert_eq!(latencies.quantile(1.0), 200.0);
        assert_eq!(latencies.missed(), 0.2);
        assert!(Latencies::of(Vec::new()).quantile(0.5).is_nan());
    }
}
