//! Which tokens are there? The bytes and kinds of a tokenizer's entries, and everything precomputed from them.
//!
//! Built once per tokenizer and shared by all grammars. What depends on the vocabulary alone lives here: the token
//! trie, the trie of tokens with their leading whitespace taken off, and the [string tables](strings) that let a
//! JSON string's mask be put together without a walk over the whole trie.

mod build;
mod fewest;
pub(crate) mod grams;
pub(crate) mod letters;
mod mask_row;
pub(crate) mod shapes;
mod spelled;
pub(crate) mod strings;
mod texts;
pub(crate) mod token_mask;
mod trie;

use std::sync::OnceLock;

pub use self::build::VocabularyBuilder;
pub use self::mask_row::MaskRow;
use self::spelled::SpelledWords;
use self::strings::StringTables;
use self::texts::TextTable;
pub use self::token_mask::TokenMask;
pub(crate) use self::trie::{Child, TokenTrie, find_child};
use crate::automata::Escapes;
use crate::error::VocabularyError;
use crate::ids::TokenId;

/// What an entry of a vocabulary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Bytes of text.
    Text,
    /// A control token: never text.
    Special,
    /// A control token that ends the output.
    Stop,
    /// A row of the logits without a token, or a token without bytes.
    Unused,
}

/// All entries of one tokenizer, immutable and shared.
#[derive(Debug)]
pub struct Vocabulary {
    /// The bytes of all text tokens, one after the other.
    bytes: Vec<u8>,
    /// `bytes[offsets[id]..offsets[id + 1]]` are the bytes of token `id`.
    offsets: Vec<u32>,
    kinds: Vec<TokenKind>,
    special_names: Vec<(TokenId, String)>,
    stop_tokens: Vec<TokenId>,
    trie: TokenTrie,
    /// Tokens of whitespace and then something else, by what follows the whitespace.
    stripped: TokenTrie,
    max_leading_whitespace: u32,
    max_token_bytes: u32,
    /// Tokens of nothing but whitespace with their lengths, shortest first.
    blank_tokens: Vec<(u32, u32)>,
    /// By greatest number of bytes: tokens of nothing but whitespace.
    blank_masks: Vec<OnceLock<TokenMask>>,
    /// By spelling.
    strings: [OnceLock<Box<StringTables>>; Escapes::N],
    string_reach: OnceLock<u32>,
    holds_two_names: OnceLock<bool>,
    texts: OnceLock<TextTable>,
    spelled: OnceLock<SpelledWords>,
    /// See [`Vocabulary::letters`].
    letters: OnceLock<Box<[u8]>>,
}

/// Whether JSON lets the byte stand between two lexemes.
pub(crate) const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// How many bytes of whitespace `bytes` begin with.
pub(crate) fn leading_whitespace(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_whitespace(**byte)).count()
}

impl Vocabulary {
    /// A vocabulary whose entry `i` has the bytes of the `i`-th token. Stop tokens are not text, whatever their bytes.
    ///
    /// # Errors
    /// [`VocabularyError`] when it holds no text, or no or unknown stop tokens.
    pub fn from_tokens<T: AsRef<[u8]>>(
        tokens: impl IntoIterator<Item = T>,
        stop_tokens: &[TokenId],
    ) -> Result<Vocabulary, VocabularyError> {
        let mut builder = Vocabulary::builder();
        let mut n_tokens = 0u32;
        for token in tokens {
            builder.text(TokenId::new(n_tokens), token.as_ref());
            n_tokens = n_tokens.checked_add(1).ok_or(VocabularyError::TooLarge("more than 2^32 tokens"))?;
        }
        for stop in stop_tokens {
            if stop.get() >= n_tokens {
                return Err(VocabularyError::StopOutOfRange(*stop));
            }
            builder.stop(*stop, format!("<{stop}>"));
        }
        builder.build()
    }

    /// A builder, for vocabularies with special tokens or gaps.
    pub fn builder() -> VocabularyBuilder {
        VocabularyBuilder::default()
    }

    /// Number of ids, gaps and padding rows included: the width of the logits.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The bytes of a text token; `None` for every other kind.
    pub fn token_bytes(&self, id: TokenId) -> Option<&[u8]> {
        (self.kind(id) == TokenKind::Text).then(|| self.bytes_at(id.index()))
    }

    /// The name of a special or stop token, such as `<|end|>`.
    pub fn special_name(&self, id: TokenId) -> Option<&str> {
        let at = self.special_names.binary_search_by_key(&id, |(token, _)| *token).ok()?;
        Some(&self.special_names[at].1)
    }

    /// The special or stop token of a name. O(special tokens).
    pub fn special_token(&self, name: &str) -> Option<TokenId> {
        self.special_names.iter().find(|(_, other)| other == name).map(|(token, _)| *token)
    }

    /// The kind of an entry; `Unused` beyond the end.
    pub fn kind(&self, id: TokenId) -> TokenKind {
        self.kinds.get(id.index()).copied().unwrap_or(TokenKind::Unused)
    }

