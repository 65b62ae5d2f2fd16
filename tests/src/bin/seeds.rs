//! Writes many outputs for schemas of different groups of MaskBench with the shipped model, and prints how many are valid.
//!
//! Run it with `RAYON_NUM_THREADS=1`: the model is too small to be worth two threads.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork_bench::data::{self, CaseText};
use formwork_bench::program::finish;
use formwork_tests::seeds::{Judged, Tally, Writer};
use serde_json::Value;

/// Groups that schemas are taken from, in this order: the rest is too large for a small model's context.
const GROUPS: [&str; 12] = [
    "Github_easy",
    "Github_medium",
    "Github_hard",
    "Github_trivial",
    "Glaiveai2K",
    "JsonSchemaStore",
    "Kubernetes",
    "Snowplow",
    "WashingtonPost",
    "BFCL",
    "Handwritten",
    "Synthesized",
];

/// An unanchored pattern, as JSON writes it: a cut output is completed by chance, and chance does not find its match.
fn has_unanchored_pattern(schema: &str) -> bool {
    schema.split("\"pattern\":\"").skip(1).any(|rest| !rest.starts_with('^'))
}

/// Sizes of schema texts that say something and leave room for an answer.
const SCHEMA_BYTES: std::ops::Range<usize> = 150..2_000;

/// Writes outputs for schemas of MaskBench with the shipped model and validates them.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// MaskBench data: a folder of .jsonl files.
    #[arg(long)]
    data: PathBuf,
    /// Outputs for each schema.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// Schemas, each of another group.
    #[arg(long, default_value_t = 10)]
    schemas: usize,
    /// Tokens of one output at most.
    #[arg(long, default_value_t = 160)]
    max_tokens: usize,
    /// Sampling temperature.
    #[arg(long, default_value_t = 1.0)]
    temperature: f64,
}

fn main() -> ExitCode {
    finish("seeds", run(&Options::parse()))
}

fn run(options: &Options) -> Result<bool, String> {
    let cases = data::read_cases(std::slice::from_ref(&options.data)).map_err(|error| error.to_string())?;
    let mut writer = Writer::load(options.max_tokens, options.temperature)?;
    let chosen: Vec<(String, Judged)> =
        GROUPS.iter().filter_map(|group| choose(group, &cases, &writer)).take(options.schemas).collect();
    let names = ["completed", "valid", "cut", "completable", "open", "free", "invalid", "faults"];
    print(&format!("{:<44}{}", "", names.map(|name| format!("{name:>12}")).concat()))?;
    let mut total = Tally::default();
    let mut n_faults = 0;
    for (name, judged) in &chosen {
        let mut tally = Tally::default();
        let n_before = n_faults;
        for seed in 0..options.seeds {
            match writer.write(judged, seed) {
                Ok(one) => tally = tally.plus(one),
                Err(message) => {
                    n_faults += 1;
                    let _ = writeln!(io::stderr(), "{name}, seed {seed}: {message}");
                }
            }
        }
        print_row(name, &tally, n_faults - n_before)?;
        total = total.plus(tally);
    }
    print_row("all", &total, n_faults)?;
    let share = 100.0 * total.unconstrained_invalid as f64 / total.unconstrained.max(1) as f64;
    print(&format!("unconstrained outputs of the same prompts that are not valid: {share:.1} %"))?;
    Ok(total.is_sound() && n_faults == 0)
}

/// The first schema of a group that suits, by name.
fn choose(group: &str, cases: &[CaseText], writer: &Writer) -> Option<(String, Judged)> {
    cases.iter().filter(|case| case.group == group).find_map(|text| {
        let case = text.parse().ok()?;
        let schema = case.schema.to_string();
        let keys: Vec<&String> = case.schema.get("properties").and_then(Value::as_object)?.keys().collect();
        if !SCHEMA_BYTES.contains(&schema.len())
            || has_unanchored_pattern(&schema)
            || !(1..=8).contains(&keys.len())
            || case.instances.is_empty()
        {
            return None;
        }
        let keys = keys.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let judged = writer.judge(&case.schema, &format!("Generate a JSON record with {keys}.")).ok()?;
        Some((format!("{group}/{}", case.name), judged))
    })
}

fn print_row(name: &str, tally: &Tally, n_faults: usize) -> Result<(), String> {
    let Tally { completed, valid, cut, cut_valid, cut_open, unconstrained, unconstrained_invalid } = *tally;
    let cells = [completed, valid, cut, cut_valid, cut_open, unconstrained, unconstrained_invalid, n_faults];
    print(&format!("{name:<44}{}", cells.map(|cell| format!("{cell:>12}")).concat()))
}

fn print(line: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|error| error.to_string())
}
