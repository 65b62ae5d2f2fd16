//! Does every budget end with a valid document? Models that never want to end, on every budget from the least upwards.

mod babbler;
mod counts;
mod exact;

pub use self::babbler::{Babbler, Wish};
pub use self::counts::Counts;
pub use self::exact::{Gaps, measure_gaps};

use std::time::Instant;

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{Compiler, Grammar};
use formwork_decode::{DecodeError, GenerationConfig, Sequence, TextTokenizer, generate};
use serde_json::Value;

use crate::generation::{Judge, Verdict};

/// How one schema is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Budgets beyond the least.
    pub n_budgets: usize,
    /// Schemas whose least budget is greater are left out.
    pub max_least: usize,
    /// The order of keys.
    pub key_order: KeyOrder,
    /// Chooses what the random model wants.
    pub seed: u64,
}

/// Writes a document for each budget from the least on, and judges it. One less than the least must be refused.
pub fn try_schema(
    compiler: &Compiler,
    tokenizer: &dyn TextTokenizer,
    schema: &Value,
    trial: Trial,
    counts: &mut Counts,
    show: &mut dyn FnMut(&str),
) {
    counts.schemas += 1;
    let options = SchemaOptions { key_order: trial.key_order, ..SchemaOptions::default() };
    let compiled = match compiler.compile(&Grammar::json_schema(schema.clone()).with_options(options)) {
        Ok(compiled) => compiled,
        Err(_) => return counts.refused += 1,
    };
    let started = Instant::now();
    let least = compiled.matcher().completion();
    counts.first_times.push(started.elapsed());
    let least = match least {
        Ok(tokens) => tokens.len(),
        Err(error) => {
            show(&format!("no completion: {error}"));
            return counts.without_completion += 1;
        }
    };
    counts.least.push(least);
    if least > trial.max_least {
        return counts.left_out += 1;
    }
    counts.tried += 1;
    let judge = Judge::new(schema);
    let Some(prompt) = tokenizer.vocabulary().greedy_tokens(b"0") else { return };
    let config = |max_tokens| GenerationConfig { max_tokens, always_complete: true, ..GenerationConfig::default() };
    let sequence = |budget| Sequence::constrained(tokenizer, &prompt, compiled.matcher(), &config(budget));
    if let Some(below) = least.checked_sub(1) {
        match sequence(below) {
            Err(DecodeError::BudgetTooSmall { least: said, budget }) if (said, budget) == (least, below) => {}
            other => {
                show(&format!("{below} is below the least, {least}: {other:?}"));
                counts.faults += 1;
            }
        }
    }
    let babbler = Babbler::new(tokenizer.vocabulary());
    for budget in least..=least + trial.n_budgets {
        for wish in [Wish::Longest, Wish::Random(trial.seed.wrapping_add(budget as u64))] {
            counts.documents += 1;
            let generation =
                sequence(budget).and_then(|sequence| generate(&mut babbler.backend(wish, budget + 2), sequence));
            let generation = match generation {
                Ok(generation) => generation,
                Err(error) => {
                    show(&format!("budget {budget}, least {least}, {wish:?}: {error}"));
                    counts.faults += 1;
                    continue;
                }
            };
            counts.tokens += generation.tokens.len();
            counts.steered_tokens += generation.stats.steered_tokens;
            counts.grammar_time += generation.stats.mask;
            if generation.tokens.len() > budget {
                show(&format!("{} tokens for a budget of {budget}: {}", generation.tokens.len(), generation.text));
                counts.faults += 1;
            }
            match judge.judge(&generation.text) {
                Verdict::Valid => counts.valid += 1,
                Verdict::Unjudged(cause) => *counts.unjudged.entry(cause).or_default() += 1,
                Verdict::KnownDisagreement(cause) => *counts.disagreements.entry(cause).or_default() += 1,
                Verdict::Invalid { reason, .. } => {
                    show(&format!("budget {budget}, least {least}, {wish:?}: {reason}: {}", generation.text));
                    counts.invalid += 1;
                }
            }
        }
    }
}
