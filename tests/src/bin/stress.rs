//! Lets many threads share compilers, grammars and matchers for as long as asked, and compares with one thread.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use formwork_bench::program::finish;
use formwork_tests::stress::{Effort, Stress};

/// Compares what threads see with what one thread sees.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// How long.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Threads that share everything.
    #[arg(long, default_value_t = 16)]
    threads: u64,
    /// What each thread does in a round.
    #[arg(long, default_value_t = 400)]
    actions: usize,
    /// Chooses what they do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Rounds between two lines of counters.
const N_ROUNDS: u64 = 50;

fn main() -> ExitCode {
    finish("stress", run(&Options::parse()))
}

/// A difference is a panic, with what was seen.
fn run(options: &Options) -> io::Result<bool> {
    let (start, limit) = (Instant::now(), Duration::from_secs_f64(options.minutes * 60.0));
    let effort = Effort { n_threads: options.threads, n_actions: options.actions };
    let mut stress = Stress::new();
    let mut out = io::stdout().lock();
    for round in 0u64.. {
        let is_over = start.elapsed() >= limit;
        if is_over || round.is_multiple_of(N_ROUNDS) {
            writeln!(out, "{:>6.0} s: {}", start.elapsed().as_secs_f64(), stress.counters())?;
        }
        if is_over {
            break;
        }
        stress.round(effort, options.seed.wrapping_mul(1 << 32).wrapping_add(round));
    }
    Ok(true)
}
