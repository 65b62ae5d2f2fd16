//! Which texts hold none of a few strings? Free text up to where something else begins.
//!
//! After Aho and Corasick (Efficient String Matching, 1975): a state is the longest end of the text so far that begins one
//! of the strings, and what is missing to a whole UTF-8 character. The byte that would complete a string is not offered.
//! All other steps are live: a character of several bytes that is begun can end in 64 ways, and fewer of the strings end
//! with such a character.

use std::sync::Arc;

use crate::error::GrammarError;

/// Most strings that one text can be without: the tokens that hold each are searched for.
const MAX_STRINGS: usize = 256;
/// Most of them that end beyond ASCII; must stay below 64, see the module's documentation.
const MAX_WIDE: usize = 63;
/// Most bytes of them together: the table has a row for each.
const MAX_BYTES: usize = 8_192;

/// Text without any of a few strings.
#[derive(Debug)]
pub(crate) struct FreeText {
    without: Arc<[Box<str>]>,
    /// 0 for bytes that no string holds.
    classes: [u8; 256],
    n_classes: usize,
    /// By node and class. A node stands for what a string begins with; node 0 for nothing.
    next: Vec<u16>,
    /// By node: the longest end of its text, short of the whole, that is a node, too.
    fallbacks: Vec<u16>,
    /// By node: whether a string ends here.
    ends: Vec<bool>,
}

/// What is missing to a whole character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Nothing,
    One,
    Two,
    Three,
    /// Two, the first of them not below `A0`: shorter spellings are none.
    TwoBehindE0,
    /// Two, the first of them below `A0`: surrogates are no characters.
    TwoBehindEd,
    /// Three, the first of them not below `90`.
    ThreeBehindF0,
    /// Three, the first of them below `90`: U+10FFFF is the last.
    ThreeBehindF4,
}

impl Missing {
    const ALL: [Missing; 8] = [
        Missing::Nothing,
        Missing::One,
        Missing::Two,
        Missing::Three,
        Missing::TwoBehindE0,
        Missing::TwoBehindEd,
        Missing::ThreeBehindF0,
        Missing::ThreeBehindF4,
    ];

    fn step(self, byte: u8) -> Option<Missing> {
        Some(match (self, byte) {
            (Missing::Nothing, ..0x80) | (Missing::One, 0x80..0xC0) => Missing::Nothing,
            (Missing::Nothing, 0xC2..0xE0)
            | (Missing::Two, 0x80..0xC0)
            | (Missing::TwoBehindE0, 0xA0..0xC0)
            | (Missing::TwoBehindEd, 0x80..0xA0) => Missing::One,
            (Missing::Nothing, 0xE0) => Missing::TwoBehindE0,
            (Missing::Nothing, 0xED) => Missing::TwoBehindEd,
            (Missing::Nothing, 0xE1..0xF0)
            | (Missing::Three, 0x80..0xC0)
            | (Missing::ThreeBehindF0, 0x90..0xC0)
            | (Missing::ThreeBehindF4, 0x80..0x90) => Missing::Two,
            (Missing::Nothing, 0xF0) => Missing::ThreeBehindF0,
            (Missing::Nothing, 0xF1..0xF4) => Missing::Three,
            (Missing::Nothing, 0xF4) => Missing::ThreeBehindF4,
            _ => return None,
        })
    }
}

/// A node, and what is missing to a whole character.
#[derive(Clone, Copy)]
struct State {
    node: u16,
    missing: Missing,
}

impl State {
    fn to_bits(self) -> u64 {
        u64::from(self.node) << 8 | self.missing as u64
    }

    fn from_bits(bits: u64) -> State {
        State { node: (bits >> 8) as u16, missing: Missing::ALL[bits as usize & 7] }
    }
}

