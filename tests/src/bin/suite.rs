//! Prints, keyword file by keyword file, how the engine judges the JSON-Schema-Test-Suite.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork_bench::program::finish;
use formwork_tests::suite::{Counts, SuiteRun, run_draft};

/// Runs the engine over a draft of the JSON-Schema-Test-Suite.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The suite: the folder that holds `tests` and `remotes`.
    #[arg(long)]
    suite: PathBuf,
    /// The draft: a folder of `tests`.
    #[arg(long, default_value = "draft2020-12")]
    draft: String,
    /// Write the counts as JSON.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// List the schemas that are refused, with the reason.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    finish("suite", run(&Options::parse()).map(|()| true))
}

fn run(options: &Options) -> io::Result<()> {
    std::panic::set_hook(Box::new(|_| {})); // Panics are counted, not printed.
    let run = run_draft(&options.suite, &options.draft)?;
    let _ = std::panic::take_hook();
    if let Some(path) = &options.summary {
        std::fs::write(path, serde_json::to_string_pretty(&run.summary())? + "\n")?;
    }
    print(&run, options.list)
}

fn print(run: &SuiteRun, list: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let names = ["cases", "right", "unsupported", "wr.accept", "wr.reject"];
    writeln!(out, "{:<44}{}", "", names.map(|name| format!("{name:>12}")).concat())?;
    for (name, counts) in &run.files {
        print_row(&mut out, name, *counts)?;
    }
    let summary = run.summary();
    print_row(&mut out, "total required", summary.required)?;
    print_row(&mut out, "total optional", summary.optional)?;
    print_row(&mut out, "total", summary.all)?;
    let sections = [("unsupported", &run.unsupported, list), ("wrong", &run.wrong, true)];
    for (title, findings, _) in sections.iter().filter(|(_, findings, shown)| *shown && !findings.is_empty()) {
        writeln!(out, "\n{title}:")?;
        for finding in findings.iter() {
            writeln!(out, "  {}: {}: {}", finding.file, finding.case, finding.reason)?;
        }
    }
    Ok(())
}

fn print_row(out: &mut impl Write, name: &str, counts: Counts) -> io::Result<()> {
    let Counts { cases, right, unsupported, wrong_accept, wrong_reject, .. } = counts;
    let cells = [cases, right, unsupported, wrong_accept, wrong_reject].map(|it| format!("{it:>12}"));
    writeln!(out, "{name:<44}{}", cells.concat())
}
