//! Which schemas stand directly inside a schema object?

use serde_json::{Map, Value};

/// How a keyword holds schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    One,
    List,
    OneOrList,
    Named,
}

fn holds(keyword: &str) -> Option<Holds> {
    Some(match keyword {
        "additionalItems"
        | "additionalProperties"
        | "contains"
        | "else"
        | "if"
        | "not"
        | "propertyNames"
        | "then"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => Holds::One,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Holds::List,
        "items" => Holds::OneOrList,
        "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "patternProperties" | "properties" => {
            Holds::Named
        }
        _ => return None,
    })
}

/// Where a schema stands inside a schema object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Under a keyword.
    Under(&'a str),
    /// An element of the array under a keyword.
    Element(&'a str, usize),
    /// A member of the object under a keyword.
    Member(&'a str, &'a str),
}

/// Calls `visit` for every schema directly inside `map`, in document order.
pub(super) fn subschemas<'a>(map: &'a Map<String, Value>, mut visit: impl FnMut(Place<'a>, &'a Value)) {
    let is_schema = |value: &Value| matches!(value, Value::Object(_) | Value::Bool(_));
    for (keyword, value) in map {
        match (holds(keyword), value) {
            (Some(Holds::One | Holds::OneOrList), Value::Object(_) | Value::Bool(_)) => {
                visit(Place::Under(keyword), value);
            }
            (Some(Holds::List | Holds::OneOrList), Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate().filter(|(_, element)| is_schema(element)) {
                    visit(Place::Element(keyword, index), element);
                }
            }
            (Some(Holds::Named), Value::Object(members)) => {
                for (name, member) in members.iter().filter(|(_, member)| is_schema(member)) {
                    visit(Place::Member(keyword, name), member);
                }
            }
            _ => {}
        }
    }
}