impl FreeText {
    pub(crate) fn new(without: &Arc<[Box<str>]>) -> Result<FreeText, GrammarError> {
        let n_bytes: usize = without.iter().map(|string| string.len()).sum();
        let n_wide = without.iter().filter(|string| !string.as_bytes().last().is_some_and(u8::is_ascii)).count();
        if without.len() > MAX_STRINGS || n_wide > MAX_WIDE || n_bytes > MAX_BYTES {
            return Err(GrammarError::Invalid(format!(
                "free text can be without {MAX_STRINGS} strings of {MAX_BYTES} bytes together, {MAX_WIDE} ending beyond ASCII"
            )));
        }
        if without.iter().any(|string| string.is_empty()) {
            return Err(GrammarError::Invalid("every text holds the empty string: none can be without it".into()));
        }
        let mut classes = [0; 256];
        let mut n_classes = 1;
        for byte in without.iter().flat_map(|string| string.bytes()) {
            let class = &mut classes[usize::from(byte)];
            if *class == 0 {
                // Far fewer than 256 bytes occur in UTF-8.
                *class = n_classes as u8;
                n_classes += 1;
            }
        }
        let mut text = FreeText {
            without: Arc::clone(without),
            classes,
            n_classes,
            next: vec![0; n_classes],
            fallbacks: vec![0],
            ends: vec![false],
        };
        without.iter().for_each(|string| text.add(string.as_bytes()));
        text.fall_back();
        Ok(text)
    }

    /// Adds the nodes of a string.
    fn add(&mut self, string: &[u8]) {
        let mut node = 0;
        for byte in string {
            let at = self.slot(node, *byte);
            if self.next[at] == 0 {
                self.next[at] = self.ends.len() as u16;
                self.next.resize(self.next.len() + self.n_classes, 0);
                self.fallbacks.push(0);
                self.ends.push(false);
            }
            node = self.next[at];
        }
        self.ends[usize::from(node)] = true;
    }

    /// Gives every node its fallback, and its steps for bytes with which no string goes on; nodes of short texts first.
    fn fall_back(&mut self) {
        let mut queue = vec![0u16];
        let mut at = 0;
        while let Some(node) = queue.get(at).map(|node| usize::from(*node)) {
            at += 1;
            for class in 0..self.n_classes {
                let behind = match node {
                    0 => 0,
                    _ => self.next[usize::from(self.fallbacks[node]) * self.n_classes + class],
                };
                match self.next[node * self.n_classes + class] {
                    0 => self.next[node * self.n_classes + class] = behind,
                    child => {
                        self.fallbacks[usize::from(child)] = behind;
                        self.ends[usize::from(child)] |= self.ends[usize::from(behind)];
                        queue.push(child);
                    }
                }
            }
        }
    }

    fn slot(&self, node: u16, byte: u8) -> usize {
        usize::from(node) * self.n_classes + usize::from(self.classes[usize::from(byte)])
    }

    /// The strings that the text is without.
    pub(crate) fn without(&self) -> &[Box<str>] {
        &self.without
    }

    /// One byte further; `None` where it ends one of the strings or is no UTF-8.
    pub(crate) fn step(&self, state: u64, byte: u8) -> Option<u64> {
        let State { node, missing } = State::from_bits(state);
        let missing = missing.step(byte)?;
        let node = self.next[self.slot(node, byte)];
        (!self.ends[usize::from(node)]).then(|| State { node, missing }.to_bits())
    }

    /// Whether some bytes hold one of the strings.
    pub(crate) fn is_held_by(&self, bytes: &[u8]) -> bool {
        let mut node = 0;
        bytes.iter().any(|byte| {
            node = self.next[self.slot(node, *byte)];
            self.ends[usize::from(node)]
        })
    }

    /// Whether the text so far ends with a whole character: it may end here.
    pub(crate) fn is_whole(&self, state: u64) -> bool {
        State::from_bits(state).missing == Missing::Nothing
    }

