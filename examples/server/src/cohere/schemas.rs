//! What does a schema mean to Cohere where JSON Schema says otherwise? Patterns are whole, properties have types.

use serde_json::{Map, Value};

/// What Cohere's subset of regular expressions excludes.
const EXCLUDED: [&str; 4] = ["^", "$", "?=", "?!"];
/// One of these says of which type a property is.
const TYPING: [&str; 8] = ["type", "enum", "const", "$ref", "anyOf", "allOf", "oneOf", "not"];
/// Keywords by which one object obeys several schemas.
const COMBINING: [&str; 8] =
    ["$dynamicRef", "$recursiveRef", "allOf", "dependencies", "dependentSchemas", "if", "not", "oneOf"];
/// Keywords that say which properties there are beside the named ones.
const OPENING: [&str; 3] = ["additionalProperties", "patternProperties", "unevaluatedProperties"];

/// The schema with each pattern of Cohere's subset as JSON Schema writes that it describes the whole string.
pub(super) fn with_whole_patterns(schema: &Value) -> Value {
    let mut schema = schema.clone();
    each_schema(&mut schema, &mut |map| {
        if let Some(Value::String(pattern)) = map.get_mut("pattern")
            && EXCLUDED.iter().all(|part| !pattern.contains(part))
        {
            *pattern = format!("^(?:{pattern})$");
        }
    });
    schema
}

/// The schema with objects that have no properties but those it names, unless it says so: what it describes is never made
/// up. A schema that combines objects is left as it is, for it may complete one by another.
pub(super) fn with_closed_objects(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let mut is_combined = false;
    each_schema(&mut schema, &mut |map| {
        let has = |keyword: &&str| map.contains_key(*keyword);
        is_combined |= COMBINING.iter().any(has) || has(&"properties") && ["$ref", "anyOf"].iter().any(has);
    });
    if is_combined {
        return schema;
    }
    each_schema(&mut schema, &mut |map| {
        if map.contains_key("properties") && OPENING.iter().all(|keyword| !map.contains_key(*keyword)) {
            map.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    });
    schema
}

/// The names of properties that say nothing of their type.
pub(super) fn untyped_properties(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let is_untyped = |schema: &Value| match schema {
        Value::Object(map) => TYPING.iter().all(|keyword| !map.contains_key(*keyword)),
        schema => *schema == Value::Bool(true),
    };
    each_schema(&mut schema.clone(), &mut |map| {
        let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
        names.extend(properties.filter(|(_, schema)| is_untyped(schema)).map(|(name, _)| name.clone()));
    });
    names
}

/// Calls `visit` for every schema object in `schema`. What stands in constants and examples is no schema. Bodies are read
/// with a bound on their depth, which bounds this, too.
fn each_schema(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(|element| each_schema(element, visit)),
        Value::Object(map) => {
            visit(map);
            for (keyword, value) in map.iter_mut() {
                match keyword.as_str() {
                    "const" | "enum" | "default" | "examples" => {}
                    "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "patternProperties"
                    | "properties" => {
                        let members = value.as_object_mut().into_iter().flat_map(Map::values_mut);
                        members.for_each(|member| each_schema(member, visit));
                    }
                    _ => each_schema(value, visit),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_are_whole_where_they_are_keywords() {
        let schema = json!({
            "properties": {
                "pattern": {"type": "string", "pattern": "[a-z]|b"},
                "list": {"items": {"anyOf": [{"pattern": "x"}, {"pattern": "^y"}]}},
                "fixed": {"const": {"pattern": "x"}, "enum": [{"pattern": "x"}]},
            },
            "$defs": {"pattern": {"pattern": "z"}},
        });
        let expected = json!({
            "properties": {
                "pattern": {"type": "string", "pattern": "^(?:[a-z]|b)$"},
                "list": {"items": {"anyOf": [{"pattern": "^(?:x)$"}, {"pattern": "^y"}]}},
                "fixed": {"const": {"pattern": "x"}, "enum": [{"pattern": "x"}]},
            },
            "$defs": {"pattern": {"pattern": "^(?:z)$"}},
        });
        assert_eq!(with_whole_patterns(&schema), expected);
    }

    #[test]
    fn objects_are_closed_unless_they_say_otherwise() {
        let schema = json!({
            "properties": {
                "a": {"items": {"properties": {"b": {"type": "null"}}}},
                "c": {"properties": {}, "additionalProperties": {"type": "string"}},
                "d": {"type": "object"},
            },
        });
        let expected = json!({
            "properties": {
                "a": {"items": {"properties": {"b": {"type": "null"}}, "additionalProperties": false}},
                "c": {"properties": {}, "additionalProperties": {"type": "string"}},
                "d": {"type": "object"},
            },
            "additionalProperties": false,
        });
        assert_eq!(with_closed_objects(&schema), expected);
        for combined in [
            json!({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}),
            json!({"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}]}),
        ] {
            assert_eq!(with_closed_objects(&combined), combined);
        }
    }

    #[test]
    fn properties_without_a_type_are_found() {
        let schema = json!({
            "properties": {
                "a": {"description": "?"},
                "b": {"type": "object", "properties": {"c": true, "d": {"$ref": "#"}}},
                "e": {"const": {"properties": {"f": {}}}},
            },
        });
        assert_eq!(untyped_properties(&schema), ["a", "c"]);
    }
}
