//! Which strings may a schema be waiting for? Chance alone hardly writes a date, or what a pattern wants.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::universe::Dice;
use crate::validator::Pattern;

/// One string of each format.
const FORMATS: [(&str, &str); 18] = [
    ("date-time", "2024-02-29T12:30:00Z"),
    ("date", "2024-02-29"),
    ("time", "12:30:00Z"),
    ("duration", "P1DT2H"),
    ("email", "a@example.com"),
    ("idn-email", "a@example.com"),
    ("hostname", "example.com"),
    ("idn-hostname", "example.com"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/a"),
    ("uri-reference", "/a"),
    ("iri", "https://example.com/a"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
    ("uri-template", "/{a}"),
    ("json-pointer", "/a"),
    ("relative-json-pointer", "0/a"),
    ("regex", "^a$"),
];

/// Hints of each kind that are kept of one schema.
const MAX_HINTS: usize = 500;
/// Examples of one pattern: each of its alternatives should be among them.
const N_EXAMPLES: usize = 5;

/// What may be written in strings.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// What patterns and formats want.
    pub values: Vec<String>,
    /// Names of properties that are required, or may be.
    pub keys: Vec<String>,
    /// Such names by the way to the property that holds the object which requires them.
    pub keys_of: BTreeMap<String, Vec<String>>,
    /// Names of other properties.
    pub names: Vec<String>,
}

/// Strings that `schema` may be waiting for.
pub fn hints(schema: &Value, dice: &mut Dice) -> Hints {
    let mut hints = Hints::default();
    collect(schema, "", dice, &mut hints);
    for kind in [&mut hints.values, &mut hints.keys, &mut hints.names] {
        kind.sort_unstable();
        kind.dedup();
        while kind.len() > MAX_HINTS {
            kind.swap_remove(dice.below(kind.len()));
        }
    }
    hints
}

/// `holder` is the way to the property whose schema is looked at.
fn collect(value: &Value, holder: &str, dice: &mut Dice, hints: &mut Hints) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("pattern", Value::String(pattern)) => add(pattern, dice, &mut hints.values),
                    ("patternProperties", Value::Object(patterns)) => {
                        patterns.keys().for_each(|pattern| add(pattern, dice, &mut hints.values));
                    }
                    ("format", Value::String(name)) => {
                        let known = FORMATS.iter().find(|(format, _)| format == name);
                        hints.values.extend(known.map(|(_, text)| (*text).to_owned()));
                    }
                    ("required", names) => add_names(names, holder, hints),
                    ("dependencies" | "dependentRequired", Value::Object(lists)) => {
                        lists.values().for_each(|names| add_names(names, holder, hints));
                    }
                    ("properties", Value::Object(properties)) => {
                        hints.names.extend(properties.keys().cloned());
                        for (name, inner) in properties {
                            collect(inner, &format!("{holder}/{name}"), dice, hints);
                        }
                        continue;
                    }
                    _ => {}
                }
                collect(member, holder, dice, hints);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, holder, dice, hints)),
        _ => {}
    }
}

fn add_names(names: &Value, holder: &str, hints: &mut Hints) {
    for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
        hints.keys.push(name.to_owned());
        hints.keys_of.entry(holder.to_owned()).or_default().push(name.to_owned());
    }
}

fn add(pattern: &str, dice: &mut Dice, hints: &mut Vec<String>) {
    if hints.len() > 4 * MAX_HINTS {
        return;
    }
    if let Ok(pattern) = Pattern::parse(pattern) {
        hints.extend((0..N_EXAMPLES).map(|_| pattern.example(&mut |n| dice.below(n))));
    }
}
