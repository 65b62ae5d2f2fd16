//! How is a constant written? JSON text with no more escapes than it needs.

use crate::automata::Escapes;
use crate::automata::decoder::is_plain;

/// A string with its quotes: `\"`, `\\` and control characters are escaped, what is beyond ASCII where `escapes` asks for
/// it, and all else is as it is.
pub(super) fn string(text: &str, escapes: Escapes) -> Vec<u8> {
    let ascii_only = escapes == Escapes::AsciiOnly;
    let mut written = Vec::with_capacity(text.len() + 2);
    written.push(b'"');
    if is_plain(text.as_bytes()) {
        written.extend_from_slice(text.as_bytes());
        written.push(b'"');
        return written;
    }
    for char in text.chars() {
        match char {
            '"' => written.extend_from_slice(b"\\\""),
            '\\' => written.extend_from_slice(b"\\\\"),
            '\u{8}' => written.extend_from_slice(b"\\b"),
            '\u{c}' => written.extend_from_slice(b"\\f"),
            '\n' => written.extend_from_slice(b"\\n"),
            '\r' => written.extend_from_slice(b"\\r"),
            '\t' => written.extend_from_slice(b"\\t"),
            '\0'..='\u{1f}' => push_units(char, &mut written),
            _ if ascii_only && !char.is_ascii() => push_units(char, &mut written),
            _ => written.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    written.push(b'"');
    written
}

/// Writes a character as `\uXXXX`, or two of them.
fn push_units(char: char, written: &mut Vec<u8>) {
    let digit = |value: u16| b"0123456789abcdef"[usize::from(value & 15)];
    for unit in char.encode_utf16(&mut [0; 2]) {
        written.extend_from_slice(b"\\u");
        written.extend([12, 8, 4, 0].map(|shift| digit(*unit >> shift)));
    }
}

#[cfg(test)]
mod tests {
    use super::Escapes;

    #[test]
    fn strings_are_written_as_serde_json_writes_them() {
        for text in ["", "a", "é\u{1F600}", "\"\\/", "\u{0}\u{8}\u{c}\n\r\t\u{1f}\u{7f}"] {
            for escapes in [Escapes::Any, Escapes::Canonical, Escapes::Minimal] {
                assert_eq!(super::string(text, escapes), serde_json::to_string(text).unwrap().into_bytes());
            }
            let ascii = String::from_utf8(super::string(text, Escapes::AsciiOnly)).unwrap();
            assert!(ascii.is_ascii());
            assert_eq!(serde_json::from_str::<String>(&ascii).unwrap(), text);
        }
    }
}
