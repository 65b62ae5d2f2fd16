//! Which words do tokens spell with both their quotes? An index from the word to the tokens.
//!
//! A token that writes a whole key can write one that stands there already. There are few such tokens, and nearly always
//! none that spells any of the keys that were written.

use super::Vocabulary;
use crate::hash::HashMap;

/// Tokens by the words that they hold between two quotes.
#[derive(Debug)]
pub(crate) struct SpelledWords {
    by_word: HashMap<Box<[u8]>, Vec<u32>>,
    /// Tokens with two quotes of which more must be known: they hold an escape, or one word twice.
    odd: Vec<u32>,
}

impl SpelledWords {
    pub(super) fn new(vocabulary: &Vocabulary) -> SpelledWords {
        let mut words = SpelledWords { by_word: HashMap::default(), odd: Vec::new() };
        for id in 0..vocabulary.len() {
            let bytes = vocabulary.bytes_at(id);
            if memchr::memchr(b'"', bytes) == memchr::memrchr(b'"', bytes) {
                continue;
            }
            let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'"').collect();
            let [_, inner @ .., _] = &parts[..] else { continue };
            if inner.is_empty() {
                continue;
            }
            let repeated = inner.iter().enumerate().any(|(at, part)| inner[..at].contains(part));
            if repeated || bytes.contains(&b'\\') {
                words.odd.push(id as u32);
                continue;
            }
            for part in inner {
                words.by_word.entry((*part).into()).or_default().push(id as u32);
            }
        }
        words
    }

    /// The tokens that hold a word in quotes.
    pub(crate) fn spelling(&self, word: &[u8]) -> &[u32] {
        self.by_word.get(word).map_or(&[], Vec::as_slice)
    }

    /// The tokens of which the words do not tell enough.
    pub(crate) fn odd(&self) -> &[u32] {
        &self.odd
    }
}
