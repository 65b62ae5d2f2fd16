//! What is said of schemas that are probably wrong, and of those that are refused?

use serde_json::{Value, json};

use super::options;
use crate::error::ViolationKind;
use crate::json_schema::LintKind::{
    ForbiddenRequired, HiddenByRef, Misspelt, NeverMatches, NoEffect, OtherDraft, ShutOut, Unsatisfiable,
};
use crate::json_schema::{LintKind, SchemaOptions, Status, lint, report};

fn lints(schema: &Value) -> Vec<(String, String, LintKind)> {
    let found = lint(schema, &SchemaOptions::default()).into_iter();
    found.map(|lint| (lint.pointer, lint.keyword.unwrap_or_default(), lint.kind)).collect()
}

fn check(schema: Value, expected: &[(&str, &str, LintKind)]) {
    let found = lints(&schema);
    let found: Vec<_> =
        found.iter().map(|(pointer, keyword, kind)| (pointer.as_str(), keyword.as_str(), *kind)).collect();
    assert_eq!(found, expected, "{schema}");
}

#[test]
fn misspelt_keywords_are_named() {
    let schema = json!({"type": "object", "propertes": {}, "properties": {"a": {"minLenght": 3}, "minLenght": {}}});
    check(schema, &[("", "propertes", Misspelt), ("/properties/a", "minLenght", Misspelt)]);
    check(json!({"type": "string", "colour": 1, "example": "a", "x-requird": 2}), &[]);
    // What stands in constants is no schema.
    check(json!({"const": {"minLenght": 3}}), &[]);
}

#[test]
fn keywords_without_effect_are_named() {
    check(json!({"type": "string", "minimum": 3, "minLength": 1}), &[("", "minimum", NoEffect)]);
    check(json!({"type": ["integer", "null"], "minimum": 3}), &[]);
    check(
        json!({"then": {"type": "null"}, "minContains": 2}),
        &[("", "then", NoEffect), ("", "minContains", NoEffect)],
    );
    check(json!({"if": {"type": "null"}}), &[("", "if", NoEffect)]);
    let old = |schema: Value| {
        let mut schema = schema;
        schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        schema
    };
    let referring = old(json!({"properties": {"a": {"$ref": "#", "minLength": 2, "title": "t"}}}));
    check(referring, &[("/properties/a", "minLength", HiddenByRef)]);
    check(old(json!({"prefixItems": [true]})), &[("", "prefixItems", OtherDraft)]);
}

#[test]
fn patterns_that_match_nothing_are_named() {
    check(json!({"pattern": "a^"}), &[("", "pattern", NeverMatches)]);
    check(json!({"patternProperties": {"$b": {}, "^b$": {}}}), &[("", "patternProperties", NeverMatches)]);
    check(json!({"pattern": "^a?$"}), &[]);
}

#[test]
fn branches_that_nothing_fits_are_named() {
    check(
        json!({"type": "string", "anyOf": [{"type": "integer"}, {"minLength": 2}]}),
        &[("/anyOf/0", "", Unsatisfiable)],
    );
    check(
        json!({"properties": {"a": {"type": "integer", "minimum": 3, "maximum": 2}}}),
        &[("/properties/a", "", Unsatisfiable)],
    );
    check(json!({"type": "array", "items": {"enum": [1, 2], "type": "string"}}), &[("/items", "", Unsatisfiable)]);
    check(
        json!({"oneOf": [{"type": "null"}, {"type": "null"}, {"type": "string"}]}),
        &[("/oneOf/0", "", Unsatisfiable), ("/oneOf/1", "", Unsatisfiable)],
    );
    // Said outright, it is meant.
    check(json!({"properties": {"a": false, "b": {"not": {}}}, "if": {"required": ["c"]}, "then": false}), &[]);
    check(json!({"type": "string", "enum": [1]}), &[("", "", Unsatisfiable)]);
}

#[test]
fn properties_that_are_shut_out_are_named() {
    let closed = |name: &str| json!({"type": "object", "properties": {name: {}}, "additionalProperties": false});
    check(
        json!({"allOf": [closed("a"), {"properties": {"a": {}, "b": {}}}]}),
        &[("/allOf/0", "additionalProperties", ShutOut)],
    );
    let base = json!({"$ref": "#/$defs/base", "properties": {"b": {}}, "$defs": {"base": closed("a")}});
    check(base, &[("/$defs/base", "additionalProperties", ShutOut)]);
    let mut missing = closed("a");
    missing["required"] = json!(["a", "c"]);
    check(missing, &[("", "", Unsatisfiable), ("", "required", ForbiddenRequired)]);
    let mut by_pattern = closed("a");
    by_pattern["required"] = json!(["x-a"]);
    by_pattern["patternProperties"] = json!({"^x-": {}});
    check(by_pattern, &[]);
    let branches = json!({"type": "object", "required": ["c"], "anyOf": [closed("a"), closed("b")]});
    check(branches, &[("", "", Unsatisfiable), ("", "required", ForbiddenRequired)]);
}

#[test]
fn a_refused_schema_is_reported_with_all_its_faults() {
    let schema = json!({
        "type": "object",
        "properties": {
            "a": {"type": "string", "pattern": "(a)\\1"},
            "b": {"$ref": "#/nowhere"},
            "c": {"type": "strin"},
            "d": {"minLength": 2}
        }
    });
    let report = report(&schema, &options());
    let found = |pointer: &str, keyword: &str| {
        let entry = report.entries.iter().find(|entry| entry.pointer == pointer && entry.keyword == keyword);
        entry.map(|entry| entry.status)
    };
    assert_eq!(found("/properties/a", "pattern"), Some(Status::Refused));
    assert_eq!(found("/properties/b", "$ref"), Some(Status::Refused));
    assert_eq!(found("/properties/c", "type"), Some(Status::Refused));
    assert_eq!(found("/properties/d", "minLength"), Some(Status::Enforced));
    let kinds: Vec<ViolationKind> = report.violations.iter().map(|violation| violation.kind).collect();
    assert!(kinds.contains(&ViolationKind::Unsupported) && kinds.contains(&ViolationKind::Reference), "{kinds:?}");
    assert!(kinds.contains(&ViolationKind::Malformed), "{kinds:?}");
}

#[test]
fn a_schema_without_faults_is_reported_without() {
    let report = report(&json!({"type": "integer", "minimum": 1, "$defs": {"a": {"type": "null"}}}), &options());
    assert!(report.violations.is_empty());
    let entries: Vec<_> = report.entries.iter().map(|entry| (entry.keyword.as_str(), entry.status)).collect();
    let expected = [
        ("type", Status::Enforced),
        ("minimum", Status::Enforced),
        ("$defs", Status::Annotation),
        // Nothing refers to it.
        ("type", Status::Annotation),
    ];
    assert_eq!(entries, expected);
}
