//! How is an input described that is too large to store? JSON with a few operators, each an object of one key.
//!
//! | operator | stands for |
//! |---|---|
//! | `{"@text": [a, b, ...]}` | the texts one after the other |
//! | `{"@times": [n, a]}` | the text `a`, `n` times |
//! | `{"@each": [n, a]}` | the same, each with an index of its own |
//! | `{"@list": [n, a]}` | a list of `n` values, each `a` |
//! | `{"@map": [n, key, a]}` | an object of `n` members |
//! | `{"@join": [a, b, ...]}` | an object of the members of several |
//! | `{"@nest": [n, a, b]}` | `n` times `a` around `b`, which stands where `a` has `{"@hole": 0}` |
//! | `{"@index": [factor, summand]}` | a number: the innermost index times `factor`, plus `summand` |
//!
//! Within `@each`, `@list`, `@map` and `@nest`, `{i}` in a text is the index, and `{i+1}` the next one.

use serde_json::{Map, Value, json};

/// What `recipe` describes.
///
/// # Errors
/// When an operator does not have what it needs.
pub fn cook(recipe: &Value) -> Result<Value, String> {
    Cook { index: 0, hole: None }.cook(recipe)
}

#[derive(Clone)]
struct Cook {
    index: u64,
    /// What stands in the place of `@hole`.
    hole: Option<Value>,
}

impl Cook {
    fn at(&self, index: u64) -> Cook {
        Cook { index, hole: self.hole.clone() }
    }

    fn cook(&self, recipe: &Value) -> Result<Value, String> {
        match recipe {
            Value::String(text) => Ok(self.text(text).into()),
            Value::Array(elements) => elements.iter().map(|element| self.cook(element)).collect(),
            Value::Object(members) => match members.iter().next() {
                Some((name, arguments)) if name.starts_with('@') && members.len() == 1 => {
                    self.apply(name, arguments).map_err(|fault| format!("{fault}: {recipe}"))
                }
                _ => members.iter().map(|(key, value)| Ok((self.text(key), self.cook(value)?))).collect(),
            },
            scalar => Ok(scalar.clone()),
        }
    }

    fn text(&self, text: &str) -> String {
        if !text.contains("{i") {
            return text.to_owned();
        }
        text.replace("{i}", &self.index.to_string()).replace("{i+1}", &(self.index + 1).to_string())
    }

    fn cooked_text(&self, recipe: &Value) -> Result<String, String> {
        match self.cook(recipe)? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    fn apply(&self, name: &str, arguments: &Value) -> Result<Value, String> {
        let list = arguments.as_array().map_or(&[][..], Vec::as_slice);
        let number = |value: &Value| value.as_u64().ok_or("a number is missing");
        match (name, list) {
            ("@text", parts) => {
                Ok(parts.iter().map(|part| self.cooked_text(part)).collect::<Result<String, _>>()?.into())
            }
            ("@times", [n, text]) => Ok(self.cooked_text(text)?.repeat(number(n)? as usize).into()),
            ("@each", [n, text]) => {
                Ok((0..number(n)?).map(|index| self.at(index).cooked_text(text)).collect::<Result<String, _>>()?.into())
            }
            ("@list", [n, element]) => (0..number(n)?).map(|index| self.at(index).cook(element)).collect(),
            ("@map", [n, key, value]) => {
                let member = |index: u64| Ok((self.at(index).cooked_text(key)?, self.at(index).cook(value)?));
                Ok((0..number(n)?).map(member).collect::<Result<Map<String, Value>, String>>()?.into())
            }
            ("@nest", [n, around, inner]) => {
                let mut nested = self.cook(inner)?;
                for index in 0..number(n)? {
                    nested = Cook { index, hole: Some(nested) }.cook(around)?;
                }
                Ok(nested)
            }
            ("@join", parts) => {
                let mut members = Map::new();
                for part in parts {
                    match self.cook(part)? {
                        Value::Object(more) => members.extend(more),
                        _ => return Err("an object is missing".to_owned()),
                    }
                }
                Ok(members.into())
            }
            ("@hole", _) => self.hole.clone().ok_or_else(|| "a hole outside @nest".to_owned()),
            ("@index", [factor, summand]) => Ok(json!(self.index * number(factor)? + number(summand)?)),
            _ => Err("no such operator".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_describe_values() {
        let cooked = |recipe: Value| cook(&recipe).unwrap_or_else(|fault| fault.into());
        assert_eq!(cooked(json!({"a": {"@times": [3, "xy"]}})), json!({"a": "xyxyxy"}));
        assert_eq!(cooked(json!({"@list": [2, {"@index": [3, 1]}]})), json!([1, 4]));
        assert_eq!(cooked(json!({"@map": [2, "k{i}", "to {i+1}"]})), json!({"k0": "to 1", "k1": "to 2"}));
        assert_eq!(cooked(json!({"@nest": [2, {"not": {"@hole": 0}}, true]})), json!({"not": {"not": true}}));
        assert_eq!(cooked(json!({"@text": ["{", {"@times": [2, "9"]}, {"@index": [0, 7]}]})), json!("{997"));
        let joined = json!({"@join": [{"@map": [1, "a", 0]}, {"b": 1}]});
        assert_eq!(cooked(joined), json!({"a": 0, "b": 1}));
        assert!(cook(&json!({"@list": ["x", 1]})).is_err());
    }
}
