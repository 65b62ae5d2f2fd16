//! Prints, keyword file by keyword file, how the engine judges the JSON-Schema-Test-Suite.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork_tests::suite::{Counts, SuiteCounts, run_draft};

/// Runs the engine over a draft of the JSON-Schema-Test-Suite.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The suite: the folder that holds `tests`.
    #[arg(long)]
    suite: PathBuf,
    /// The draft: a folder of `tests`.
    #[arg(long, default_value = "draft2020-12")]
    draft: String,
    /// Write the counts as JSON.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "suite: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    std::panic::set_hook(Box::new(|_| {})); // Panics are counted, not printed.
    let counts = run_draft(&options.suite, &options.draft)?;
    let _ = std::panic::take_hook();
    if let Some(path) = &options.summary {
        std::fs::write(path, serde_json::to_string_pretty(&counts)? + "\n")?;
    }
    print(&counts)
}

fn print(counts: &SuiteCounts) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let names = ["cases", "right", "wr.accept", "wr.reject", "refused", "panicked"];
    writeln!(out, "{:<44}{}", "", names.map(|name| format!("{name:>10}")).concat())?;
    for (name, counts) in counts {
        print_row(&mut out, name, *counts)?;
    }
    let sum = |is_optional: bool| {
        let part = counts.iter().filter(|(name, _)| name.starts_with("optional/") == is_optional);
        part.map(|(_, counts)| *counts).fold(Counts::default(), Counts::plus)
    };
    print_row(&mut out, "required", sum(false))?;
    print_row(&mut out, "optional", sum(true))
}

fn print_row(out: &mut impl Write, name: &str, counts: Counts) -> io::Result<()> {
    let Counts { cases, right, wrong_accept, wrong_reject, refused, panicked } = counts;
    let cells = [cases, right, wrong_accept, wrong_reject, refused, panicked].map(|it| format!("{it:>10}"));
    writeln!(out, "{name:<44}{}", cells.concat())
}
