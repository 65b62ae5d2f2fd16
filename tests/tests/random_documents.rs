//! Do random choices among allowed tokens end in valid documents? A seeded sample of what `random_documents` writes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork::grammar::KeyOrder;
use formwork_bench::data;
use formwork_tests::generation::{Counts, Writer, compose, try_schema};
use formwork_tests::shared;
use formwork_tests::universe::Dice;
use formwork_tests::vocabulary::SmallVocabulary;
use serde_json::{Value, json};

const N_SCHEMAS: usize = 60;
const N_DOCUMENTS: usize = 3;
const SEED: u64 = 20_261_121;

/// Writes documents for schemas, each with its name.
#[derive(Default)]
struct Run {
    counts: Counts,
    wrong: Vec<String>,
}

impl Run {
    fn add(&mut self, writer: &Writer, name: &str, schema: &Value, key_order: KeyOrder, mut dice: Dice) {
        let mut show = |what: &str| self.wrong.push(format!("{name}: {what}"));
        self.counts.add(&try_schema(writer, schema, key_order, N_DOCUMENTS, &mut dice, &mut show));
    }

    /// Fails where something was wrong, or too few documents were valid.
    fn check(self, n_valid: usize) {
        eprint!("{}", self.counts);
        assert!(self.counts.tally.is_sound(), "{}", self.wrong.join("\n"));
        assert!(self.counts.tally.valid > n_valid, "{}", self.counts);
    }
}

/// In any order of keys and as listed, in turns.
fn key_order(number: u64) -> KeyOrder {
    if number.is_multiple_of(2) { KeyOrder::Any } else { KeyOrder::Listed }
}

#[test]
fn random_documents_are_valid_and_end() {
    let Some(folder) = shared::shared("maskbench") else { return };
    let cases = data::sample(data::read_cases(&[folder]).unwrap(), N_SCHEMAS, SEED);
    let writer = Writer::new(SmallVocabulary::bytes().to_formwork()).unwrap();
    let mut run = Run::default();
    for (number, text) in (0..).zip(cases) {
        let case = text.parse().unwrap();
        run.add(&writer, &case.name, &case.schema, key_order(number), Dice::new(SEED << 32 | number));
    }
    run.check(150);
}

/// Parts of two schemas under one keyword.
#[test]
fn composed_schemas_are_as_sound_as_real_ones() {
    let Some(folder) = shared::shared("maskbench") else { return };
    let cases = data::sample(data::read_cases(&[folder]).unwrap(), 2 * N_SCHEMAS, SEED + 1);
    let writer = Writer::new(SmallVocabulary::bytes().to_formwork()).unwrap();
    let mut run = Run::default();
    for (number, pair) in (0..).zip(cases.chunks_exact(2)) {
        let [first, second] = pair else { continue };
        let mut dice = Dice::new(SEED << 32 | number);
        let schema = compose(&first.parse().unwrap().schema, &second.parse().unwrap().schema, &mut dice);
        run.add(&writer, &schema.to_string(), &schema, key_order(number), dice);
    }
    run.check(100);
}

/// Strings of each format, within bounds and without, over a vocabulary as large as those of models: small ones do not show
/// what a mask costs.
#[test]
fn every_format_is_written() {
    let tokenizer = formwork_tokenizers::from_name_or_file("o200k").unwrap();
    let writer = Writer::new(tokenizer.vocabulary().clone()).unwrap();
    let formats = [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "idn-email",
        "hostname",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "iri-reference",
        "uuid",
        "uri-template",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    ];
    let mut run = Run::default();
    for (number, format) in (0..).zip(formats) {
        let max = if format == "idn-hostname" { 12 } else { 40 };
        for schema in [
            json!({"type": "string", "format": format}),
            json!({"type": "string", "format": format, "minLength": 2, "maxLength": max}),
        ] {
            run.add(&writer, &schema.to_string(), &schema, KeyOrder::Listed, Dice::new(SEED << 32 | number));
        }
    }
    run.check(100);
}
