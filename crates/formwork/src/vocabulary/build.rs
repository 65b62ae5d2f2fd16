//! How is a vocabulary made? Entries in any order, checked and laid out flat.

use std::collections::BTreeMap;

use super::{TokenKind, TokenTrie, Vocabulary, leading_whitespace};
use crate::error::VocabularyError;
use crate::ids::TokenId;

/// Largest number of ids: a mask row of 2 MiB.
const MAX_IDS: usize = 1 << 24;

/// Collects the entries of a [`Vocabulary`].
#[derive(Clone, Debug, Default)]
pub struct VocabularyBuilder {
    entries: BTreeMap<TokenId, Entry>,
    width: usize,
    duplicate: Option<TokenId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Text(Vec<u8>),
    Special(String),
    Stop(String),
}

impl VocabularyBuilder {
    /// Entry `id` is text with these bytes. Empty bytes make it unused.
    pub fn text(&mut self, id: TokenId, bytes: impl Into<Vec<u8>>) -> &mut VocabularyBuilder {
        self.insert(id, Entry::Text(bytes.into()))
    }

    /// Entry `id` is a control token.
    pub fn special(&mut self, id: TokenId, name: impl Into<String>) -> &mut VocabularyBuilder {
        self.insert(id, Entry::Special(name.into()))
    }

    /// Entry `id` ends the output. Overrides what was said of the id before.
    pub fn stop(&mut self, id: TokenId, name: impl Into<String>) -> &mut VocabularyBuilder {
        self.entries.insert(id, Entry::Stop(name.into()));
        self
    }

    /// The logits are at least `n` wide; rows beyond the last token are unused.
    pub fn width(&mut self, n: usize) -> &mut VocabularyBuilder {
        self.width = self.width.max(n);
        self
    }

    fn insert(&mut self, id: TokenId, entry: Entry) -> &mut VocabularyBuilder {
        if let Some(old) = self.entries.insert(id, entry.clone())
            && old != entry
        {
            self.duplicate = Some(id);
        }
        self
    }

    /// Checks and builds: sorts all tokens once, well under a second for 200,000 of them.
    ///
    /// # Errors
    /// [`VocabularyError`] when it holds no text or no stop token, an id twice, or is too large.
    pub fn build(&self) -> Result<Vocabulary, VocabularyError> {
        if let Some(id) = self.duplicate {
            return Err(VocabularyError::Duplicate(id));
        }
        let n_ids = self.entries.keys().next_back().map_or(0, |last| last.index() + 1).max(self.width);
        if n_ids > MAX_IDS {
            return Err(VocabularyError::TooLarge("more than 2^24 ids"));
        }
        let mut vocabulary = self.lay_out(n_ids)?;
        if vocabulary.bytes.is_empty() {
            return Err(VocabularyError::Empty);
        }
        if vocabulary.stop_tokens.is_empty() {
            return Err(VocabularyError::NoStop);
        }
        vocabulary.index_tokens();
        Ok(vocabulary)
    }

    fn lay_out(&self, n_ids: usize) -> Result<Vocabulary, VocabularyError> {
        let mut bytes = Vec::new();
        let mut offsets = vec![0u32; n_ids + 1];
        let mut kinds = vec![TokenKind::Unused; n_ids];
        let mut special_names = Vec::new();
        let mut stop_tokens = Vec::new();
        let mut written = 0;
        for (id, entry) in &self.entries {
            let start =
                u32::try_from(bytes.len()).map_err(|_| VocabularyError::TooLarge("more than 4 GiB of bytes"))?;
            offsets[written..=id.index()].fill(start);
            written = id.index() + 1;
            match entry {
                Entry::Text(text) if text.is_empty() => {}
                Entry::Text(text) => {
                    kinds[id.index()] = TokenKind::Text;
                    bytes.extend_from_slice(text);
                }
                Entry::Special(name) => {
                    kinds[id.index()] = TokenKind::Special;
                    special_names.push((*id, name.clone()));
                }
                Entry::Stop(name) => {
                    kinds[id.index()] = TokenKind::Stop;
                    special_names.push((*id, name.clone()));
                    stop_tokens.push(*id);
                }
            }
        }
        let end = u32::try_from(bytes.len()).map_err(|_| VocabularyError::TooLarge("more than 4 GiB of bytes"))?;
        offsets[written..].fill(end);
        Ok(Vocabulary {
            bytes,
            offsets,
            kinds,
            special_names,
            stop_tokens,
            trie: TokenTrie::default(),
            stripped: TokenTrie::default(),
            max_leading_whitespace: 0,
            max_token_bytes: 0,
            blank_tokens: Vec::new(),
            blank_masks: Vec::new(),
            strings: Default::default(),
            string_reach: std::sync::OnceLock::new(),
            holds_two_names: std::sync::OnceLock::new(),
            texts: std::sync::OnceLock::new(),
            spelled: std::sync::OnceLock::new(),
            letters: std::sync::OnceLock::new(),
        })
    }
}

impl Vocabulary {
    fn index_tokens(&mut self) {
        let mut texts = Vec::new();
        let mut stripped = Vec::new();
        let mut blank = Vec::new();
        let mut max_leading_whitespace = 0;
        let mut max_token_bytes = 0;
        for id in 0..self.len() {
            let bytes = self.bytes_at(id);
            if bytes.is_empty() {
                continue;
            }
            max_token_bytes = max_token_bytes.max(bytes.len() as u32);
            texts.push((bytes, id as u32));
            match leading_whitespace(bytes) {
                0 => {}
                n if n == bytes.len() => blank.push((n as u32, id as u32)),
                n => {
                    max_leading_whitespace = max_leading_whitespace.max(n as u32);
                    stripped.push((&bytes[n..], id as u32));
                }
            }
        }
        let trie = TokenTrie::new(texts);
        let stripped = TokenTrie::new(stripped);
        self.trie = trie;
        self.stripped = stripped;
        self.max_leading_whitespace = max_leading_whitespace;
        self.max_token_bytes = max_token_bytes;
        blank.sort_unstable();
        let longest = blank.last().map_or(0, |(n_bytes, _)| *n_bytes as usize);
        self.blank_masks = std::iter::repeat_with(std::sync::OnceLock::new).take(longest + 1).collect();
        self.blank_tokens = blank;
    }
}
