//! Is a written document valid? An independent validator with formats asserted, and no key twice.

use std::fmt;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What is said of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid.
    Valid,
    /// Invalid by this keyword, with the validator's words.
    Invalid {
        /// The keyword.
        keyword: String,
        /// What the validator says.
        reason: String,
    },
    /// The validator is known to be wrong here.
    KnownDisagreement(&'static str),
    /// The validator cannot tell.
    Unjudged(&'static str),
}

/// An independent validator of one schema.
pub struct Judge {
    validator: Option<Validator>,
    /// The schema, for what it says that the validator is known to be wrong about.
    text: String,
    /// Whether some pattern has a dot.
    has_dots: bool,
}

impl Judge {
    /// Reads the schema; where the validator refuses it, every document is unjudged.
    pub fn new(schema: &Value) -> Judge {
        let options = jsonschema::options().should_validate_formats(true);
        Judge { validator: options.build(schema).ok(), text: schema.to_string(), has_dots: has_dot(schema) }
    }

    /// Judges one document.
    pub fn judge(&self, text: &str) -> Verdict {
        let Some(validator) = &self.validator else { return Verdict::Unjudged("schema") };
        let invalid = |keyword: &str, reason: String| Verdict::Invalid { keyword: keyword.to_owned(), reason };
        let document = match parse(text) {
            Ok(document) => document,
            Err(error) if error.to_string().contains("out of range") => return Verdict::Unjudged("number"),
            Err(error) => return invalid("(JSON)", error.to_string()),
        };
        let Err(error) = validator.validate(&document) else { return Verdict::Valid };
        match self.disagreement(&error, text) {
            Some(cause) => Verdict::KnownDisagreement(cause),
            None => invalid(
                error.kind().keyword(),
                format!("{} at {} ({})", error, error.instance_path(), error.schema_path()),
            ),
        }
    }

    /// Why the validator is wrong, where it is known to be: see `tests/data/disagreements.md`.
    fn disagreement(&self, error: &ValidationError<'_>, text: &str) -> Option<&'static str> {
        // What is wrong with a key is told by the error within.
        if let ValidationErrorKind::PropertyNames { error } = error.kind() {
            return self.disagreement(error, text);
        }
        let (keyword, path) = (error.kind().keyword(), error.schema_path().to_string());
        let has_any = |parts: &[&str]| parts.iter().any(|part| self.text.contains(part));
        let is_conditional = path.split('/').any(|step| matches!(step, "then" | "else"));
        let may_compare = is_conditional || COMPARING.contains(&keyword);
        let is_branch = matches!(keyword, "oneOf" | "anyOf");
        if may_compare && has_long_number(text) {
            return Some("numbers longer than a double holds");
        }
        if may_compare && has_any(&[r#""format":"int32""#]) && has_digits(text, INT32_DIGITS) {
            return Some("formats of OpenAPI");
        }
        let may_be_pattern = keyword == "pattern" || is_branch;
        if may_be_pattern && has_any(&[r"\\<", r"\\>"]) {
            return Some("angle brackets escaped in patterns");
        }
        let string = error.instance().as_str().unwrap_or_default();
        let has_line_end = string.contains(['\r', '\u{2028}', '\u{2029}']);
        if (may_be_pattern || keyword == "not") && self.has_dots && has_line_end {
            return Some("line ends that a dot takes");
        }
        let local_part = string.rsplit_once('@').map_or("", |(local, _)| local);
        let may_be_email = (keyword == "format" || is_branch) && has_any(&[r#"email""#]);
        (may_be_email && local_part.len() > 64).then_some("long local parts of e-mail addresses")
    }
}

/// Whether some pattern in a schema has a dot.
fn has_dot(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(keyword, value)| {
            keyword == "pattern" && value.as_str().is_some_and(|pattern| pattern.contains('.')) || has_dot(value)
        }),
        Value::Array(elements) => elements.iter().any(has_dot),
        _ => false,
    }
}

/// Digits of the longest numbers that are 32 bits wide.
const INT32_DIGITS: usize = 10;

/// Keywords that fail where a value is told apart from others, as whatever is asked under a condition does.
const COMPARING: [&str; 12] = [
    "anyOf",
    "const",
    "contains",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maximum",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "uniqueItems",
];

/// Digits in a row that a double may not keep apart.
const LONG_DIGITS: usize = 16;

/// Whether there are more digits in a row than a double keeps apart, or an exponent that may be beyond its reach.
pub fn has_long_number(text: &str) -> bool {
    let has_far_exponent = text.match_indices(['e', 'E']).any(|(at, _)| {
        let digits = text[at + 1..].trim_start_matches(['+', '-', '0']).bytes().take_while(u8::is_ascii_digit);
        text[..at].ends_with(|character: char| character.is_ascii_digit()) && digits.count() > 2
    });
    has_far_exponent || has_digits(text, LONG_DIGITS)
}

/// Whether so many digits, or a point among them, stand in a row.
fn has_digits(text: &str, n_digits: usize) -> bool {
    let mut runs = text.split(|character: char| !character.is_ascii_digit() && character != '.');
    runs.any(|digits| digits.len() >= n_digits)
}

/// A document; no object may have a key twice.
fn parse(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = UniqueKeys.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(UniqueKeys)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(UniqueKeys)?;
            if object.insert(key.clone(), value).is_some() {
                return Err(de::Error::custom(format!("key {key:?} twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_twice_is_invalid_and_so_is_what_the_schema_forbids() {
        let judge = Judge::new(&json!({"type": "object", "properties": {"a": {"format": "date"}}}));
        assert_eq!(judge.judge(r#"{"a":"2024-02-29","b":[1,{"c":1.5}]}"#), Verdict::Valid);
        let keyword = |text: &str| match judge.judge(text) {
            Verdict::Invalid { keyword, .. } => keyword,
            other => format!("{other:?}"),
        };
        assert_eq!(keyword(r#"{"b":1,"b":2}"#), "(JSON)");
        assert_eq!(keyword(r#"{"a":"2023-02-29"}"#), "format");
        assert_eq!(keyword("[]"), "type");
        assert_eq!(judge.judge("1e999"), Verdict::Unjudged("number"));
        let names = Judge::new(&json!({"propertyNames": {"format": "email"}}));
        let long = names.judge(&format!(r#"{{"{}@x":1}}"#, "a".repeat(65)));
        assert_eq!(long, Verdict::KnownDisagreement("long local parts of e-mail addresses"));
        assert!(matches!(names.judge(r#"{"a":1}"#), Verdict::Invalid { .. }));
        assert!(has_long_number("[1234567890.123456]") && !has_long_number(r#"{"a":123456789,"b":[1234567]}"#));
    }
}
