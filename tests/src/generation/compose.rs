//! What do real schemas make together? Parts of two schemas under one keyword, as nobody has written them.
//!
//! Each by itself has been seen to work. Together they meet the algebra with languages, objects and lists of the size that
//! real ones have, which random schemas do not reach; and where one part is a changed copy of the other, nearly everything
//! is shared and the difference must be found.

use serde_json::{Map, Value, json};

use crate::universe::Dice;
use crate::validator::subschemas;

/// Puts parts of two schemas together under a random keyword, in draft 2020-12. A part that refers to others is a whole
/// schema, as a resource of its own.
pub fn compose(first: &Value, second: &Value, dice: &mut Dice) -> Value {
    let first = part(first, "first", dice);
    let second = if dice.one_in(3) { changed(&first, dice) } else { part(second, "second", dice) };
    let mut schema = together(first, second, dice);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema
}

fn together(a: Value, b: Value, dice: &mut Dice) -> Value {
    match dice.below(13) {
        0 => json!({"allOf": [a, b]}),
        1 => json!({"anyOf": [a, b]}),
        2 => json!({"oneOf": [a, b]}),
        3 => json!({"allOf": [a, {"not": b}]}),
        4 => json!({"if": a, "then": b}),
        5 => json!({"if": b, "then": a, "else": {"type": "object"}}),
        6 => json!({"type": "array", "items": a, "contains": b}),
        7 => json!({"type": "array", "items": {"anyOf": [a, b]}, "uniqueItems": true, "maxItems": 4}),
        8 => json!({
            "type": "object",
            "properties": {"a": a, "b": b},
            "dependentSchemas": {"a": {"required": ["b"]}},
            "unevaluatedProperties": false,
        }),
        9 => json!({"anyOf": [a, b], "unevaluatedProperties": false}),
        10 => json!({
            "type": "object",
            "patternProperties": {"^a": a, "b$": b},
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 3,
        }),
        11 => json!({"type": "array", "prefixItems": [a], "items": b, "minItems": 1, "maxItems": 3}),
        _ => json!({"type": "object", "propertyNames": a, "additionalProperties": b, "maxProperties": 3}),
    }
}

/// A schema within another one, or all of it.
fn part(schema: &Value, name: &str, dice: &mut Dice) -> Value {
    let mut parts = Vec::new();
    add_parts(schema, &mut parts);
    if parts.is_empty() || dice.one_in(4) { resource(schema, name) } else { (*dice.pick(&parts)).clone() }
}

/// The whole schema under a name of its own, to which its references are relative.
fn resource(schema: &Value, name: &str) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(keywords) = &mut schema {
        keywords.retain(|keyword, _| keyword != "$schema" && keyword != "id");
        keywords.insert("$id".to_owned(), json!(format!("https://example.com/{name}")));
    }
    schema
}

/// Adds the schemas in a schema, itself included, that refer to nothing; whether it is one.
fn add_parts<'s>(schema: &'s Value, parts: &mut Vec<&'s Value>) -> bool {
    let Value::Object(keywords) = schema else { return schema.is_boolean() };
    let is_named = |keyword: &str| keyword.starts_with('$') && !matches!(keyword, "$comment" | "$defs");
    let mut stands_alone = !keywords.keys().any(|keyword| is_named(keyword));
    for (_, child) in subschemas(keywords) {
        stands_alone &= add_parts(child, parts);
    }
    if stands_alone && !keywords.is_empty() {
        parts.push(schema);
    }
    stands_alone
}

/// A copy in which a keyword or a value in its list is gone, or a bound has moved. One of `universe`'s reductions would do as well,
/// but making all of them takes too long for a large schema.
fn changed(schema: &Value, dice: &mut Dice) -> Value {
    let mut copy = schema.clone();
    if let Value::Object(keywords) = &mut copy
        && keywords.contains_key("$id")
    {
        keywords.insert("$id".to_owned(), json!("https://example.com/changed"));
    }
    change(&mut copy, dice);
    copy
}

fn change(schema: &mut Value, dice: &mut Dice) {
    let Value::Object(keywords) = schema else { return };
    let n_children = subschemas(keywords).len();
    if n_children > 0 && !dice.one_in(3) {
        let chosen = dice.below(n_children);
        if let Some(child) = child_mut(keywords, chosen) {
            return change(child, dice);
        }
    }
    let can_go = |keyword: &&String| !matches!(keyword.as_str(), "$id" | "$defs" | "definitions");
    let names: Vec<String> = keywords.keys().filter(can_go).cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = dice.pick(&names);
    match keywords.get_mut(name) {
        Some(Value::Number(bound)) if !dice.one_in(3) => {
            if let Some(moved) = bound.as_u64().and_then(|bound| bound.checked_add(1)) {
                *bound = moved.into();
            }
        }
        Some(Value::Array(values)) if values.len() > 1 && !dice.one_in(3) => {
            values.remove(dice.below(values.len()));
        }
        _ => {
            keywords.remove(name);
        }
    }
}

/// The child with a number in the order of [`subschemas`].
fn child_mut(keywords: &mut Map<String, Value>, number: usize) -> Option<&mut Value> {
    let chosen: *const Value = subschemas(keywords).get(number)?.1;
    let is_chosen = |child: &&mut Value| std::ptr::eq(&**child, chosen);
    keywords.values_mut().find_map(|value| match value {
        value if std::ptr::eq(value, chosen) => Some(value),
        Value::Array(list) => list.iter_mut().find(is_chosen),
        Value::Object(named) => named.values_mut().find(is_chosen),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_alone_and_copies_differ_in_one_place() {
        let schema = json!({
            "$ref": "#/definitions/a",
            "definitions": {"a": {"type": "string", "maxLength": 3}},
            "properties": {"b": {"items": {"enum": [1, 2]}}, "c": {"$ref": "#"}},
        });
        let mut parts = Vec::new();
        assert!(!add_parts(&schema, &mut parts));
        let texts: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
        assert_eq!(texts, [r#"{"type":"string","maxLength":3}"#, r#"{"enum":[1,2]}"#, r#"{"items":{"enum":[1,2]}}"#]);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..60 {
            let copy = changed(&schema, &mut Dice::new(seed));
            assert_ne!(copy, schema, "{seed}");
            seen.insert(copy.to_string());
        }
        assert!(seen.len() >= 6, "{seen:?}");
    }

    #[test]
    fn every_keyword_has_its_turn() {
        let a = json!({"type": "integer"});
        let all: std::collections::BTreeSet<String> =
            (0..300).map(|seed| compose(&a, &a, &mut Dice::new(seed)).to_string()).collect();
        for keyword in
            ["allOf", "anyOf", "oneOf", "not", "if", "contains", "uniqueItems", "propertyNames", "prefixItems"]
        {
            assert!(all.iter().any(|schema| schema.contains(keyword)), "{keyword}");
        }
    }
}
