//! Compares the masks of two runs of `maskbench`, and fails where any of them changed.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork_bench::compare::{Comparison, read};
use formwork_bench::program::finish;

/// Schemas that are named, of each kind.
const N_NAMED: usize = 20;

/// Compares the masks of two runs of maskbench by the digests in their --out files. Exits with 1 where any schema differs or
/// is missing, with 2 where a file cannot be read.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// What `maskbench --out` wrote before.
    old: PathBuf,
    /// What it wrote now.
    new: PathBuf,
    /// Only this engine; again for several; all of them without.
    #[arg(long)]
    engine: Vec<String>,
}

fn main() -> ExitCode {
    finish("maskbench-compare", compare(&Options::parse()))
}

fn compare(options: &Options) -> Result<bool, String> {
    let comparison = Comparison::new(read(&options.old)?, read(&options.new)?, &options.engine);
    let lists = [
        ("different", &comparison.different),
        ("only in the old file", &comparison.only_old),
        ("only in the new file", &comparison.only_new),
    ];
    let mut out = io::stdout().lock();
    let mut print = || {
        writeln!(out, "{:>6}  equal", comparison.n_equal)?;
        for (what, schemas) in lists {
            writeln!(out, "{:>6}  {what}", schemas.len())?;
            for schema in schemas.iter().take(N_NAMED) {
                writeln!(out, "        {schema}")?;
            }
        }
        Ok(())
    };
    print().map_err(|error: io::Error| error.to_string())?;
    Ok(comparison.is_equal())
}
