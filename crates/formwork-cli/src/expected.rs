//! What could have come at the point where a text is rejected? The alternatives in words, found by asking the matcher.
//!
//! Each byte that may come is followed by the text it forces, and a string that is begun is followed while few
//! characters may come, so that keys and values of an `enum` appear whole. Ranges stand for many bytes in a row.

use formwork::{MatchError, Matcher};

use crate::display::{quoted, shortened};

/// Most alternatives that are listed.
const MAX_ALTERNATIVES: usize = 12;
/// Bytes that may come before it is said in general that there are many.
const MAX_BYTES: usize = 24;
/// Longest text that is shown of one alternative.
const MAX_SHOWN_CHARS: usize = 40;
/// Bytes in a row that are shown as a range.
const MIN_RANGE: usize = 4;

/// What may come where `matcher` is, after the JSON text `before`, as a list in words. The matcher's vocabulary is that
/// of single bytes.
pub(crate) fn expected(matcher: &Matcher, before: &[u8]) -> Result<String, MatchError> {
    let starts_in_string = ends_in_string(before, false);
    let mut finder = Finder { found: Vec::new(), is_cut: false, starts_in_string };
    finder.find(matcher.fork(), Vec::new())?;
    if matcher.is_accepting() {
        finder.found.push("the end of the text".to_owned());
    }
    if finder.is_cut {
        finder.found.push("…".to_owned());
    }
    Ok(match finder.found.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    })
}

struct Finder {
    found: Vec<String>,
    is_cut: bool,
    /// Whether the matcher stands inside a JSON string.
    starts_in_string: bool,
}

impl Finder {
    /// Lists what may follow `text`, which `matcher` has taken since the start.
    fn find(&mut self, mut matcher: Matcher, text: Vec<u8>) -> Result<(), MatchError> {
        let bytes = allowed_bytes(&mut matcher)?;
        if bytes.len() > MAX_BYTES {
            self.add(if text.is_empty() { many(&bytes) } else { format!("`{}…`", readable(&text)) });
            return Ok(());
        }
        for run in runs(&bytes) {
            if run.len() >= MIN_RANGE && text.is_empty() {
                self.add(format!("{} to {}", shown(&run[..1]), shown(&run[run.len() - 1..])));
                continue;
            }
            for byte in run {
                self.follow(matcher.fork(), &text, *byte)?;
            }
        }
        Ok(())
    }

    /// Lists what begins with `text` and `byte`.
    fn follow(&mut self, mut matcher: Matcher, text: &[u8], byte: u8) -> Result<(), MatchError> {
        if self.found.len() >= MAX_ALTERNATIVES {
            self.is_cut = true;
            return Ok(());
        }
        matcher.accept_bytes(&[byte])?;
        let forced = matcher.fast_forward_bytes()?;
        let text = [text, &[byte], &forced].concat();
        if !ends_in_string(&text, self.starts_in_string) || text.len() > MAX_SHOWN_CHARS {
            self.add(shown(&text));
            return Ok(());
        }
        matcher.accept_bytes(&forced)?;
        self.find(matcher, text)
    }

    fn add(&mut self, alternative: String) {
        if self.found.len() < MAX_ALTERNATIVES {
            self.found.push(alternative);
        } else {
            self.is_cut = true;
        }
    }
}

/// The bytes that may come; whitespace only where nothing else may, not even the end.
fn allowed_bytes(matcher: &mut Matcher) -> Result<Vec<u8>, MatchError> {
    let bytes: Vec<u8> = matcher.mask()?.iter().filter_map(|token| u8::try_from(token.get()).ok()).collect();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let visible: Vec<u8> = bytes.iter().copied().filter(|byte| !is_blank(byte)).collect();
    Ok(if visible.is_empty() && !matcher.is_accepting() { bytes } else { visible })
}

/// Cuts rising bytes where one is missing.
fn runs(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunk_by(|left, right| left.checked_add(1) == Some(*right))
}

fn many(bytes: &[u8]) -> String {
    match bytes.contains(&b'a') && bytes.contains(&b'Z') && bytes.contains(&b'.') {
        true => "almost any character".to_owned(),
        false => format!("one of {} characters", bytes.len()),
    }
}

/// Whether JSON text ends inside a string, given whether it starts inside one.
fn ends_in_string(text: &[u8], starts_in_string: bool) -> bool {
    let (mut in_string, mut is_escaped) = (starts_in_string, false);
    for byte in text {
        match byte {
            b'"' if !is_escaped => in_string = !in_string,
            _ => is_escaped = *byte == b'\\' && in_string && !is_escaped,
        }
    }
    in_string
}

/// A text between backticks.
pub(crate) fn shown(text: &[u8]) -> String {
    format!("`{}`", readable(text))
}

/// A text as it stands where that is plain, else quoted; not too long.
fn readable(text: &[u8]) -> String {
    let plain =
        std::str::from_utf8(text).ok().filter(|text| text.chars().all(|character| character.is_ascii_graphic()));
    shortened(&plain.map_or_else(|| quoted(text), str::to_owned), MAX_SHOWN_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_quotes_that_are_not_escaped() {
        for (text, starts_in_string) in
            [("\"", false), ("\"a\\\"", false), ("{\"a\": \"b", false), ("ab", true), ("\\\"", true)]
        {
            assert!(ends_in_string(text.as_bytes(), starts_in_string), "{text}");
        }
        for (text, starts_in_string) in [("", false), ("\"ab\"", false), ("\"a\\\\\"", false), ("ab\"", true)] {
            assert!(!ends_in_string(text.as_bytes(), starts_in_string), "{text}");
        }
    }

    #[test]
    fn runs_are_cut_at_gaps() {
        assert_eq!(runs(b"0123-ab\xFF").collect::<Vec<_>>(), [&b"0123"[..], b"-", b"ab", b"\xFF"]);
    }
}
