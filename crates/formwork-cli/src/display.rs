//! How are bytes and tables shown on a terminal?

use std::fmt::Write as _;
use std::io::Write as _;

/// Says something on standard error; that nobody hears it is no reason to stop.
pub(crate) fn say(message: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(message.as_bytes()).and_then(|()| stderr.flush());
}

/// Bytes as text between quotes: what is not UTF-8 as `\xNN`, control characters escaped, the rest as it is.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let mut shown = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => shown.extend(['\\', character]),
                ' ' => shown.push(' '),
                _ if character.is_control() || character.is_whitespace() => shown.extend(character.escape_debug()),
                _ => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown.push('"');
    shown
}

/// A text of at most `max` characters, `…` standing for what was cut off.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Digits in groups of three.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Rows in columns as wide as their widest cell; the last column runs free.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..n_columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut shown = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        shown.push_str(line.trim_end());
        shown.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_unambiguously() {
        assert_eq!(quoted(b"a\n\"\\'\xE2\x82"), r#""a\n\"\\'\xe2\x82""#);
        assert_eq!(quoted("é\u{301}\u{a0}".as_bytes()), "\"é\u{301}\\u{a0}\"");
    }

    #[test]
    fn numbers_and_columns() {
        assert_eq!([grouped(0), grouped(999), grouped(1000), grouped(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        let rows = [vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), String::new()]];
        assert_eq!(table(&rows), "a    bb\nccc\n");
        assert_eq!((shortened("abc", 3), shortened("äbcd", 3)), ("abc".to_owned(), "äbc…".to_owned()));
    }
}
