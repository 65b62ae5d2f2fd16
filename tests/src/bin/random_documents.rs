//! Writes documents for schemas by random choice among the allowed tokens, and has an independent validator judge them.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork::grammar::KeyOrder;
use formwork_bench::data;
use formwork_bench::program::finish_with_stack;
use formwork_tests::generation::{Counts, Writer, try_schema};
use formwork_tests::universe::Dice;

/// Stack of the working thread: the validator recurses into schemas.
const STACK_BYTES: usize = 512 << 20;

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
    /// Chooses the sample and the tokens.
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
    std::panic::set_hook(Box::new(|_| {})); // Panics are counted and shown.
    let mut counts = Counts::default();
    let mut n_shown = 0;
    for (number, text) in (0..).zip(&cases) {
        let case = text.parse().map_err(|error| format!("{}: {error}", text.group))?;
        let mut dice = Dice::new(options.seed.wrapping_mul(1 << 32).wrapping_add(number));
        let key_order = if dice.one_in(2) { KeyOrder::Listed } else { KeyOrder::Any };
        let mut n_of_schema = 0;
        let mut show = |what: &str| {
            n_of_schema += 1;
            if n_of_schema <= 2 && n_shown < options.shown {
                n_shown += 1;
                let what: String = what.chars().take(2_000).collect();
                let _ = writeln!(io::stderr(), "{}/{} ({key_order:?}): {what}", text.group, case.name);
            }
        };
        counts.add(&try_schema(&writer, &case.schema, key_order, options.documents, &mut dice, &mut show));
    }
    let _ = std::panic::take_hook();
    write!(io::stdout(), "{counts}").map_err(|error| error.to_string())?;
    Ok(counts.tally.is_sound())
}
