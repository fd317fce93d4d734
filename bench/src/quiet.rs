//! Whether the machine did something else meanwhile: processor time that none of ours has used.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::product::{self, Running, TICK};

/// A round in which others took more than this of one core is measured again, if time allows.
pub(crate) const DISTURBED: f64 = 0.1;

/// The rounds that count.
#[derive(Debug)]
pub(crate) struct Rounds<T> {
    /// What each came to, the least disturbed first.
    pub(crate) kept: Vec<T>,
    /// How many were measured.
    pub(crate) measured: usize,
    /// What others took of one core, in the most disturbed round that counts.
    pub(crate) others: f64,
}

/// Measures until so many rounds were quiet; once the time is over, no more than so many in all.
/// The least disturbed count: chosen by what disturbed them, never by what came out.
/// `once` measures a round, and says what others took meanwhile.
pub(crate) fn rounds<T>(
    wanted: u32,
    time: Duration,
    mut once: impl FnMut(u32) -> anyhow::Result<(T, f64)>,
) -> anyhow::Result<Rounds<T>> {
    let began = Instant::now();
    let mut all = Vec::new();
    let (mut quiet, mut round) = (0, 0);
    while quiet < wanted && (round < wanted || began.elapsed() < time) {
        let (outcome, others) = once(round)?;
        quiet += u32::from(others <= DISTURBED);
        round += 1;
        all.push((outcome, others));
    }
    let measured = all.len();
    all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    all.truncate(usize::try_from(wanted)?);
    let others = all.iter().map(|(_, others)| *others).fold(0.0, f64::max);
    Ok(Rounds {
        kept: all.into_iter().map(|(outcome, _)| outcome).collect(),
        measured,
        others,
    })
}

/// A moment to compare with.
#[derive(Debug)]
pub(crate) struct Since {
    at: Instant,
    others: f64,
}

impl Since {
    /// Now; `ours` are the servers of the round.
    pub(crate) fn now(ours: &[&Running]) -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            others: others(ours)?,
        })
    }

    /// What others took since then, of one core: 0.5 is half of it.
    pub(crate) fn others(&self, ours: &[&Running]) -> anyhow::Result<f64> {
        let took = self.at.elapsed().as_secs_f64();
        Ok((others(ours)? - self.others) / took)
    }
}

/// Processor time, in seconds, of all that is neither ours nor idle, since the machine started.
fn others(ours: &[&Running]) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let all = busy(&stat).context("/proc/stat has a line of all cores")?;
    let mut own = product::busy_with_children("self")?;
    for one in ours {
        own += one.busy()?;
    }
    Ok(all - own)
}

/// user, nice, system, (idle, iowait,) irq, softirq, steal; what is stolen is somebody else's, too.
fn busy(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let mut ticks = 0.0;
    for (at, field) in line.split_whitespace().take(8).enumerate() {
        if !matches!(at, 3 | 4) {
            ticks += field.parse::<f64>().ok()?;
        }
    }
    Some(ticks * TICK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disturbed_rounds_are_measured_again_while_there_is_time() {
        let run = |others: &[f64], time| {
            let mut left = others.iter().zip(0..);
            let once = |_| {
                let (others, at) = left.next().context("no more rounds")?;
                Ok((at, *others))
            };
            let rounds = rounds::<i32>(2, time, once).expect("rounds");
            (rounds.kept, rounds.measured)
        };
        let long = Duration::from_secs(3_600);
        assert_eq!(run(&[0.0, 0.05, 0.0], long), (vec![0, 1], 2));
        assert_eq!(run(&[0.9, 0.05, 0.5, 0.0], long), (vec![3, 1], 4));
        assert_eq!(run(&[0.9, 0.5, 0.0], Duration::ZERO), (vec![1, 0], 2));
    }

    #[test]
    fn idle_time_is_nobodys() {
        let stat = "cpu  100 20 30 5000 600 7 8 9 50 60\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        let busy = busy(stat).expect("a line");
        assert!((busy - 1.74).abs() < 1e-9, "{busy}");
    }
}
