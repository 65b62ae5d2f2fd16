//! Counts what the engine holds, and fails where a bound is not kept: tables, compiled schemas, a cache of many.

use std::alloc::System;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use formwork_bench::data::{self, Case};
use formwork_bench::memory::{self, CacheSample, Compiled};
use formwork_bench::program::finish_with_stack;
use formwork_bench::vocabulary::BenchVocabulary;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Stack of the measuring thread.
const STACK_BYTES: usize = 512 << 20;
/// What tables of a vocabulary may take.
const MAX_TABLE_BYTES: usize = 64 << 20;
/// What the median schema may take when its documents were read.
const MAX_MEDIAN_BYTES: usize = 200_000;

/// Counts what the engine holds for a vocabulary, for single schemas, and behind a bounded cache of many.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Folders of NAME.json or .jsonl files, or such files.
    #[arg(long, required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// o200k, cl100k, or a tokenizer file.
    #[arg(long, default_value = "o200k")]
    vocab: String,
    /// Take this many schemas of all.
    #[arg(long, default_value_t = 1_000)]
    sample: usize,
    /// What chooses the sample.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Different schemas that are sent through the bounded cache.
    #[arg(long, default_value_t = 10_000)]
    schemas: usize,
    /// Compiled schemas that the bounded cache keeps.
    #[arg(long, default_value_t = 256)]
    cached: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish_with_stack("memory", STACK_BYTES, move || run(&options))
}

fn heap_bytes() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

fn run(options: &Options) -> Result<bool, String> {
    let cases = data::read_cases(&options.data).map_err(|error| error.to_string())?;
    let cases = data::sample(cases, options.sample, options.seed);
    let cases: Vec<Case> =
        cases.iter().map(|text| text.parse().map_err(|error| error.to_string())).collect::<Result<_, _>>()?;
    let bench = BenchVocabulary::load(&options.vocab)?;
    let mut report = Report { keeps_bounds: true };

    let (vocabulary, tables) = memory::tables(&bench, &cases, &heap_bytes)?;
    report.line(&format!("tables of {}: {} when made", options.vocab, megabytes(tables.made)))?;
    report.bound("tables, with those that schemas asked for", tables.used, MAX_TABLE_BYTES)?;

    let mut compiled = memory::compiled_schemas(&vocabulary, &bench, &cases, &heap_bytes);
    report.line(&format!("{} compiled schemas, after their documents", compiled.len()))?;
    for (name, get) in [("own accounting", (|it| it.own_accounting) as fn(&Compiled) -> usize), ("heap", |it| it.heap)]
    {
        compiled.sort_by_key(get);
        let at = |share: f64| compiled.get((compiled.len() as f64 * share) as usize).or(compiled.last()).map_or(0, get);
        report.line(&format!(
            "  {name}: p90 {}, p99 {}, max {}",
            kilobytes(at(0.9)),
            kilobytes(at(0.99)),
            kilobytes(at(1.0))
        ))?;
        report.bound(&format!("  {name}: median"), at(0.5), MAX_MEDIAN_BYTES)?;
    }

    let sizes = (options.schemas, options.cached);
    let (samples, live) = memory::bounded_cache(&Arc::clone(&vocabulary), &bench, &cases, sizes, &heap_bytes);
    report.line(&format!("{} different schemas through a cache of {}", options.schemas, options.cached))?;
    for sample in &samples {
        let (heap, resident) = (megabytes(sample.heap), megabytes(sample.resident as usize));
        report
            .line(&format!("  {:>6}: {} alive, heap {heap}, resident {resident}", sample.n_schemas, sample.n_alive))?;
    }
    let most_alive = samples.iter().map(|sample| sample.n_alive).max().unwrap_or(0);
    report.bound("  compiled schemas alive", most_alive, options.cached + memory::HELD)?;
    let most_heap = |samples: &[CacheSample]| samples.iter().map(|sample| sample.heap).max().unwrap_or(0);
    let (first_half, second_half) = samples.split_at(samples.len() / 2);
    report.bound("  heap in the second half", most_heap(second_half), most_heap(first_half) / 10 * 11)?;
    report.line(&format!("  {} live sequences, {} masks of theirs compared", live.n_sequences, live.n_masks))?;
    report.bound("  masks that eviction changed", live.n_wrong, 0)?;
    Ok(report.keeps_bounds)
}

struct Report {
    keeps_bounds: bool,
}

impl Report {
    fn line(&self, text: &str) -> Result<(), String> {
        writeln!(io::stdout(), "{text}").map_err(|error| error.to_string())
    }

    fn bound(&mut self, what: &str, is: usize, may_be: usize) -> Result<(), String> {
        let verdict = if is <= may_be { "kept" } else { "EXCEEDED" };
        self.keeps_bounds &= is <= may_be;
        self.line(&format!("{what}: {is}, bound {may_be}: {verdict}"))
    }
}

fn megabytes(n_bytes: usize) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}

fn kilobytes(n_bytes: usize) -> String {
    format!("{:.1} kB", n_bytes as f64 / 1e3)
}
