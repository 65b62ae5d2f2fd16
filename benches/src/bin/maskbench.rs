//! Runs engines over MaskBench data, interleaved schema by schema in one thread, and prints what they did.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use formwork_bench::clock::Clock;
use formwork_bench::data::{self, CaseText};
use formwork_bench::engine::{self, Engine};
use formwork_bench::exchange::{Recorded, TokenWriter};
use formwork_bench::program::finish_with_stack;
use formwork_bench::run::{Drops, Measurement, Outcome, Runner, TokenCase};
use formwork_bench::slowest::Slowest;
use formwork_bench::summary::{Pass, Percentiles, RunInfo, Summary};
use formwork_bench::table;
use formwork_bench::vocabulary::BenchVocabulary;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

/// Stack of the measuring thread: engines recurse into schemas, and an overflow would end the run.
const STACK_BYTES: usize = 512 << 20;

static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Runs engines over MaskBench data, interleaved, and compares them.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Folders of NAME.json or .jsonl files, or such files.
    #[arg(long, required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Engines, the one to compare with first: formwork, formwork-listed, formwork-row, formwork-borrowed, llguidance,
    /// llguidance-unforced.
    #[arg(long, default_values = ["formwork", "llguidance"])]
    engine: Vec<String>,
    /// Times of another engine, as a script of `benches/peers` writes them for the same data and vocabulary.
    #[arg(long, value_name = "NAME.jsonl")]
    recorded: Vec<PathBuf>,
    /// Write the data as tokens, for a script of `benches/peers`, and measure nothing.
    #[arg(long, value_name = "FILE.jsonl")]
    tokens: Option<PathBuf>,
    /// o200k, cl100k, or a tokenizer file.
    #[arg(long, default_value = "o200k")]
    vocab: String,
    /// Take this many schemas of all.
    #[arg(long)]
    sample: Option<usize>,
    /// What chooses the sample.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Compile each schema anew before each instance.
    #[arg(long)]
    cold: bool,
    /// With --cold: also drop what engines keep of other schemas.
    #[arg(long, requires = "cold")]
    forget: bool,
    /// Compile and fill the first mask only; no instances are run.
    #[arg(long)]
    first_mask: bool,
    /// Leave out the time in which the thread had no processor, for a machine that does other work.
    #[arg(long)]
    processor_time: bool,
    /// Passes over the data; times are the medians over them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=99))]
    repeat: u32,
    /// Write one line for each schema and engine (first pass).
    #[arg(long, value_name = "FILE.jsonl")]
    out: Option<PathBuf>,
    /// Show this many of the slowest masks (first pass), with the text before each.
    #[arg(long, value_name = "N", default_value_t = 0)]
    slowest: usize,
    /// Write the figures.
    #[arg(long, value_name = "FILE.json")]
    summary: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish_with_stack("maskbench", STACK_BYTES, move || run(&options).map(|()| true))
}

