//! The command `formwork`: which subcommands are there, and what becomes of their results.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 for yes and done, 1 for a rejected
//! instance, 2 for bad input (a refused schema, a missing file, a wrong option) with one line that says what is wrong.

mod byte_vocabulary;
mod commands;
mod display;
mod document_args;
mod expected;
mod failure;
mod input;
mod model;
mod progress;
mod schema_args;
mod shipped_model;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::display::say;
use crate::failure::Failure;

/// Structured output for language models: text that keeps to a schema, every time.
#[derive(Parser)]
#[command(name = "formwork", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(commands::generate::GenerateArgs),
    Check(commands::check::CheckArgs),
    Explain(commands::explain::ExplainArgs),
    Vocab(commands::vocab::VocabArgs),
    Mask(commands::mask::MaskArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Generate(args) => args.run(),
        Command::Check(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Vocab(args) => args.run(),
        Command::Mask(args) => args.run(),
    };
    match result {
        Ok(code) => code,
        Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::BadInput(message)) => {
            say(&format!("formwork: {message}\n"));
            ExitCode::from(2)
        }
    }
}
