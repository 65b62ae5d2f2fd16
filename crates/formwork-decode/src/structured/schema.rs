//! Which texts are values of a Rust type? Its derived schema, narrowed to what the type can hold.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// Keywords that say nothing of an object's members.
const NEUTRAL: [&str; 10] =
    ["$schema", "$defs", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "type"];

/// Keywords that already say which further members an object may have, or apply other schemas to it.
const MEMBERS_ELSEWHERE: [&str; 14] = [
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "propertyNames",
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
];

/// The schema of `T`: draft 2020-12, integers within their type's range, objects closed where that refuses no value.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(bound_integer));
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    close_objects(&mut schema);
    schema
}

/// Adds the bounds that the format of an integer stands for and the derived schema leaves out.
fn bound_integer(schema: &mut Schema) {
    let (minimum, maximum) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (Value::from(i32::MIN), Value::from(i32::MAX)),
        Some("uint32") => (Value::from(u32::MIN), Value::from(u32::MAX)),
        Some("int64") => (Value::from(i64::MIN), Value::from(i64::MAX)),
        Some("uint64") => (Value::from(u64::MIN), Value::from(u64::MAX)),
        Some("int") => (Value::from(isize::MIN), Value::from(isize::MAX)),
        Some("uint") => (Value::from(usize::MIN), Value::from(usize::MAX)),
        _ => return,
    };
    let map = schema.ensure_object();
    map.entry("minimum").or_insert(minimum);
    map.entry("maximum").or_insert(maximum);
}

/// Refuses members that are not listed, for objects that one schema describes alone.
fn close_objects(schema: &mut Value) {
    let mut uses = Uses { root: schema, is_part: BTreeMap::new() };
    uses.follow(String::new(), false);
    for (pointer, is_part) in uses.is_part {
        if let Some(Value::Object(map)) = schema.pointer_mut(&pointer)
            && !is_part
            && map.contains_key("properties")
            && !MEMBERS_ELSEWHERE.iter().any(|keyword| map.contains_key(*keyword))
        {
            map.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
}

/// Where schemas stand in a document, and whether one of them is, somewhere, only a part of what describes a value. Such
/// a schema must not be closed: it would refuse the members that the other parts describe.
struct Uses<'a> {
    root: &'a Value,
    is_part: BTreeMap<String, bool>,
}

impl Uses<'_> {
    /// Visits each schema twice at most. Depth is that of the type.
    fn follow(&mut self, pointer: String, is_part: bool) {
        let Some(Value::Object(map)) = self.root.pointer(&pointer) else { return };
        if self.is_part.get(&pointer).is_some_and(|known| *known || !is_part) {
            return;
        }
        self.is_part.insert(pointer.clone(), is_part);
        for (keyword, value) in map {
            let here = format!("{pointer}/{keyword}");
            match (keyword.as_str(), value) {
                ("properties" | "patternProperties", Value::Object(members)) => {
                    members.keys().for_each(|name| self.follow(format!("{here}/{}", escaped(name)), false));
                }
                ("additionalProperties" | "items", _) => self.follow(here, false),
                ("prefixItems", Value::Array(items)) => {
                    (0..items.len()).for_each(|index| self.follow(format!("{here}/{index}"), false));
                }
                ("$ref", Value::String(target)) => {
                    let target = target.strip_prefix('#').unwrap_or(target).to_owned();
                    self.follow(target, is_part || !is_alone(map, keyword));
                }
                ("anyOf" | "oneOf", Value::Array(choices)) => {
                    let is_part = is_part || !is_alone(map, keyword);
                    (0..choices.len()).for_each(|index| self.follow(format!("{here}/{index}"), is_part));
                }
                ("allOf", Value::Array(parts)) => {
                    (0..parts.len()).for_each(|index| self.follow(format!("{here}/{index}"), true));
                }
                (
                    "not"
                    | "if"
                    | "then"
                    | "else"
                    | "contains"
                    | "propertyNames"
                    | "unevaluatedProperties"
                    | "unevaluatedItems",
                    _,
                ) => self.follow(here, true),
                ("dependentSchemas", Value::Object(members)) => {
                    members.keys().for_each(|name| self.follow(format!("{here}/{}", escaped(name)), true));
                }
                _ => {}
            }
        }
    }
}

/// Whether nothing but `keyword` speaks of an object's members.
fn is_alone(map: &Map<String, Value>, keyword: &str) -> bool {
    map.keys().all(|other| other == keyword || NEUTRAL.contains(&other.as_str()))
}

/// A name as a token of a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
