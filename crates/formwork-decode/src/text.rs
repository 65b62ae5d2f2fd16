//! Which part of the output may be shown already? Text from token bytes, held back where it is not yet certain.
//!
//! Two things are held back: bytes that begin a character whose rest is to come, and text that may be the beginning
//! of a stop string. Bytes that are no UTF-8 come out as U+FFFD, as they do in `String::from_utf8_lossy`.

/// The output's text, as far as it is certain, and the bytes held back.
#[derive(Clone, Debug, Default)]
pub struct TextStream {
    stop_strings: Vec<Vec<u8>>,
    text: String,
    held: Vec<u8>,
}

/// A stop string that came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopMatch {
    /// Which of the stop strings.
    pub index: usize,
}

impl TextStream {
    /// Ends at any of these texts; empty ones are never found.
    pub fn new<T: AsRef<str>>(stop_strings: impl IntoIterator<Item = T>) -> TextStream {
        let stop_strings = stop_strings.into_iter().map(|text| text.as_ref().as_bytes().to_vec()).collect();
        TextStream { stop_strings, text: String::new(), held: Vec::new() }
    }

    /// All text that is certain.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Bytes held back.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// Adds the bytes of a token. When they complete a stop string, the text ends before it; of several, the one that
    /// was complete first, and of those the longest: however the bytes are cut into tokens, the result is the same.
    ///
    /// Work per byte is bounded by the length of the stop strings.
    pub fn push(&mut self, bytes: &[u8]) -> Option<StopMatch> {
        for &byte in bytes {
            self.held.push(byte);
            if let Some(index) = self.completed() {
                let n_before = self.held.len() - self.stop_strings[index].len();
                self.held.truncate(n_before);
                self.finish();
                return Some(StopMatch { index });
            }
        }
        let n_certain = self.held.len() - self.n_possible_stop();
        self.release(n_certain);
        None
    }

    /// Makes what is held back certain: nothing more will come.
    pub fn finish(&mut self) {
        self.text.push_str(&String::from_utf8_lossy(&self.held));
        self.held.clear();
    }

    /// The longest stop string that the held bytes end with.
    fn completed(&self) -> Option<usize> {
        let found =
            self.stop_strings.iter().enumerate().filter(|(_, stop)| !stop.is_empty() && self.held.ends_with(stop));
        // The first of equals.
        found.rev().max_by_key(|(_, stop)| stop.len()).map(|(index, _)| index)
    }

    /// Length of the longest end of the held bytes that begins a stop string.
    fn n_possible_stop(&self) -> usize {
        let longest = self.stop_strings.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1);
        let begins_stop = |n: &usize| {
            let end = &self.held[self.held.len() - n..];
            self.stop_strings.iter().any(|stop| stop.len() > *n && stop.starts_with(end))
        };
        (1..=longest.min(self.held.len())).rev().find(begins_stop).unwrap_or(0)
    }

    /// Moves the first `n_certain` held bytes to the text, but for a character that is not complete.
    fn release(&mut self, n_certain: usize) {
        let certain = &self.held[..n_certain];
        let n_incomplete = n_incomplete(certain);
        // An incomplete character in front of a possible stop string can never be completed by it, but holding it back
        // a little longer is harmless and keeps the bytes in order.
        let n_released = n_certain - n_incomplete;
        self.text.push_str(&String::from_utf8_lossy(&certain[..n_released]));
        self.held.drain(..n_released);
    }
}

/// How many bytes at the end begin a character whose rest is missing.
fn n_incomplete(bytes: &[u8]) -> usize {
    let start = bytes.len().saturating_sub(3);
    let ends = (start..bytes.len()).rev().find(|&index| bytes[index] >= 0xC0);
    match ends {
        // `error_len` is `None` exactly when the end came too early.
        Some(index) => match std::str::from_utf8(&bytes[index..]) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() == 0 => bytes.len() - index,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_characters_wait_for_their_rest() {
        let mut stream = TextStream::new::<&str>([]);
        for (bytes, shown) in [(&b"a\xE2"[..], "a"), (b"\x82", "a"), (b"\xAC!", "a€!"), (b"\xF0\x9F", "a€!")] {
            assert_eq!(stream.push(bytes), None);
            assert_eq!(stream.text(), shown);
        }
        stream.finish();
        assert_eq!(stream.text(), "a€!\u{FFFD}");
    }

    #[test]
    fn invalid_bytes_are_replaced_at_once() {
        let mut stream = TextStream::new::<&str>([]);
        stream.push(b"a\xFFb\x80\xC3(");
        assert_eq!(stream.text(), "a\u{FFFD}b\u{FFFD}\u{FFFD}(");
    }

    #[test]
    fn possible_stops_are_held_back() {
        let mut stream = TextStream::new(["</end>"]);
        assert_eq!(stream.push(b"x</e"), None);
        assert_eq!((stream.text(), stream.held()), ("x", &b"</e"[..]));
        assert_eq!(stream.push(b"m"), None);
        assert_eq!(stream.text(), "x</em");
        assert_eq!(stream.push(b"</end>tail"), Some(StopMatch { index: 0 }));
        assert_eq!(stream.text(), "x</em");
    }

    #[test]
    fn the_cut_into_tokens_does_not_matter() {
        let text = "ab abcd ü bc";
        let stops = ["abcd", "bc", "ü b"];
        let mut whole = TextStream::new(stops);
        let found = whole.push(text.as_bytes());
        for size in 1..6 {
            let mut pieces = TextStream::new(stops);
            let found_in_pieces = text.as_bytes().chunks(size).find_map(|chunk| pieces.push(chunk));
            assert_eq!((found_in_pieces, pieces.text()), (found, whole.text()), "chunks of {size}");
        }
        assert_eq!((found, whole.text()), (Some(StopMatch { index: 1 }), "ab a"));
    }

    #[test]
    fn overlapping_beginnings_are_found() {
        let mut stream = TextStream::new(["aab"]);
        assert_eq!(stream.push(b"aa"), None);
        assert_eq!(stream.push(b"ab"), Some(StopMatch { index: 0 }));
        assert_eq!(stream.text(), "a");
    }

    #[test]
    fn empty_stop_strings_are_ignored() {
        let mut stream = TextStream::new(["", "x"]);
        assert_eq!(stream.push(b"ab"), None);
        assert_eq!(stream.push(b"x"), Some(StopMatch { index: 1 }));
    }
}
