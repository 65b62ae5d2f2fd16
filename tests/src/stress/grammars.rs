//! Which grammars do threads share? One for each part of the engine that keeps something for later.

use formwork::grammar::KeyOrder;
use formwork::json_schema::{Layout, SchemaOptions};
use formwork::{Grammar, Structure, Vocabulary};
use serde_json::{Value, json};

use crate::vocabulary::SmallVocabulary;

const N_RANDOM_TOKENS: usize = 200;
const N_SPECIAL: u32 = 2;

/// Every text can be written, in tokens that cross the ends of lexemes.
pub(super) fn vocabulary() -> Vocabulary {
    SmallVocabulary::complete(N_RANDOM_TOKENS, 7).with_special(N_SPECIAL).to_formwork()
}

/// Objects within lists of themselves.
pub fn recursive_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"$ref": "#"}, "maxItems": 3},
            "b": {"type": "string", "maxLength": 12},
            "x": {"anyOf": [{"type": "integer"}, {"enum": ["ab", "abc", true]}]},
        },
        "required": ["b"],
    })
}

/// Those that are compiled.
pub(super) fn grammars() -> Vec<Grammar> {
    let schema = |schema: Value| Grammar::json_schema(schema);
    let any_order = SchemaOptions { key_order: KeyOrder::Any, layout: Layout::FREE, ..SchemaOptions::default() };
    let recursive = recursive_schema();
    let record = json!({
        "properties": {"a": {"type": "number"}, "ab": {"type": "boolean"}, "b": {"type": "null"}},
        "required": ["a"], "minProperties": 2, "additionalProperties": {"type": "integer"},
    });
    let call = Structure::sequence([
        Structure::text("<a>"),
        Structure::special(SmallVocabulary::special_name(0)),
        schema(json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})).into(),
    ]);
    vec![
        schema(recursive.clone()),
        schema(recursive).with_options(any_order.clone()),
        schema(record.clone()),
        schema(record).with_options(any_order),
        schema(json!({"type": "string", "pattern": "^[ab]+c?[0-9]{2,5}$", "minLength": 4})),
        schema(json!({"type": "string", "pattern": "(?=.*a)b", "not": {"enum": ["ab", "bab"]}})),
        schema(json!({"type": "array", "items": {"type": ["integer", "string"]}, "uniqueItems": true, "minItems": 2})),
        schema(json!({"type": "array", "contains": {"const": "ab"}, "minContains": 2, "maxContains": 3})),
        schema(json!({"type": "number", "minimum": -12.5, "exclusiveMaximum": 1e3, "multipleOf": 0.5})),
        schema(
            json!({"oneOf": [{"minProperties": 1, "properties": {"a": {"const": 1}}}, {"required": ["b"]}], "type": "object"}),
        ),
        schema(json!({"format": "date-time", "type": "string"})),
        Grammar::json_object(),
        Grammar::regex("(a|b)*abb|x{2,40}"),
        Grammar::choice(["a", "ab", "abc", "b\n"]),
        Grammar::structure(Structure::sequence([Structure::free(["<a>"]), call.optional()])),
    ]
}
