//! Does the shipped model, constrained, write what the example schemas ask for? Judged by an independent validator.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork_tests::seeds::{Tally, Writer};
use serde_json::{Value, json};

const N_SEEDS: u64 = 12;

/// The schema of LMDeploy's guide to structured output.
fn guide() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "skills": {"type": "array", "items": {"type": "string", "maxLength": 10}, "minItems": 3},
            "work history": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"company": {"type": "string"}, "duration": {"type": "string"}},
                    "required": ["company"],
                },
            },
        },
        "required": ["name", "skills", "work history"],
    })
}

fn book() -> Value {
    json!({
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "author": {"type": "string"},
            "publication_year": {"type": "integer"},
        },
        "required": ["title", "author", "publication_year"],
    })
}

fn check(schema: &Value, prompt: &str, max_tokens: usize) -> Tally {
    let mut writer = Writer::load(max_tokens, 1.0).unwrap();
    let judged = writer.judge(schema, prompt).unwrap();
    let tally = (0..N_SEEDS).map(|seed| writer.write(&judged, seed).unwrap()).fold(Tally::default(), Tally::plus);
    assert!(tally.is_sound(), "{tally:?}");
    assert_eq!(tally.completed + tally.cut, usize::try_from(N_SEEDS).unwrap());
    tally
}

#[test]
fn the_guide_schema_is_kept() {
    let tally = check(&guide(), "Make a self introduction please.", 400);
    assert!(tally.completed > 0, "{tally:?}");
}

#[test]
fn the_book_schema_is_kept() {
    let tally = check(&book(), "Generate a JSON describing a book.", 200);
    assert!(tally.completed > 0, "{tally:?}");
}

#[test]
fn what_a_small_budget_cuts_can_be_completed() {
    for max_tokens in [1, 3, 8, 15] {
        let tally = check(&guide(), "Make a self introduction please.", max_tokens);
        assert!(tally.cut > 0, "{tally:?}");
    }
}
