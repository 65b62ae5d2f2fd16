//! How do runs look on a screen? One line for each model and way to write.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Mode, Run};

/// All runs of one model as a table. Times are medians over the rounds, where
/// a round is all tasks, one after the other; mask times and bytes are for one pass.
pub fn render(name: &str, runs: &[Run]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "\n{name}");
    let _ = writeln!(
        out,
        "{:<14} {:>7} {:>7} {:>7} {:>9} {:>9} {:>8} {:>9} {:>10} {:>9} {:>10}",
        "", "tokens", "forced", "passes", "ms", "tokens/s", "mask %", "mask us", "mask bytes", "first ms", "compile us"
    );
    for (mode, label) in Mode::ALL {
        let rounds = rounds(mode, runs);
        let Some(first) = rounds.first() else { continue };
        let median = |get: fn(&Round) -> f64| median(rounds.iter().map(get).collect());
        let _ = writeln!(
            out,
            "{label:<14} {:>7} {:>7} {:>7} {:>9.1} {:>9.1} {:>8.2} {:>9.1} {:>10} {:>9.2} {:>10.0}",
            first.tokens,
            first.forced,
            first.passes,
            median(|round| round.total.as_secs_f64() * 1e3),
            median(|round| round.tokens as f64 / round.total.as_secs_f64()),
            median(|round| 100.0 * round.mask.as_secs_f64() / round.total.as_secs_f64()),
            median(|round| round.mask.as_secs_f64() * 1e6 / round.passes.max(1) as f64),
            first.mask_bytes / first.passes.max(1),
            median(|round| round.first.as_secs_f64() * 1e3 / round.n_runs as f64),
            median(|round| round.compile.as_secs_f64() * 1e6 / round.n_runs as f64),
        );
    }
    out
}

/// All tasks once.
#[derive(Default)]
struct Round {
    n_runs: usize,
    tokens: usize,
    forced: usize,
    passes: usize,
    total: Duration,
    mask: Duration,
    mask_bytes: usize,
    first: Duration,
    compile: Duration,
}

fn rounds(mode: Mode, runs: &[Run]) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for run in runs.iter().filter(|run| run.mode == mode) {
        if run.round >= rounds.len() {
            rounds.resize_with(run.round + 1, Round::default);
        }
        let (round, stats) = (&mut rounds[run.round], run.generation.stats);
        round.n_runs += 1;
        round.tokens += stats.tokens;
        round.forced += stats.forced_tokens;
        round.passes += stats.forward_passes;
        round.total += stats.total;
        round.mask += stats.mask;
        round.mask_bytes += stats.mask_bytes;
        round.first += stats.first_token;
        round.compile += run.compile;
    }
    rounds
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
