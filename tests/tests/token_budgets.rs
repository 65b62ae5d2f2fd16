//! Does every token budget end with a valid document? A seeded sample of what `token_budgets` writes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork::Compiler;
use formwork::grammar::KeyOrder;
use formwork_bench::data;
use formwork_decode::TextTokenizer;
use formwork_tests::budgets::{Counts, Trial, measure_gaps, try_schema};
use formwork_tests::shared;

const N_SCHEMAS: usize = 20;
const N_BUDGETS: usize = 8;
const MAX_LEAST: usize = 100;
const N_UNIVERSES: u64 = 40;
const SEED: u64 = 20_261_121;

#[test]
fn every_budget_from_the_least_ends_with_a_valid_document() {
    let Some(folder) = shared::shared("maskbench") else { return };
    let cases = data::sample(data::read_cases(&[folder]).unwrap(), N_SCHEMAS, SEED);
    let tokenizer = formwork_tokenizers::from_name_or_file("o200k").unwrap();
    let compiler = Compiler::new(TextTokenizer::vocabulary(&tokenizer).clone());
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (number, text) in (0u64..).zip(cases) {
        let case = text.parse().unwrap();
        let key_order = if number % 2 == 0 { KeyOrder::Any } else { KeyOrder::Listed };
        let trial = Trial { n_budgets: N_BUDGETS, max_least: MAX_LEAST, key_order, seed: SEED << 32 | number };
        let mut show = |what: &str| wrong.push(format!("{}: {what}", case.name));
        try_schema(&compiler, &tokenizer, &case.schema, trial, &mut counts, &mut show);
    }
    eprint!("{counts}");
    assert!(counts.is_sound() && counts.without_completion == 0, "{}", wrong.join("\n"));
    assert!(counts.tried >= 18 && counts.valid >= 300, "{counts}");
}

#[test]
fn completions_are_texts_and_close_to_the_least() {
    let gaps = measure_gaps(N_UNIVERSES, SEED);
    eprint!("{gaps}");
    assert!(gaps.faults.is_empty(), "{}", gaps.faults.join("\n"));
    assert!(gaps.schemas >= 20 && gaps.least_tokens > 0, "{gaps}");
    // Costs of lexemes only estimate where tokens will end.
    assert!(gaps.tokens * 4 <= gaps.least_tokens * 5, "{gaps}");
}
