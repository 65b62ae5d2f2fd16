//! What does Python's `json.dumps(json.loads(text), ensure_ascii=False)` print? The text of a MaskBench instance.
//!
//! Works on JSON text, not on parsed values: integers of any size stay as they are, and floats are printed from the
//! nearest `f64` the way Python's `repr` does. A repeated key keeps its first place and its last value, as in a `dict`.

use indexmap::IndexMap;
use serde_json::value::RawValue;

/// Most levels of nesting that are read. One level costs a stack frame and one more pass over the text inside it.
const MAX_DEPTH: usize = 1_000;

/// The instance as Python prints it.
///
/// # Errors
/// When `text` is not JSON, is nested more than 1,000 levels deep, or holds half a surrogate pair, which is no Unicode text.
pub fn dumps(text: &str) -> Result<String, serde_json::Error> {
    let value: &RawValue = serde_json::from_str(text)?;
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    write_value(value, MAX_DEPTH, &mut out)?;
    Ok(out)
}

fn write_value(value: &RawValue, depth: usize, out: &mut String) -> Result<(), serde_json::Error> {
    let text = value.get();
    match text.as_bytes()[0] {
        b'{' | b'[' if depth == 0 => return Err(serde::de::Error::custom("nested too deep")),
        b'{' => write_object(text, depth - 1, out)?,
        b'[' => write_array(text, depth - 1, out)?,
        b'"' => write_string(&serde_json::from_str::<String>(text)?, out),
        b'-' | b'0'..=b'9' => write_number(text, out),
        _ => out.push_str(text),
    }
    Ok(())
}

fn write_object(text: &str, depth: usize, out: &mut String) -> Result<(), serde_json::Error> {
    let members: IndexMap<String, &RawValue> = serde_json::from_str(text)?;
    out.push('{');
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_string(key, out);
        out.push_str(": ");
        write_value(value, depth, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_array(text: &str, depth: usize, out: &mut String) -> Result<(), serde_json::Error> {
    let items: Vec<&RawValue> = serde_json::from_str(text)?;
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_value(item, depth, out)?;
    }
    out.push(']');
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn write_number(text: &str, out: &mut String) {
    if text == "-0" {
        out.push('0');
    } else if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        out.push_str(text);
    } else {
        let number: f64 = text.parse().expect("a JSON number is a Rust float literal");
        write_float(number, out);
    }
}

/// Python's `float.__repr__`: the shortest digits that read back, fixed notation for exponents from -4 to 15.
fn write_float(number: f64, out: &mut String) {
    if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` prints an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` prints a decimal exponent");
    if (-4..16).contains(&exponent) {
        out.push_str(&format!("{number:?}"));
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()));
    }
}

#[cfg(test)]
mod tests {
    use super::dumps;

    #[test]
    fn prints_what_python_prints() {
        for (text, expected) in [
            ("1e5", "100000.0"),
            ("1E-5", "1e-05"),
            ("0.0001", "0.0001"),
            ("1e16", "1e+16"),
            ("1e22", "1e+22"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("9999999999999998.0", "9999999999999998.0"),
            ("1.5e300", "1.5e+300"),
            ("5e-324", "5e-324"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("1e400", "Infinity"),
            ("0.1", "0.1"),
            ("2.50", "2.5"),
            (r#"{"b" :[1 ,2.0],"a":{}}"#, r#"{"b": [1, 2.0], "a": {}}"#),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a": 3, "b": 2}"#),
            (r#""\u00e9\u0001\u007f\/\ud83d\ude00\n""#, "\"é\\u0001\u{7f}/😀\\n\""),
            (" [ true , null, false ] ", "[true, null, false]"),
        ] {
            assert_eq!(dumps(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_text() {
        assert!(dumps(r#""\ud800""#).is_err());
        assert!(dumps("[1").is_err());
        assert!(dumps(&"[".repeat(2_000)).is_err());
    }
}
