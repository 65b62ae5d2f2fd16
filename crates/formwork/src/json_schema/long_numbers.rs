//! Which numbers of a schema's text does the JSON parser round? Their texts, by where their rounded values lie.
//!
//! `serde_json` holds numbers as 64-bit integers or floats. Few schemas have longer ones, and those are looked up here
//! wherever a number's value counts. A schema that is given as a value has been rounded by whoever made it.

use serde_json::{Number, Value};

use super::document::push_segment;
use crate::automata::Decimal;
use crate::hash::HashMap;

/// The texts of rounded numbers.
#[derive(Debug, Default)]
pub(crate) struct LongNumbers {
    /// By the address of the value, which stays where it is while the document lives.
    texts: HashMap<usize, Box<str>>,
}

impl LongNumbers {
    /// The text of a number that was rounded.
    pub(super) fn text(&self, value: &Value) -> Option<&str> {
        if self.texts.is_empty() {
            return None;
        }
        self.texts.get(&(std::ptr::from_ref(value) as usize)).map(|text| &**text)
    }
}

/// Parses a document, and notes the numbers that are rounded.
pub(crate) fn parse(text: &str) -> Result<(Value, LongNumbers), serde_json::Error> {
    let found = find(text);
    let mut numbers = LongNumbers::default();
    if found.is_empty() {
        return Ok((serde_json::from_str(text)?, numbers));
    }
    // What is too great for the parser stands for itself as one that is not.
    let mut readable = String::with_capacity(text.len());
    let mut copied = 0;
    for Found { start, end, rounded, .. } in &found {
        readable.push_str(&text[copied..*start]);
        readable.push_str(rounded);
        copied = *end;
    }
    readable.push_str(&text[copied..]);
    let document: Value = serde_json::from_str(&readable)?;
    for Found { start, end, rounded, pointer } in found {
        // A key may be there twice, and the last one counts.
        if let Some(value @ Value::Number(number)) = document.pointer(&pointer)
            // Not as texts: how a number is written depends on features of the parser that other crates may turn on.
            && number.as_f64() == rounded.parse().ok()
        {
            numbers.texts.insert(std::ptr::from_ref(value) as usize, text[start..end].into());
        }
    }
    Ok((document, numbers))
}

/// A number that is rounded.
struct Found {
    start: usize,
    end: usize,
    rounded: String,
    pointer: String,
}

/// Where the scan stands inside one object or array.
enum Level<'t> {
    Object { key: &'t str, expects_key: bool },
    Array { index: usize },
}

/// Scans a text, which need not be JSON: then the parser says so.
fn find(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let (mut found, mut levels) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'{' => levels.push(Level::Object { key: "\"\"", expects_key: true }),
            b'[' => levels.push(Level::Array { index: 0 }),
            b'}' | b']' => drop(levels.pop()),
            b',' => match levels.last_mut() {
                Some(Level::Object { expects_key, .. }) => *expects_key = true,
                Some(Level::Array { index }) => *index += 1,
                None => {}
            },
            b'"' => {
                while at < bytes.len() && bytes[at] != b'"' {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
                at = (at + 1).min(bytes.len());
                if let Some(Level::Object { key, expects_key: expects_key @ true }) = levels.last_mut() {
                    (*key, *expects_key) = (text.get(start..at).unwrap_or_default(), false);
                }
            }
            b'-' | b'0'..=b'9' => {
                at += bytes[at..].iter().take_while(|byte| b"0123456789+-.eE".contains(byte)).count();
                if let Some(rounded) = rounded(&text[start..at]) {
                    found.push(Found { start, end: at, rounded, pointer: pointer(&levels) });
                }
            }
            _ => {}
        }
    }
    found
}

/// What the parser makes of a number, where that is not its value.
fn rounded(token: &str) -> Option<String> {
    // 15 digits always come through.
    if token.len() <= 15 && !token.contains(['e', 'E']) {
        return None;
    }
    let value = Decimal::parse(token)?;
    match serde_json::from_str::<Number>(token) {
        Ok(number) => {
            let text = number.to_string();
            (Decimal::parse(&text)? != value).then_some(text)
        }
        Err(_) if is_json(token) => Some("1e+308".to_owned()),
        Err(_) => None,
    }
}

/// Whether a token that reads as a number is one in JSON, too.
fn is_json(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let has_digits_behind_point = digits
        .split_once('.')
        .is_none_or(|(_, fraction)| fraction.starts_with(|character: char| character.is_ascii_digit()));
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    has_digits_behind_point && (whole == "0" || !whole.starts_with('0'))
}

fn pointer(levels: &[Level<'_>]) -> String {
    let mut pointer = String::new();
    for level in levels {
        match level {
            Level::Object { key, .. } => {
                let key: String = serde_json::from_str(key).unwrap_or_default();
                push_segment(&mut pointer, &key);
            }
            Level::Array { index } => push_segment(&mut pointer, &index.to_string()),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_numbers_keep_their_texts() {
        let text = r#"{"a": [1.5, 12345678901234567890123], "b/\u0063": {"x": -1e400, "y": 1e2}, "s": "1e999 \" 1e999", "z": 0.10000000000000000001}"#;
        let (document, numbers) = parse(text).unwrap();
        let text_at = |pointer: &str| numbers.text(document.pointer(pointer).unwrap());
        assert_eq!(text_at("/a/1"), Some("12345678901234567890123"));
        assert_eq!(text_at("/b~1c/x"), Some("-1e400"));
        assert_eq!(text_at("/z"), Some("0.10000000000000000001"));
        for exact in ["/a/0", "/b~1c/y", "/s"] {
            assert_eq!(text_at(exact), None, "{exact}");
        }
    }

    #[test]
    fn numbers_that_serde_json_holds_are_left_alone() {
        for token in ["18446744073709551615", "-9223372036854775808", "1.7976931348623157e308", "100000000000000000000"]
        {
            assert_eq!(rounded(token), None, "{token}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_as_ever() {
        for text in ["", "[1e400", "{1e400}", "01e400", "[1.e400]", "\"", "[\"\\", "}1e400", "[1e99999999999]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
