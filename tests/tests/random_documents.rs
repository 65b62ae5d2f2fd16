//! Do random choices among allowed tokens end in valid documents? A seeded sample of what `random_documents` writes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork::grammar::KeyOrder;
use formwork_bench::data;
use formwork_tests::generation::{Counts, Writer, compose, try_schema};
use formwork_tests::shared;
use formwork_tests::universe::Dice;
use formwork_tests::vocabulary::SmallVocabulary;
use serde_json::json;

const N_SCHEMAS: usize = 60;
const N_DOCUMENTS: usize = 3;
const SEED: u64 = 20_261_121;

#[test]
fn random_documents_are_valid_and_end() {
    let Some(folder) = shared::shared("maskbench") else { return };
    let cases = data::sample(data::read_cases(&[folder]).unwrap(), N_SCHEMAS, SEED);
    let writer = Writer::new(SmallVocabulary::bytes().to_formwork()).unwrap();
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (number, text) in (0..).zip(cases) {
        let case = text.parse().unwrap();
        let mut dice = Dice::new(SEED << 32 | number);
        let key_order = if number % 2 == 0 { KeyOrder::Any } else { KeyOrder::Listed };
        let mut show = |what: &str| wrong.push(format!("{}: {what}", case.name));
        counts.add(&try_schema(&writer, &case.schema, key_order, N_DOCUMENTS, &mut dice, &mut show));
    }
    eprint!("{counts}");
    assert!(counts.tally.is_sound(), "{}", wrong.join("\n"));
    assert!(counts.tally.valid > 150, "{counts}");
}

/// Parts of two schemas under one keyword.
#[test]
fn composed_schemas_are_as_sound_as_real_ones() {
    let Some(folder) = shared::shared("maskbench") else { return };
    let cases = data::sample(data::read_cases(&[folder]).unwrap(), 2 * N_SCHEMAS, SEED + 1);
    let writer = Writer::new(SmallVocabulary::bytes().to_formwork()).unwrap();
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (number, pair) in (0..).zip(cases.chunks_exact(2)) {
        let [first, second] = pair else { continue };
        let mut dice = Dice::new(SEED << 32 | number);
        let schema = compose(&first.parse().unwrap().schema, &second.parse().unwrap().schema, &mut dice);
        let key_order = if number % 2 == 0 { KeyOrder::Any } else { KeyOrder::Listed };
        let mut show = |what: &str| wrong.push(format!("{schema}: {what}"));
        counts.add(&try_schema(&writer, &schema, key_order, N_DOCUMENTS, &mut dice, &mut show));
    }
    eprint!("{counts}");
    assert!(counts.tally.is_sound(), "{}", wrong.join("\n"));
    assert!(counts.tally.valid > 100, "{counts}");
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
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (number, format) in (0..).zip(formats) {
        let max = if format == "idn-hostname" { 12 } else { 40 };
        for schema in [
            json!({"type": "string", "format": format}),
            json!({"type": "string", "format": format, "minLength": 2, "maxLength": max}),
        ] {
            let mut dice = Dice::new(SEED << 32 | number);
            let mut show = |what: &str| wrong.push(format!("{schema}: {what}"));
            counts.add(&try_schema(&writer, &schema, KeyOrder::Listed, N_DOCUMENTS, &mut dice, &mut show));
        }
    }
    eprint!("{counts}");
    assert!(counts.tally.is_sound() && counts.tally.valid > 100, "{counts}{}", wrong.join("\n"));
}
