//! Does every position have tokens that complete its text? Grammars of each kind, from the start and from within.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{Compiler, Grammar, Limits, MatchError, TokenId, Vocabulary};
use serde_json::{Value, json};

const STOP: u32 = 256;

/// All bytes, and a few tokens that reach over several lexemes.
fn vocabulary() -> Arc<Vocabulary> {
    let bytes = (0..=u8::MAX).map(|byte| vec![byte]).chain([b"<stop>".to_vec()]);
    let longer = ["\":", "\",\"", "{\"", "\"}", "[]", "true", "aaaa", "00", "null"].map(|it| it.as_bytes().to_vec());
    Arc::new(Vocabulary::from_tokens(bytes.chain(longer), &[TokenId::new(STOP)]).unwrap())
}

/// What completes `begun`, and in how many tokens.
fn completed(grammar: &Grammar, begun: &str) -> (String, usize) {
    let vocabulary = vocabulary();
    let mut matcher = Compiler::new(Arc::clone(&vocabulary)).compile(grammar).unwrap().matcher();
    matcher.accept_bytes(begun.as_bytes()).unwrap();
    let tokens = matcher.completion().unwrap();
    let mut text = Vec::new();
    for token in tokens.iter() {
        text.extend_from_slice(vocabulary.token_bytes(*token).unwrap());
        matcher.accept_token(*token).unwrap();
    }
    assert!(matcher.is_accepting(), "{begun}");
    assert!(matcher.completion().unwrap().is_empty());
    (String::from_utf8(text).unwrap(), tokens.len())
}

fn schema(schema: Value, begun: &str) -> (String, usize) {
    let any = SchemaOptions { key_order: KeyOrder::Any, ..SchemaOptions::default() };
    let listed = completed(&Grammar::json_schema(schema.clone()), begun);
    let free = completed(&Grammar::json_schema(schema).with_options(any), begun);
    assert_eq!(listed.1, free.1, "{listed:?} {free:?}");
    listed
}

fn text(of: Value, begun: &str) -> String {
    schema(of, begun).0
}

#[test]
fn what_is_required_comes_and_nothing_else() {
    let person = json!({
        "type": "object",
        "properties": {"note": {}, "name": {"type": "string", "minLength": 4}, "is": {"type": "boolean"}},
        "required": ["name", "is"],
    });
    assert_eq!(text(person.clone(), "{\"note\":[[{").len(), "}]],\"name\":\"aaaa\",\"is\":true}".len());
    assert_eq!(text(person.clone(), "{\"name\":\"xyz").len(), "a\",\"is\":true}".len());
    assert_eq!(text(person, "{\"name\":\"xyzz\",\"is\":false}"), "");
    assert_eq!(text(json!({"type": "array", "items": {"type": "integer"}, "minItems": 3}), "[1"), ",0,0]");
    assert_eq!(text(json!({"enum": ["abcd", "abx", "q"]}), "\"a"), "bx\"");
}

#[test]
fn patterns_and_formats_end() {
    let stamp = json!({"type": "string", "pattern": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}.\d{6}"});
    let record = json!({"type": "object", "properties": {"at": stamp}, "required": ["at"]});
    assert_eq!(text(record, "{").len(), "\"at\":\"0000-00-00T00:00:00.000000\"}".len());
    for format in ["date-time", "date", "time", "uuid", "email", "ipv4", "ipv6", "uri", "hostname", "duration"] {
        let end = text(json!({"type": "string", "format": format}), "\"");
        assert!(end.len() <= 40, "{format}: {end}");
    }
}

#[test]
fn what_was_written_before_is_not_written_again() {
    let unique = json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true, "minItems": 14});
    // Ten numbers of one digit and four of two would do; what is found by going on from what was written is a little longer.
    let all = text(unique.clone(), "");
    assert!(all.matches(',').count() == 13 && all.len() < 80, "{all}");
    let rest = text(unique, "[7,0,12");
    assert!(rest.matches(',').count() == 11 && rest.len() < 80, "{rest}");
    let records = json!({
        "type": "array",
        "items": {"properties": {"a": {"enum": [1, 2]}, "b": {"enum": [1, 2]}}, "required": ["a", "b"], "type": "object",
            "additionalProperties": false},
        "uniqueItems": true,
        "minItems": 4,
    });
    assert_eq!(text(records, "[").matches('{').count(), 4);
    let keys = json!({"type": "object", "minProperties": 3, "additionalProperties": {"type": "boolean"}});
    assert_eq!(text(keys.clone(), "{").matches("true").count(), 3);
    assert_eq!(text(keys, "{\"\":false,\"").matches(':').count(), 2);
}

#[test]
fn counters_goals_and_clauses_are_met() {
    let of = |schema: Value| completed(&Grammar::json_schema(schema), "").0;
    let contains = json!({"type": "array", "contains": {"const": "yes"}, "minContains": 2, "minItems": 3});
    assert_eq!(of(contains).matches("yes").count(), 2);
    let one_of_two = json!({
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string", "minLength": 30}},
        "anyOf": [{"required": ["b"]}, {"required": ["a"]}],
    });
    assert_eq!(of(one_of_two), "{\"a\":0}");
    let some_key = json!({"type": "object", "not": {"additionalProperties": {"not": {"const": 5}}}});
    assert!(of(some_key).contains(":5"));
}

#[test]
fn a_limit_is_named() {
    let limits = Limits { max_completion_bytes: 9, ..Limits::default() };
    let compiler = Compiler::builder(vocabulary()).limits(limits).build();
    let mut matcher = compiler.compile(&Grammar::regex("a{10}")).unwrap().matcher();
    let Err(MatchError::Limit(limit)) = matcher.completion() else { panic!("ten bytes are too many") };
    assert_eq!((limit.setting, limit.limit), ("max_completion_bytes", 9));
    matcher.accept_bytes(b"a").unwrap();
    assert_eq!(matcher.completion().map(|tokens| tokens.len()), Ok(3));
    let token = matcher.completion().unwrap()[0];
    matcher.accept_token(token).unwrap();
    assert!(matcher.completion().is_ok_and(|rest| rest.len() == 2));
}
