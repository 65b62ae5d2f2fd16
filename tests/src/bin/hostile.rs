//! Runs the catalogue of hostile inputs, shows what each costs, and fails where one is over budget.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use formwork::json_schema::{Layout, SchemaOptions};
use formwork::{Compiler, Grammar, Structure, Vocabulary};
use formwork_bench::program::finish;
use formwork_tests::hostile::{Case, Effort, Measured, Outcome, catalogue, measure};
use serde_json::json;

/// Measures every hostile input.
#[derive(Clone, Parser)]
#[command(version)]
struct Options {
    /// o200k, cl100k, or a tokenizer file.
    #[arg(long, default_value = "o200k")]
    vocab: String,
    /// Tokens of each of the random texts.
    #[arg(long, default_value_t = 100)]
    tokens: usize,
    /// Milliseconds that a compilation may take.
    #[arg(long, default_value_t = 1_000)]
    compile_ms: u64,
    /// Milliseconds that a mask or step may take.
    #[arg(long, default_value_t = 20)]
    mask_ms: u64,
    /// MiB that the whole run may take.
    #[arg(long, default_value_t = 1_024)]
    memory_mib: u64,
    /// Only cases whose names hold this.
    #[arg(long)]
    only: Option<String>,
}

fn main() -> ExitCode {
    finish("hostile", run(&Options::parse()))
}

fn run(options: &Options) -> Result<bool, String> {
    let tokenizer = formwork_tokenizers::from_name_or_file(&options.vocab).map_err(|error| error.to_string())?;
    let vocabulary = Arc::clone(tokenizer.vocabulary());
    drop(tokenizer);
    warm_up(&vocabulary)?;
    let sampler = Sampler::start();
    let at_first = sampler.held_mib();
    let is_wanted = |case: &Case| options.only.as_ref().is_none_or(|only| case.name.contains(only));
    let mut out = io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(|error| error.to_string());
    say(format!(
        "{:<34} {:<24} {:>10} {:>9} {:>9} {:>7}",
        "input", "outcome", "compile ms", "mask ms", "step ms", "MiB"
    ))?;
    let effort = Effort { n_texts: 3, n_tokens: options.tokens };
    let (mut n_cases, mut n_over) = (0, 0);
    for case in catalogue()?.iter().filter(|case| is_wanted(case)) {
        let before = sampler.restart();
        let measured = measure(case, &vocabulary, effort).map_err(|fault| format!("{}: {fault}", case.name))?;
        let faults = over_budget(&measured, options);
        let peak = sampler.peak_mib().saturating_sub(before);
        say(format!("{}{}", row(case, &measured, peak), if faults.is_empty() { "" } else { "  OVER BUDGET" }))?;
        if !faults.is_empty() {
            say(format!("    {} ({})", faults.join(", "), case.why))?;
            n_over += 1;
        }
        n_cases += 1;
    }
    let peak = memory_mib("VmHWM:");
    say(format!(
        "{n_cases} inputs, {n_over} over budget, peak memory {peak} MiB, of which {at_first} MiB before the first"
    ))?;
    Ok(n_over == 0 && peak < options.memory_mib)
}

/// Makes the tables that belong to the vocabulary, which the first grammars of each kind would pay for.
fn warm_up(vocabulary: &Arc<Vocabulary>) -> Result<(), String> {
    let compiler = Compiler::builder(Arc::clone(vocabulary)).cached_grammars(0).build();
    let free = SchemaOptions { layout: Layout::FREE, ..SchemaOptions::default() };
    let schema = json!({"type": ["object", "array", "string", "number"], "additionalProperties": {"pattern": "a.b"}});
    for grammar in [
        Grammar::json_schema(schema.clone()),
        Grammar::json_schema(schema).with_options(free),
        Grammar::regex("[a-z]+.*x"),
        Grammar::structure(Structure::sequence([Structure::free(["<a>"]), Grammar::json_object().into()])),
    ] {
        let mut matcher = compiler.compile(&grammar).map_err(|error| error.to_string())?.matcher();
        for byte in [b"{\"a\": \"x".as_slice(), b"abx", b""] {
            if matcher.accept_bytes(byte).is_ok() {
                matcher.mask().map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

fn over_budget(measured: &Measured, options: &Options) -> Vec<String> {
    let (compile, mask) = (Duration::from_millis(options.compile_ms), Duration::from_millis(options.mask_ms));
    let mut faults = Vec::new();
    if measured.cost.compile > compile {
        faults.push(format!("compiled in {:.1?}", measured.cost.compile));
    }
    if measured.cost.worst_mask > mask {
        faults.push(format!("a mask in {:.1?} behind {:?}", measured.cost.worst_mask, measured.worst_place));
    }
    if measured.cost.worst_step > mask {
        faults.push(format!("a step in {:.1?}", measured.cost.worst_step));
    }
    faults
}

fn row(case: &Case, measured: &Measured, peak_mib: u64) -> String {
    let outcome = match &measured.outcome {
        Outcome::Compiled => "compiled".to_owned(),
        Outcome::MaskLimit(setting) => format!("mask: {setting}"),
        Outcome::Refused(kind, _) => format!("refused: {kind}"),
    };
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let cost = measured.cost;
    let reason = match &measured.outcome {
        Outcome::Refused(_, reason) => reason.chars().take(120).collect(),
        _ => String::new(),
    };
    let times = [cost.compile, cost.worst_mask, cost.worst_step].map(ms);
    format!(
        "{:<34} {:<24} {:>10.1} {:>9.2} {:>9.2} {:>7}  {reason}",
        case.name, outcome, times[0], times[1], times[2], peak_mib
    )
}

/// A line of `/proc/self/status` in MiB; 0 where there is none.
fn memory_mib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Looks every few milliseconds how much memory the process holds.
struct Sampler {
    peak: Arc<AtomicU64>,
}

impl Sampler {
    const PERIOD: Duration = Duration::from_millis(2);

    /// On a thread that ends with the process.
    fn start() -> Sampler {
        let peak = Arc::new(AtomicU64::new(0));
        let sampler = Sampler { peak: Arc::clone(&peak) };
        std::thread::spawn(move || {
            loop {
                peak.fetch_max(memory_mib("VmRSS:"), Ordering::Relaxed);
                std::thread::sleep(Sampler::PERIOD);
            }
        });
        sampler
    }

    fn held_mib(&self) -> u64 {
        memory_mib("VmRSS:")
    }

    /// Forgets the peak; what is held now.
    fn restart(&self) -> u64 {
        let held = self.held_mib();
        self.peak.store(held, Ordering::Relaxed);
        held
    }

    fn peak_mib(&self) -> u64 {
        self.peak.fetch_max(self.held_mib(), Ordering::Relaxed).max(self.held_mib())
    }
}