    /// What is left of each string that the end of the text so far begins.
    pub(crate) fn pending(&self, state: u64) -> Vec<&[u8]> {
        let mut begun = Vec::new();
        let mut node = State::from_bits(state).node;
        while node != 0 {
            begun.push(node);
            node = self.fallbacks[usize::from(node)];
        }
        let mut pending = Vec::new();
        for string in self.without.iter().filter(|_| !begun.is_empty()) {
            let mut node = 0;
            for (at, byte) in string.bytes().enumerate() {
                node = self.next[self.slot(node, byte)];
                if begun.contains(&node) {
                    pending.push(&string.as_bytes()[at + 1..]);
                }
            }
        }
        pending.sort_unstable();
        pending.dedup();
        pending
    }

    /// Bytes held by the table.
    pub(crate) fn n_bytes(&self) -> usize {
        size_of_val(&*self.next) + 3 * self.ends.len() + size_of::<FreeText>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(strings: &[&str]) -> FreeText {
        let strings: Vec<Box<str>> = strings.iter().map(|string| (*string).into()).collect();
        FreeText::new(&strings.into()).unwrap()
    }

    fn run(text: &FreeText, bytes: &[u8]) -> Option<u64> {
        bytes.iter().try_fold(0, |state, byte| text.step(state, *byte))
    }

    /// All byte strings over a few bytes, and what the definition says of each.
    #[test]
    fn texts_are_those_that_hold_none_of_the_strings() {
        let sets: [&[&str]; 6] =
            [&[], &["a"], &["aab", "ab"], &["abab", "ba"], &["é", "aé"], &["\u{e9}\u{e8}", "b\u{e9}b"]];
        let alphabet = [b'a', b'b', 0xC3, 0xA9, 0xA8, 0xE0];
        for strings in sets {
            let text = without(strings);
            for number in 0..alphabet.len().pow(6) {
                let bytes: Vec<u8> = (0..6u32).map(|at| alphabet[number / alphabet.len().pow(at) % 6]).collect();
                let held = strings.iter().any(|string| bytes.windows(string.len()).any(|it| it == string.as_bytes()));
                let (is_whole, is_begun) = match std::str::from_utf8(&bytes) {
                    Ok(_) => (true, true),
                    Err(error) => (false, error.error_len().is_none()),
                };
                let end = run(&text, &bytes);
                assert_eq!(end.is_some(), is_begun && !held, "{strings:?} {bytes:x?}");
                assert!(end.is_none_or(|state| text.is_whole(state) == is_whole), "{strings:?} {bytes:x?}");
            }
        }
    }

    #[test]
    fn every_first_and_every_second_byte_is_judged_as_utf8() {
        let text = without(&[]);
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                let bytes = [first, second];
                let is_begun = std::str::from_utf8(&bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
                assert_eq!(run(&text, &bytes).is_some(), is_begun, "{bytes:x?}");
            }
        }
        for bytes in ["\u{7ff}", "\u{800}", "\u{ffff}", "\u{10000}", "\u{10ffff}"] {
            assert!(run(&text, bytes.as_bytes()).is_some_and(|state| text.is_whole(state)), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_pending_would_end_a_string() {
        let text = without(&["<tool>", "<tool_call>", "ol_x"]);
        let state = run(&text, b"see <tool").unwrap();
        assert_eq!(text.pending(state), [b">".as_slice(), b"_call>", b"_x"]);
        assert!(text.pending(run(&text, b"see").unwrap()).is_empty());
    }

    #[test]
    fn too_many_strings_and_empty_ones_are_refused() {
        let many: Vec<Box<str>> = (0..=MAX_STRINGS).map(|index| index.to_string().into()).collect();
        assert!(FreeText::new(&Arc::from(&many[1..])).is_ok() && FreeText::new(&many.into()).is_err());
        // With all 64 characters that one byte begins, that byte would be a dead end.
        let wide: Vec<Box<str>> = ('\u{c0}'..='\u{ff}').map(|char| char.to_string().into()).collect();
        assert!(FreeText::new(&Arc::from(&wide[1..])).is_ok() && FreeText::new(&wide.into()).is_err());
        assert!(FreeText::new(&vec!["x".repeat(MAX_BYTES + 1).into()].into()).is_err());
        assert!(FreeText::new(&vec!["".into()].into()).is_err());
    }
}
