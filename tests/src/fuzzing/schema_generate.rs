//! Is every document that masks lead to valid? Random schemas of every draft, random tokens, two independent validators.

use std::collections::BTreeMap;

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{Grammar, Limits};
use serde_json::{Value, json};

use super::Counters;
use super::engine::compile;
use crate::generation::{End, Judge, Verdict, Writer, has_long_number, hints};
use crate::universe::{Dice, Domain, RandomSchema};
use crate::validator::Validator;
use crate::vocabulary::SmallVocabulary;

/// Documents that the values of a schema are drawn from.
const MAX_VALUES: usize = 60;
const N_RANDOM_TOKENS: usize = 40;
const N_DOCUMENTS: usize = 3;

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let mut dice = Dice::from_bytes(input);
    let domain = Domain::draw(&mut dice, MAX_VALUES);
    let drawn = RandomSchema::draw(&mut dice, &domain);
    // Without the values' own schema the random one is all there is, and takes infinitely many documents.
    let around = if dice.one_in(3) { domain.schema() } else { json!({}) };
    let schema = drawn.document(&around, dice.one_in(4));
    // In listed order, keys of a small class are refused where the schema asks for some of them.
    let key_order = *dice.pick(&[KeyOrder::Any, KeyOrder::Any, KeyOrder::Any, KeyOrder::Listed]);
    let options = SchemaOptions { key_order, ..SchemaOptions::default() };
    let seed = dice.below(1 << 16) as u64;
    let vocabulary = SmallVocabulary::complete(N_RANDOM_TOKENS, seed);
    let limits = Limits { max_schema_steps: 200_000, ..Limits::default() };
    let Some(writer) = Writer::within(vocabulary.to_formwork(), limits) else { return };
    let grammar = Grammar::json_schema(schema.clone()).with_options(options);
    let Some(compiled) = compile(writer.compiler(), &grammar, counters) else { return };
    let (judge, hints, remotes) = (Judge::new(&schema), hints(&schema, &mut dice), BTreeMap::new());
    let validator = Validator::new(&schema, drawn.draft, &remotes).asserting_formats();
    for _ in 0..N_DOCUMENTS {
        match writer.write(&compiled, &hints, &mut dice) {
            End::ByChance(text) | End::Led(text) => check(&schema, &text, (&judge, &validator), counters),
            End::Fault(reason) if reason.starts_with("limit exceeded") => counters.count("over a limit", 1),
            End::Fault(reason) => panic!("{reason}\nschema: {schema}"),
            End::DeadEnd(text) => panic!("a dead end after {text}\nschema: {schema}"),
        }
    }
}

/// # Panics
/// Where both validators refuse the document, or one does and the other cannot tell.
fn check(schema: &Value, text: &str, (judge, validator): (&Judge, &Validator<'_>), counters: &mut Counters) {
    let own = match serde_json::from_str(text) {
        Ok(document) if !has_long_number(text) => validator.is_valid(&document).ok(),
        _ => None,
    };
    match (judge.judge(text), own) {
        (Verdict::Valid, Some(true) | None) | (Verdict::Unjudged(_) | Verdict::KnownDisagreement(_), Some(true)) => {
            counters.count("valid documents", 1);
        }
        (Verdict::Unjudged(_) | Verdict::KnownDisagreement(_), None) => counters.count("unjudged documents", 1),
        // Both read numbers as doubles, by which an integer may be none and the other way round.
        (Verdict::Invalid { keyword, .. }, None) if keyword != "(JSON)" && has_long_number(text) => {
            counters.count("unjudged documents", 1);
        }
        // That crate and the specification differ in known ways, see `tests/data/disagreements.md`.
        (Verdict::Invalid { keyword, .. }, Some(true)) if keyword != "(JSON)" => {
            counters.count("documents that one validator refuses", 1);
        }
        (verdict, own) => panic!("{verdict:?} and {own:?}: {text}\nschema: {schema}"),
    }
}
