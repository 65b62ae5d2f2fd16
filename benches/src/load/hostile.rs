//! Which schemas are sent to hurt? Deep, wide, huge, circular and contradictory ones; a server answers or refuses each.

use serde_json::{Value, json};

/// Schemas that cost a careless engine its time, memory or stack.
pub(super) fn hostile_schemas() -> Vec<Value> {
    let deep =
        |depth: usize, wrap: fn(Value) -> Value| (0..depth).fold(json!({"type": "string"}), |inner, _| wrap(inner));
    let ladder: Vec<(String, Value)> = (0..30)
        .map(|step| {
            let next = json!({"$ref": format!("#/$defs/{}", step + 1)});
            (step.to_string(), json!({"anyOf": [{"allOf": [next, next]}, {"allOf": [next, {"type": "object"}]}]}))
        })
        .collect();
    let mut ladder: serde_json::Map<String, Value> = ladder.into_iter().collect();
    ladder.insert("30".to_owned(), json!({"type": "string"}));
    let words: Vec<String> = (0..20_000).map(|index| format!("word {index}")).collect();
    let wide: serde_json::Map<String, Value> =
        (0..2_000).map(|index| (format!("property {index}"), json!({"type": ["string", "null"]}))).collect();
    let overlapping: serde_json::Map<String, Value> =
        (0..40).map(|index| (format!("^(a|b)*{index}"), json!({"minLength": index}))).collect();
    vec![
        deep(60, |inner| json!({"type": "object", "properties": {"a": inner}, "required": ["a"]})),
        // Twice as much text with each level.
        deep(12, |inner| json!({"anyOf": [inner, {"type": "array", "items": inner}]})),
        deep(60, |inner| json!({"not": inner})),
        json!({"$defs": ladder, "$ref": "#/$defs/0"}),
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"enum": words}),
        json!({"type": "object", "properties": wide, "required": []}),
        json!({"type": "object", "patternProperties": overlapping}),
        json!({"type": "string", "pattern": "((a{1,1000}){1,1000}){1,1000}"}),
        json!({"type": "string", "pattern": "^(.*a.{20}|.*b.{20})*$"}),
        json!({"type": "string", "pattern": "(((((((((("}),
        json!({"type": "string", "minLength": 1_000_000_000u64}),
        json!({"type": "array", "items": {"type": "integer"}, "minItems": 1_000_000_000u64, "uniqueItems": true}),
        json!({"type": "integer", "multipleOf": 1e-300, "minimum": 1e300}),
        json!({"type": "integer", "minimum": 5, "maximum": 4}),
        json!({"oneOf": (0..64).map(|index| json!({"minimum": index, "multipleOf": index + 1})).collect::<Vec<_>>()}),
        json!({"type": "object", "minProperties": 1_000_000, "propertyNames": {"enum": ["a"]}}),
        json!({"$ref": "https://example.com/schema.json"}),
        json!("no schema"),
    ]
}
