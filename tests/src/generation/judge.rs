//! Is a written document valid? An independent validator with formats asserted, and no key twice.

use std::fmt;

use jsonschema::Validator;
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
    /// Whether some pattern has `\\<` or `\\>`.
    has_angle_escapes: bool,
    /// Whether some format is one of OpenAPI's, which the validator takes for an annotation.
    has_foreign_formats: bool,
}

impl Judge {
    /// Reads the schema; where the validator refuses it, every document is unjudged.
    pub fn new(schema: &Value) -> Judge {
        let options = jsonschema::options().should_validate_formats(true);
        let text = schema.to_string();
        let has_angle_escapes = [r"\\<", r"\\>"].iter().any(|escape| text.contains(escape));
        let is_there = |format: &&str| text.contains(&format!("\"format\":\"{format}\""));
        let has_foreign_formats = FOREIGN_FORMATS.iter().any(is_there);
        Judge { validator: options.build(schema).ok(), has_angle_escapes, has_foreign_formats }
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
        let keyword = error.kind().keyword().to_owned();
        let path = error.schema_path().to_string();
        let is_conditional = ["then", "else"].iter().any(|branch| path.split('/').any(|step| step == *branch));
        let may_compare = is_conditional || COMPARING.contains(&&*keyword);
        match self.disagreement(&keyword, may_compare, error.instance(), text) {
            Some(cause) => Verdict::KnownDisagreement(cause),
            None => invalid(&keyword, format!("{} at {} ({})", error, error.instance_path(), error.schema_path())),
        }
    }

    /// Why the validator is wrong, where it is known to be: see `tests/data/disagreements.md`.
    fn disagreement(&self, keyword: &str, may_compare: bool, instance: &Value, text: &str) -> Option<&'static str> {
        if may_compare && has_long_number(text) {
            return Some("numbers longer than a double holds");
        }
        if self.has_angle_escapes && matches!(keyword, "pattern" | "oneOf" | "anyOf") {
            return Some("angle brackets escaped in patterns");
        }
        let has_line_end = |text: &str| text.contains(['\r', '\u{2028}', '\u{2029}']);
        if matches!(keyword, "pattern" | "oneOf" | "anyOf" | "not") && instance.as_str().is_some_and(has_line_end) {
            return Some("line ends that a dot takes");
        }
        if self.has_foreign_formats && may_compare {
            return Some("formats of OpenAPI");
        }
        let local_part = instance.as_str().and_then(|text| text.rsplit_once('@')).map_or("", |(local, _)| local);
        let may_be_format = matches!(keyword, "format" | "anyOf" | "oneOf");
        (may_be_format && local_part.len() > 64).then_some("long local parts of e-mail addresses")
    }
}

/// Formats of OpenAPI that say something of a value.
const FOREIGN_FORMATS: [&str; 5] = ["int32", "int64", "uint32", "uint64", "byte"];

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

/// Whether there are more digits in a row than a double keeps apart, or an exponent that may be beyond its reach.
pub fn has_long_number(text: &str) -> bool {
    let mut runs = text.split(|character: char| !character.is_ascii_digit() && character != '.');
    let has_long_run = runs.any(|digits| digits.len() > 15);
    let has_far_exponent = text.split(['e', 'E']).skip(1).any(|behind| {
        let digits = behind.trim_start_matches(['+', '-', '0']).bytes().take_while(u8::is_ascii_digit).count();
        digits > 2
    });
    has_long_run || has_far_exponent
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
        assert!(has_long_number("[1234567890.123456]") && !has_long_number(r#"{"a":123456789,"b":[1234567]}"#));
    }
}
