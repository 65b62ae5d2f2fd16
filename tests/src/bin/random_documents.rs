//! Writes documents for schemas by random choice among the allowed tokens, and has an independent validator judge them.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use formwork::grammar::KeyOrder;
use formwork_bench::data::{self, Case, CaseText};
use formwork_bench::program::finish_with_stack;
use formwork_tests::generation::{Counts, Writer, compose, try_schema};
use formwork_tests::universe::Dice;
use serde_json::Value;

/// Stack of a working thread: the validator recurses into schemas.
const STACK_BYTES: usize = 512 << 20;

/// Schemas between two lines that say how far it is.
const PROGRESS: usize = 100;

/// A schema that takes longer is named.
const SLOW: Duration = Duration::from_secs(20);

/// Writes random documents for the schemas of MaskBench.
#[derive(Clone, Parser)]
#[command(version)]
struct Options {
    /// Folders of NAME.json or .jsonl files, or such files.
    #[arg(long, num_args = 1.., default_values = ["../shared/maskbench"])]
    data: Vec<PathBuf>,
    /// Documents for each schema.
    #[arg(long, default_value_t = 20)]
    documents: usize,
    /// o200k, cl100k, or a tokenizer file.
    #[arg(long, default_value = "o200k")]
    vocab: String,
    /// Take this many schemas of all.
    #[arg(long)]
    sample: Option<usize>,
    /// Put parts of two of them together, chosen by lot, and write documents for so many of such schemas instead.
    #[arg(long, conflicts_with = "only")]
    composed: Option<usize>,
    /// Leave out schemas before this one of all, counted from 0.
    #[arg(long, default_value_t = 0)]
    from: usize,
    /// Leave out this one and those behind it.
    #[arg(long)]
    to: Option<usize>,
    /// Only schemas of these names; each gets the documents that it gets among all.
    #[arg(long, num_args = 1..)]
    only: Vec<String>,
    /// Schemas at a time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Chooses the sample and, with the number of a schema, its tokens.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Documents that are shown because something is wrong with them.
    #[arg(long, default_value_t = 100)]
    shown: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish_with_stack("random_documents", STACK_BYTES, move || run(&options))
}

fn run(options: &Options) -> Result<bool, String> {
    let mut cases = data::read_cases(&options.data).map_err(|error| error.to_string())?;
    if let Some(n) = options.sample {
        cases = data::sample(cases, n, options.seed);
    }
    let tokenizer = formwork_tokenizers::from_name_or_file(&options.vocab).map_err(|error| error.to_string())?;
    let writer = Writer::new(tokenizer.vocabulary().clone()).ok_or("the vocabulary has no stop token")?;
    if options.composed.is_some() && cases.is_empty() {
        return Err("there are no schemas to compose from".to_owned());
    }
    let n_schemas = options.composed.unwrap_or(cases.len());
    let to = options.to.unwrap_or(n_schemas).min(n_schemas);
    let run = Run {
        options,
        writer,
        cases,
        to,
        next: AtomicUsize::new(options.from),
        done: Mutex::new(Done { counts: Counts::default(), n_shown: 0 }),
    };
    std::panic::set_hook(Box::new(|_| {})); // Panics are counted and shown.
    let result = std::thread::scope(|scope| {
        let worker = || std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || run.work());
        let workers: Result<Vec<_>, io::Error> = (0..options.jobs.max(1)).map(|_| worker()).collect();
        let workers = workers.map_err(|error| error.to_string())?;
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("panicked".to_owned())))
    });
    let _ = std::panic::take_hook();
    result?;
    let counts = run.done.into_inner().unwrap_or_else(PoisonError::into_inner).counts;
    write!(io::stdout(), "{counts}").map_err(|error| error.to_string())?;
    Ok(counts.tally.is_sound())
}

/// What all workers share.
struct Run<'a> {
    options: &'a Options,
    writer: Writer,
    cases: Vec<CaseText>,
    to: usize,
    /// The schema that is taken next.
    next: AtomicUsize,
    done: Mutex<Done>,
}

struct Done {
    counts: Counts,
    n_shown: usize,
}

impl Run<'_> {
    fn work(&self) -> Result<(), String> {
        let only: BTreeSet<&str> = self.options.only.iter().map(String::as_str).collect();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.to {
                return Ok(());
            }
            let (name, schema) = match self.options.composed {
                Some(_) => self.composed(number)?,
                None => {
                    let Case { name, schema, .. } = self.parse(number)?;
                    if !only.is_empty() && !only.contains(name.as_str()) {
                        continue;
                    }
                    (format!("{}/{name}", self.cases[number].group), schema)
                }
            };
            self.try_case(number, &name, &schema);
        }
    }

    fn parse(&self, number: usize) -> Result<Case, String> {
        let text = &self.cases[number];
        text.parse().map_err(|error| format!("{}: {error}", text.group))
    }

    /// A schema of parts of one case or two, by the seed and its number.
    fn composed(&self, number: usize) -> Result<(String, Value), String> {
        let mut dice = Dice::new(!self.options.seed.wrapping_mul(1 << 32).wrapping_add(number as u64));
        let first = self.parse(dice.below(self.cases.len()))?;
        let second = if dice.one_in(3) { None } else { Some(self.parse(dice.below(self.cases.len()))?) };
        let second = second.as_ref().unwrap_or(&first);
        let name = format!("number {number}, of {} and {}", first.name, second.name);
        Ok((name, compose(&first.schema, &second.schema, &mut dice)))
    }

    /// What is written depends on the seed and the schema's number alone, whoever writes it.
    fn try_case(&self, number: usize, name: &str, schema: &Value) {
        let begin = Instant::now();
        let mut dice = Dice::new(self.options.seed.wrapping_mul(1 << 32).wrapping_add(number as u64));
        let key_order = if dice.one_in(2) { KeyOrder::Listed } else { KeyOrder::Any };
        let mut lines = Vec::new();
        let mut show = |what: &str| {
            if lines.len() < 2 {
                let what: String = what.chars().take(2_000).collect();
                lines.push(format!("{name} ({key_order:?}): {what}"));
            }
        };
        let outcome = try_schema(&self.writer, schema, key_order, self.options.documents, &mut dice, &mut show);
        let took = begin.elapsed();
        if self.options.composed.is_some() && !lines.is_empty() {
            lines.push(format!("{name}: {schema}"));
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let Done { counts, n_shown } = &mut *done;
        counts.add(&outcome);
        if took > SLOW {
            lines.push(format!("{name} ({key_order:?}): took {} s", took.as_secs()));
        }
        let n_left = self.options.shown.saturating_sub(*n_shown);
        let mut err = io::stderr().lock();
        for line in lines.iter().take(n_left) {
            *n_shown += 1;
            let _ = writeln!(err, "{line}");
        }
        if counts.schemas.is_multiple_of(PROGRESS) {
            let tally = &counts.tally;
            let n_invalid: usize = tally.invalid.values().sum();
            let _ = writeln!(
                err,
                "{} schemas, {} documents, {} led, {n_invalid} invalid, {} dead ends, {} faults",
                counts.schemas, tally.documents, tally.led, tally.dead_ends, tally.faults,
            );
        }
    }
}
