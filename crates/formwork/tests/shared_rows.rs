//! Are masks right whose long lists of tokens have become rows, which all grammars of a compiler share?

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::sync::Arc;

use formwork::json_schema::SchemaOptions;
use formwork::{CompiledGrammar, Compiler, Grammar, TokenId, Vocabulary};

/// Many ways to close a string, behind many prefixes: far more than stay a list.
fn vocabulary() -> Vocabulary {
    let prefixes = ["", "a", "ab", "abc", "b", "bcd", "na", "name", "id", "i", "é", "日", "\\n", "\\\"", " ", "12"];
    let rests = [
        "", ",", ", ", ",\"", ", \"", ",\"a", "}", "}}", "},", "]", "],", "}]", ":", ": ", ":\"", ":1", ":{", ":[",
        "\n", " }", ":\"\"", ":true", ",\n",
    ];
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    let others: Vec<String> = ('c'..='z').map(|letter| format!("{letter}{letter}")).collect();
    for prefix in prefixes.into_iter().chain(others.iter().map(String::as_str)) {
        tokens.push(prefix.as_bytes().to_vec());
        tokens.extend(rests.iter().map(|rest| format!("{prefix}\"{rest}").into_bytes()));
    }
    // So many that stay inside a string that they are a row.
    tokens.extend((0..400).map(|word| format!("w{word}").into_bytes()));
    tokens.retain(|token| !token.is_empty());
    tokens.sort();
    tokens.dedup();
    let stop = TokenId::new(tokens.len() as u32);
    tokens.push(b"</s>".to_vec());
    Vocabulary::from_tokens(tokens, &[stop]).unwrap()
}

const SCHEMAS: [&str; 5] = [
    r#"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 4}, "id": {"type": "integer"}}}"#,
    r#"{"type": "object", "properties": {"a": {"type": "string"}, "ab": {"type": "string"}}, "required": ["a"]}"#,
    r#"{"type": "object", "properties": {"a": {"type": "string", "minLength": 2, "maxLength": 3}},
        "additionalProperties": false}"#,
    r#"{"type": "array", "items": {"type": "string", "pattern": "^(ab|é)*$"}}"#,
    r#"{"type": "object", "additionalProperties": {"type": ["string", "null"], "maxLength": 1}}"#,
];

const TEXTS: [&str; 12] = [
    "",
    "{\"",
    "{\"a",
    "{\"n",
    "{\"name",
    "{\"a\":\"",
    "{\"a\":\"a",
    "{\"name\":\"ab",
    "[\"",
    "[\"ab",
    "{\"x",
    "{\"x\":\"",
];

fn check(grammar: &Arc<CompiledGrammar>, text: &str) {
    let mut matcher = grammar.matcher();
    if matcher.accept_bytes(text.as_bytes()).is_err() {
        return;
    }
    let vocabulary = Arc::clone(grammar.vocabulary());
    let mask = matcher.mask().unwrap();
    let mut row = vec![0; vocabulary.mask_words()];
    matcher.fill_mask(&mut row).unwrap();
    for id in (0..vocabulary.len() as u32 - 1).map(TokenId::new) {
        let bytes = vocabulary.token_bytes(id).unwrap();
        let can_be_read = matcher.fork().accept_bytes(bytes).is_ok();
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(mask.contains(id), can_be_read, "{shown:?} behind {text}");
        assert_eq!(
            row[id.index() / 32] >> (id.index() % 32) & 1 == 1,
            can_be_read,
            "{shown:?} behind {text}, in the row"
        );
    }
}

#[test]
fn masks_are_the_same_however_often_their_lists_were_met() {
    let compiler = Compiler::builder(vocabulary()).cached_grammars(0).build();
    for key_order in [formwork::grammar::KeyOrder::Listed, formwork::grammar::KeyOrder::Any] {
        for _ in 0..3 {
            for schema in SCHEMAS {
                let options = SchemaOptions { key_order, ..SchemaOptions::default() };
                let grammar = compiler.compile(&Grammar::json_schema_text(schema).with_options(options)).unwrap();
                TEXTS.iter().for_each(|text| check(&grammar, text));
            }
        }
    }
}

#[test]
fn grammars_that_know_nothing_of_each_other_share_rows() {
    let compiler = Compiler::builder(vocabulary()).cached_grammars(0).build();
    let rows: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|name| {
            let schema = format!(r#"{{"type": "object", "properties": {{"{name}": {{"type": "string"}}}}}}"#);
            let grammar = compiler.compile(&Grammar::json_schema_text(&schema)).unwrap();
            let mut matcher = grammar.matcher();
            matcher.accept_bytes(format!("{{\"{name}\":\"").as_bytes()).unwrap();
            matcher.mask().unwrap()
        })
        .into();
    let row = |at: usize| rows[at].base().unwrap();
    assert!(Arc::ptr_eq(row(0), row(1)) && !Arc::ptr_eq(row(1), row(2)), "a list that was met twice is no row");
    assert!(Arc::ptr_eq(row(2), row(3)) && Arc::ptr_eq(row(3), row(4)));
    assert!(rows[3].added().is_empty() && !rows[0].added().is_empty(), "another form");
    assert!(rows[0] == rows[3] && rows[0].iter().eq(rows[3].iter()), "of the same tokens");
}
