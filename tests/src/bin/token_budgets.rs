//! Writes documents within every budget from the least on, with models that never want to end, and has them judged.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork::Compiler;
use formwork::grammar::KeyOrder;
use formwork_bench::data;
use formwork_bench::program::finish_with_stack;
use formwork_decode::TextTokenizer;
use formwork_tests::budgets::{Counts, Trial, measure_gaps, try_schema};

/// Stack of the working thread: the validator recurses into schemas.
const STACK_BYTES: usize = 512 << 20;

/// Writes documents for the schemas of MaskBench within every budget from the least on.
#[derive(Clone, Parser)]
#[command(version)]
struct Options {
    /// Folders of NAME.json or .jsonl files, or such files.
    #[arg(long, num_args = 1.., default_values = ["../shared/maskbench"])]
    data: Vec<PathBuf>,
    /// Budgets beyond the least.
    #[arg(long, default_value_t = 64)]
    budgets: usize,
    /// Leave out schemas whose least budget is greater: the work grows with its square.
    #[arg(long, default_value_t = 400)]
    longest: usize,
    /// o200k, cl100k, or a tokenizer file.
    #[arg(long, default_value = "o200k")]
    vocab: String,
    /// Take this many schemas of all.
    #[arg(long)]
    sample: Option<usize>,
    /// Finite languages on which completions are compared with the exact least.
    #[arg(long, default_value_t = 200)]
    exact: u64,
    /// Chooses the sample and the tokens.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Documents that are shown because something is wrong with them.
    #[arg(long, default_value_t = 100)]
    shown: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish_with_stack("token_budgets", STACK_BYTES, move || run(&options))
}

fn run(options: &Options) -> Result<bool, String> {
    let gaps = measure_gaps(options.exact, options.seed);
    gaps.faults.iter().take(options.shown).for_each(|fault| {
        let _ = writeln!(io::stderr(), "{fault}");
    });
    write!(io::stdout(), "{gaps}").map_err(|error| error.to_string())?;
    let mut cases = data::read_cases(&options.data).map_err(|error| error.to_string())?;
    if let Some(n) = options.sample {
        cases = data::sample(cases, n, options.seed);
    }
    let tokenizer = formwork_tokenizers::from_name_or_file(&options.vocab).map_err(|error| error.to_string())?;
    let compiler = Compiler::builder(TextTokenizer::vocabulary(&tokenizer).clone()).cached_grammars(0).build();
    let mut counts = Counts::default();
    let mut n_shown = 0;
    for (number, text) in (0u64..).zip(&cases) {
        let case = text.parse().map_err(|error| format!("{}: {error}", text.group))?;
        let mut show = |what: &str| {
            n_shown += 1;
            if n_shown <= options.shown {
                let what: String = what.chars().take(2_000).collect();
                let _ = writeln!(io::stderr(), "{}/{}: {what}", text.group, case.name);
            }
        };
        let key_order = if number % 2 == 0 { KeyOrder::Listed } else { KeyOrder::Any };
        let trial = Trial {
            n_budgets: options.budgets,
            max_least: options.longest,
            key_order,
            seed: options.seed ^ number << 32,
        };
        try_schema(&compiler, &tokenizer, &case.schema, trial, &mut counts, &mut show);
    }
    write!(io::stdout(), "{counts}").map_err(|error| error.to_string())?;
    Ok(counts.is_sound() && gaps.faults.is_empty())
}
