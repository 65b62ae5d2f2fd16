//! How is a constant written? JSON text with no more escapes than it needs.

/// Appends a string with its quotes: `\"`, `\\` and control characters are escaped, all else is as it is.
pub(super) fn string(text: &str) -> Vec<u8> {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    let mut written = Vec::with_capacity(text.len() + 2);
    written.push(b'"');
    if plain {
        written.extend_from_slice(text.as_bytes());
    } else {
        for byte in text.bytes() {
            match byte {
                b'"' => written.extend_from_slice(b"\\\""),
                b'\\' => written.extend_from_slice(b"\\\\"),
                0x08 => written.extend_from_slice(b"\\b"),
                0x0c => written.extend_from_slice(b"\\f"),
                b'\n' => written.extend_from_slice(b"\\n"),
                b'\r' => written.extend_from_slice(b"\\r"),
                b'\t' => written.extend_from_slice(b"\\t"),
                0x00..=0x1f => {
                    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
                    written.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
                }
                other => written.push(other),
            }
        }
    }
    written.push(b'"');
    written
}

#[cfg(test)]
mod tests {
    #[test]
    fn strings_are_written_as_serde_json_writes_them() {
        for text in ["", "a", "é\u{1F600}", "\"\\/", "\u{0}\u{8}\u{c}\n\r\t\u{1f}\u{7f}"] {
            assert_eq!(super::string(text), serde_json::to_string(text).unwrap().into_bytes());
        }
    }
}