fn run(options: &Options) -> Result<(), String> {
    let mut cases = data::read_cases(&options.data).map_err(|error| error.to_string())?;
    if let Some(n) = options.sample {
        cases = data::sample(cases, n, options.seed);
    }
    let vocabulary = BenchVocabulary::load(&options.vocab)?;
    if let Some(path) = &options.tokens {
        return write_tokens(path, &cases, &vocabulary);
    }
    let recorded: Vec<Recorded> = options.recorded.iter().map(|path| Recorded::read(path)).collect::<Result<_, _>>()?;
    let mut engines: Vec<Box<dyn Engine>> =
        options.engine.iter().map(|name| engine::load(name, &vocabulary)).collect::<Result<_, _>>()?;
    let mut out =
        options.out.as_ref().map(File::create).transpose().map_err(|error| error.to_string())?.map(BufWriter::new);
    listen_for_interrupt()?;
    std::panic::set_hook(Box::new(|_| {})); // Engines' panics are counted, not printed.
    let mut passes = Vec::new();
    let mut slowest = Slowest::new(options.slowest);
    for pass_idx in 0..options.repeat {
        let mut lines = out.as_mut().filter(|_| pass_idx == 0);
        let mut bench =
            Bench { engines: &mut engines, recorded: &recorded, vocabulary: &vocabulary, options, lines: &mut lines };
        let pass = bench.pass(&cases, pass_idx, &mut slowest)?;
        if !is_interrupted() || passes.is_empty() {
            passes.push(pass);
        }
        if is_interrupted() {
            break;
        }
    }
    let _ = std::panic::take_hook();
    if let Some(mut out) = out {
        out.flush().map_err(|error| error.to_string())?;
    }
    let names: Vec<String> =
        options.engine.iter().cloned().chain(recorded.iter().map(|engine| engine.name().to_owned())).collect();
    report(options, &names, &passes)?;
    if options.slowest > 0 {
        let title = "slowest masks: microseconds, engine, schema, instance and token, text before";
        write!(io::stdout(), "\n{title}\n{}", slowest.render()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn write_tokens(path: &Path, cases: &[CaseText], vocabulary: &BenchVocabulary) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let mut writer = TokenWriter::new(path, vocabulary).map_err(failed)?;
    for text in cases {
        let case = text.parse().map_err(|error| format!("{}: {error}", text.group))?;
        writer.add(&TokenCase::new(case, vocabulary)).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

fn listen_for_interrupt() -> Result<(), String> {
    let on_interrupt = || {
        if IS_INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(on_interrupt).map_err(|error| error.to_string())
}

fn is_interrupted() -> bool {
    IS_INTERRUPTED.load(Ordering::SeqCst)
}

struct Bench<'a, 'b> {
    engines: &'a mut [Box<dyn Engine>],
    /// Engines that were measured elsewhere.
    recorded: &'a [Recorded],
    vocabulary: &'a BenchVocabulary,
    options: &'a Options,
    lines: &'a mut Option<&'b mut BufWriter<File>>,
}

impl Bench<'_, '_> {
    /// One pass over the data; which engine goes first changes from schema to schema and from pass to pass.
    fn pass(&mut self, cases: &[CaseText], pass_idx: u32, slowest: &mut Slowest) -> Result<Pass, String> {
        let bar = progress_bar(cases.len());
        let drops = match (self.options.cold, self.options.forget) {
            (false, _) => Drops::Nothing,
            (true, false) => Drops::Schema,
            (true, true) => Drops::All,
        };
        let clock = if self.options.processor_time { Clock::Processor } else { Clock::Wall };
        let mut runner = Runner::new(self.vocabulary, drops, clock);
        let mut pass = Pass::with_capacity(cases.len());
        for (case_idx, text) in cases.iter().enumerate() {
            let mut case = text.parse().map_err(|error| format!("{}: {error}", text.group))?;
            if self.options.first_mask {
                case.instances.clear();
            }
            let case = TokenCase::new(case, self.vocabulary);
            let row = self.interleave(&mut runner, &case, case_idx + pass_idx as usize);
            self.write_lines(&text.group, &case.name, &row)?;
            if pass_idx == 0 {
                for (engine, measurement) in self.engines.iter().zip(&row) {
                    slowest.add(engine.name(), &case, measurement, self.vocabulary);
                }
            }
            pass.push(row);
            bar.inc(1);
            if is_interrupted() {
                break;
            }
        }
        bar.finish_and_clear();
        Ok(pass)
    }

    fn interleave(&mut self, runner: &mut Runner, case: &TokenCase, turn: usize) -> Vec<Measurement> {
        let n_engines = self.engines.len();
        let first = turn % n_engines;
        let order = (0..n_engines).map(|place| (first + place) % n_engines);
        let mut row: Vec<(usize, Measurement)> =
            order.map(|index| (index, runner.run(self.engines[index].as_mut(), case))).collect();
        row.sort_by_key(|(index, _)| *index);
        let recorded = self.recorded.iter().map(|engine| engine.measurement(&case.name));
        row.into_iter().map(|(_, measurement)| measurement).chain(recorded).collect()
    }

    fn write_lines(&mut self, group: &str, name: &str, row: &[Measurement]) -> Result<(), String> {
        let Some(out) = self.lines else { return Ok(()) };
        for (engine, measurement) in self.engines.iter().zip(row) {
            let line = line(group, name, engine.name(), measurement);
            writeln!(out, "{line}").map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn line(group: &str, name: &str, engine: &str, measurement: &Measurement) -> serde_json::Value {
    let (outcome, refusal) = match &measurement.outcome {
        Outcome::Refused(refusal) => ("refused", Some(refusal)),
        Outcome::WrongAccept => ("wrong_accept", None),
        Outcome::WrongReject => ("wrong_reject", None),
        Outcome::Passing => ("passing", None),
    };
    json!({
        "group": group,
        "name": name,
        "engine": engine,
        "outcome": outcome,
        "reason": refusal.map(|it| &it.group),
        "message": refusal.map(|it| &it.message).or(measurement.note.as_ref()),
        "tokens": measurement.accept_ns.len(),
        "masks": measurement.mask_ns.len(),
        "distinct_masks": measurement.masks.len(),
        "digest": format!("{:016x}", measurement.digest),
        "first_mask_us": measurement.first_mask_ns.map(|ns| ns as f64 / 1e3),
        "mask_us": Percentiles::of(measurement.mask_ns.clone()),
        "accept_us": Percentiles::of(measurement.accept_ns.clone()),
        "bytes": measurement.usage.bytes,
        "cache_hits": measurement.usage.mask_hits,
        "cache_misses": measurement.usage.mask_misses,
    })
}

fn progress_bar(n_cases: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} schemas, {elapsed} elapsed, {eta} to go");
    ProgressBar::new(n_cases as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn report(options: &Options, names: &[String], passes: &[Pass]) -> Result<(), String> {
    let info = RunInfo { vocab: options.vocab.clone(), cold: options.cold, interrupted: is_interrupted() };
    let summary = Summary::new(&info, names, passes);
    if let Some(path) = &options.summary {
        let text = serde_json::to_string_pretty(&summary).map_err(|error| error.to_string())?;
        std::fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    write!(io::stdout(), "{}", table::render(&summary)).map_err(|error| error.to_string())
}
