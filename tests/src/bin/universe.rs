//! Compares masks with enumerated languages for random schemas that use every keyword, and prints counters by keyword.
//!
//! Ends with a shrunk counter-example and a failure where the engine is wrong.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use formwork_bench::program::finish;
use formwork_tests::universe::{Counts, Dice, Outcome, Size, Trial, Universe, shrink};

/// Compares the engine's masks with enumerated languages.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// (schema, prefix) pairs to compare.
    #[arg(long, default_value_t = 100_000)]
    pairs: usize,
    /// Chooses universes, schemas and walks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out this many universes.
    #[arg(long, default_value_t = 0)]
    skip: u64,
    /// Small universes, as in the tests.
    #[arg(long)]
    small: bool,
    /// Only objects whose keys the universe's schema lists.
    #[arg(long)]
    no_maps: bool,
    /// Go on after this many counter-examples.
    #[arg(long, default_value_t = 1)]
    max_failures: usize,
}

/// Schemas tried on one universe.
const N_SCHEMAS: usize = 12;

fn main() -> ExitCode {
    finish("universe", run(&Options::parse()))
}

fn run(options: &Options) -> io::Result<bool> {
    std::panic::set_hook(Box::new(|_| {})); // A panic is a counter-example like any other.
    let mut out = io::stdout().lock();
    let size = if options.small { Size::SMALL } else { Size::LARGE };
    let size = Size { has_maps: !options.no_maps, ..size };
    let mut counts = Counts::default();
    let mut n_failures = 0;
    let mut number = options.skip;
    while counts.pairs < options.pairs && n_failures < options.max_failures {
        let mut dice = Dice::new(options.seed.wrapping_mul(1 << 32).wrapping_add(number));
        number += 1;
        let universe = Universe::draw(&mut dice, size);
        for _ in 0..N_SCHEMAS {
            let trial = Trial::draw(&universe, &mut dice);
            let outcome = trial.run(number);
            counts.add(&trial.schema, &outcome);
            if let Outcome::Failed(failure) = outcome {
                n_failures += 1;
                let shrunk = shrink(&trial);
                let whence = if shrunk.is_some() { "" } else { ", only beside other schemas" };
                let shown = shrunk.unwrap_or(failure);
                let order = universe.key_order;
                writeln!(out, "WRONG (universe {number}, {order:?}{whence}): {}\n{}\n", shown.what, shown.document)?;
                out.flush()?;
            }
        }
    }
    write!(out, "{counts}")?;
    writeln!(out, "{n_failures} wrong")?;
    Ok(n_failures == 0)
}
