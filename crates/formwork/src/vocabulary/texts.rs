//! Which tokens can stand in any text? Tokens judged as UTF-8, and tokens that hold a given string.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::Vocabulary;
use super::token_mask::set_bit;

/// Tokens as text, from between two characters on.
#[derive(Debug)]
pub(crate) struct TextTable {
    /// Tokens that begin a text; they may end within a character.
    row: Arc<[u32]>,
    /// Tokens that begin with a whole character and are no text further on, in rising order.
    broken: Box<[u32]>,
    /// Tokens that begin within a character and are no text behind it, in rising order.
    broken_within: Box<[u32]>,
}

impl TextTable {
    /// O(bytes of all tokens).
    pub(super) fn new(vocabulary: &Vocabulary) -> TextTable {
        let mut row = vec![0; vocabulary.mask_words()];
        let (mut broken, mut broken_within) = (Vec::new(), Vec::new());
        for id in (0..vocabulary.len()).filter(|id| !vocabulary.bytes_at(*id).is_empty()) {
            let bytes = vocabulary.bytes_at(id);
            let is_broken = |bytes| std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some());
            match std::str::from_utf8(bytes) {
                Err(error) if error.error_len().is_some() => {
                    let n_within = bytes.iter().take_while(|byte| (0x80..0xC0).contains(*byte)).count();
                    if error.valid_up_to() > 0 {
                        broken.push(id as u32);
                    } else if n_within > 3 || is_broken(&bytes[n_within..]) {
                        broken_within.push(id as u32);
                    }
                }
                _ => set_bit(&mut row, id as u32),
            }
        }
        TextTable { row: row.into(), broken: broken.into(), broken_within: broken_within.into() }
    }

    pub(crate) fn row(&self) -> &Arc<[u32]> {
        &self.row
    }

    pub(crate) fn broken(&self) -> &[u32] {
        &self.broken
    }

    /// Whether a token cannot stand in any text, wherever it begins.
    pub(crate) fn is_broken(&self, token: u32) -> bool {
        self.broken.binary_search(&token).is_ok() || self.broken_within.binary_search(&token).is_ok()
    }
}

impl Vocabulary {
    /// Tokens as text; judged when first asked for.
    pub(crate) fn texts(&self) -> &TextTable {
        self.texts.get_or_init(|| TextTable::new(self))
    }

    /// The same, where they were judged already.
    pub(crate) fn known_texts(&self) -> Option<&TextTable> {
        self.texts.get()
    }

    /// The bytes of all tokens together.
    pub(crate) fn n_token_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The tokens that hold `string`, which is not empty, in rising order. O(bytes of all tokens).
    pub(crate) fn tokens_holding(&self, string: &[u8]) -> Vec<u32> {
        let finder = Finder::new(string);
        let mut tokens = Vec::new();
        let mut from = 0;
        while let Some(found) = finder.find(&self.bytes[from..]) {
            let at = from + found;
            let id = self.offsets.partition_point(|offset| *offset as usize <= at) - 1;
            let end = self.offsets[id + 1] as usize;
            if at + string.len() <= end {
                tokens.push(id as u32);
                from = end;
            } else {
                // It is spread over two tokens; the next may begin within it.
                from = at + 1;
            }
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::TokenId;
    use crate::vocabulary::Vocabulary;

    #[test]
    fn strings_are_found_within_tokens_only() {
        let vocabulary = Vocabulary::from_tokens(["a", "aa", "", "baab", "ab", "</s>"], &[TokenId::new(5)]).unwrap();
        assert_eq!(vocabulary.tokens_holding(b"aa"), [1, 3]);
        assert_eq!(vocabulary.tokens_holding(b"ab"), [3, 4]);
        assert!(vocabulary.tokens_holding(b"</s>").is_empty(), "a stop token is no text");
    }

    #[test]
    fn tokens_are_text_as_far_as_they_can_be_completed() {
        let tokens: [&[u8]; 7] = [b"a", b"\xC3", b"\xA9", b"a\xC3", b"a\xA9", b"\xFF", b"</s>"];
        let vocabulary = Vocabulary::from_tokens(tokens, &[TokenId::new(6)]).unwrap();
        assert_eq!(vocabulary.texts().row()[..], [0b0000_1011]);
        assert_eq!(vocabulary.texts().broken(), [4]);
    }
}