    /// The tokens that end the output.
    pub fn stop_tokens(&self) -> &[TokenId] {
        &self.stop_tokens
    }

    /// 32-bit words of one mask: `len / 32`, rounded up.
    pub fn mask_words(&self) -> usize {
        self.len().div_ceil(32)
    }

    /// Cuts `text` into tokens, longest first (greedy): the fallback where no tokenizer is at hand. `None` where no
    /// token begins with the next byte. O(bytes × longest token).
    pub fn greedy_tokens(&self, text: &[u8]) -> Option<Vec<TokenId>> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (token, n_bytes) = self.trie.longest_prefix(rest)?;
            tokens.push(TokenId::new(token));
            rest = &rest[n_bytes..];
        }
        Some(tokens)
    }

    /// Bytes of the longest text token.
    pub fn max_token_bytes(&self) -> usize {
        self.max_token_bytes as usize
    }

    /// Whether a text token has these bytes. O(bytes).
    pub(crate) fn has_text_token(&self, bytes: &[u8]) -> bool {
        self.trie.longest_prefix(bytes).is_some_and(|(_, n_bytes)| n_bytes == bytes.len())
    }

    /// Whether a text token begins with `bytes` and goes on behind them. O(bytes).
    pub fn begins_longer_token(&self, bytes: &[u8]) -> bool {
        let mut node = None;
        for byte in bytes {
            match self.trie.child(node, *byte) {
                Some(child) => node = Some(child),
                None => return false,
            }
        }
        !self.trie.children(node).is_empty()
    }

    /// What tokens hold from a quote on that stands behind a comma and perhaps whitespace, the quote alone left out; sorted.
    pub(crate) fn names_behind_commas(&self) -> Vec<Box<[u8]>> {
        let mut names: Vec<Box<[u8]>> = Vec::new();
        for id in 0..self.len() {
            let bytes = self.bytes_at(id);
            for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'"') {
                let before = bytes[..at].iter().rfind(|byte| !is_whitespace(**byte));
                if before == Some(&b',') && at + 1 < bytes.len() {
                    names.push(bytes[at..].into());
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// All text tokens as a trie.
    pub(crate) fn trie(&self) -> &TokenTrie {
        &self.trie
    }

    /// Tokens that begin with whitespace and go on, as a trie of what follows the whitespace.
    pub(crate) fn stripped(&self) -> &TokenTrie {
        &self.stripped
    }

    /// Most whitespace that a token has before something else.
    pub(crate) fn max_leading_whitespace(&self) -> u32 {
        self.max_leading_whitespace
    }

    /// Tokens of nothing but whitespace, of at most so many bytes.
    pub(crate) fn blank(&self, max_bytes: u32) -> &TokenMask {
        let longest = self.blank_masks.len() - 1;
        let max_bytes = longest.min(max_bytes as usize);
        self.blank_masks[max_bytes].get_or_init(|| {
            let mut row = vec![0; self.mask_words()];
            let fitting = self.blank_tokens.iter().take_while(|(n_bytes, _)| *n_bytes as usize <= max_bytes);
            fitting.for_each(|(_, token)| token_mask::set_bit(&mut row, *token));
            TokenMask::from_row(&row, None)
        })
    }

    /// Bytes of token `id`; empty unless it is text.
    pub(crate) fn bytes_at(&self, id: usize) -> &[u8] {
        &self.bytes[self.offsets[id] as usize..self.offsets[id + 1] as usize]
    }

    /// What strings of a spelling need to know of this vocabulary; built when first asked for.
    pub(crate) fn strings(&self, escapes: Escapes) -> &StringTables {
        self.strings[escapes.index()].get_or_init(|| Box::new(StringTables::new(self, escapes)))
    }

    /// Most characters that a token begins in a string.
    pub(crate) fn string_reach(&self) -> u32 {
        *self.string_reach.get_or_init(|| strings::reach(self))
    }

    /// Whether a token may hold the end of a name in a regular expression and the beginning of another one behind it, or both
    /// numbers of a quantifier.
    pub(crate) fn holds_two_names(&self) -> bool {
        let begins = |rest: &[u8]| rest.windows(2).any(|pair| matches!(pair, b"?<" | b"k<"));
        let has_names =
            |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'>').is_some_and(|at| begins(&bytes[at..]));
        let are_numbers = |three: &[u8]| three[0].is_ascii_digit() && three[1] == b',' && three[2].is_ascii_digit();
        let has_numbers = |bytes: &[u8]| bytes.windows(3).any(are_numbers);
        let holds_two = |bytes: &[u8]| has_names(bytes) || has_numbers(bytes);
        *self.holds_two_names.get_or_init(|| (0..self.len()).any(|id| holds_two(self.bytes_at(id))))
    }

    /// The words that tokens spell with both their quotes; looked for when first asked for.
    pub(crate) fn spelled(&self) -> &SpelledWords {
        self.spelled.get_or_init(|| SpelledWords::new(self))
    }
}
