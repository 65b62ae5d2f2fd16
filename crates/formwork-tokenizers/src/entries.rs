//! What did a tokenizer file say of each id? The common form of all kinds of files, and how it becomes a vocabulary.

use std::collections::BTreeMap;

use formwork::{TokenId, TokenKind, Vocabulary};

use crate::error::TokenizerError;

/// One entry of a tokenizer, before it is known which entries are stop tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The bytes of a token that is text.
    Text(Vec<u8>),
    /// The name of a token that is not.
    Special(String),
}

/// The entries of a tokenizer by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    by_id: BTreeMap<u32, Entry>,
}

impl Entries {
    /// Enters a token of the base vocabulary; an error when the id is taken.
    #[cfg(any(feature = "huggingface", feature = "tekken", feature = "tiktoken"))]
    pub(crate) fn insert(&mut self, id: u32, entry: Entry) -> Result<(), TokenizerError> {
        match self.by_id.insert(id, entry) {
            None => Ok(()),
            Some(_) => Err(TokenizerError::Malformed(format!("id {id} stands for two tokens"))),
        }
    }

    /// Enters an added token, which overrides the base vocabulary.
    #[cfg(feature = "huggingface")]
    pub(crate) fn replace(&mut self, id: u32, entry: Entry) {
        self.by_id.insert(id, entry);
    }

    /// The entry of an id.
    pub(crate) fn get(&self, id: u32) -> Option<&Entry> {
        self.by_id.get(&id)
    }

    /// All special tokens: id and name.
    pub(crate) fn special(&self) -> impl Iterator<Item = (u32, &str)> {
        self.by_id.iter().filter_map(|(id, entry)| match entry {
            Entry::Special(name) => Some((*id, name.as_str())),
            Entry::Text(_) => None,
        })
    }

    /// All text tokens: id and bytes.
    #[cfg(feature = "tekken")]
    pub(crate) fn text(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.by_id.iter().filter_map(|(id, entry)| match entry {
            Entry::Text(bytes) => Some((*id, bytes.as_slice())),
            Entry::Special(_) => None,
        })
    }

    /// The vocabulary with these stop tokens. With a width, rows up to it are there, and ids beyond it are not.
    pub(crate) fn build(self, stop_ids: &[u32], width: Option<usize>) -> Result<Vocabulary, TokenizerError> {
        let mut builder = Vocabulary::builder();
        builder.width(width.unwrap_or(0));
        for (id, entry) in self.by_id {
            if width.is_some_and(|width| id as usize >= width) {
                break;
            }
            let token = TokenId::new(id);
            match entry {
                entry if stop_ids.contains(&id) => builder.stop(token, entry.into_name()),
                Entry::Text(bytes) => builder.text(token, bytes),
                Entry::Special(name) => builder.special(token, name),
            };
        }
        Ok(builder.build()?)
    }

    /// The entries of a vocabulary and its stop tokens: the inverse of [`Entries::build`].
    pub(crate) fn of(vocabulary: &Vocabulary) -> (Entries, Vec<u32>) {
        let mut entries = Entries::default();
        for id in (0..vocabulary.len()).filter_map(|id| u32::try_from(id).ok()) {
            let token = TokenId::new(id);
            let entry = match vocabulary.kind(token) {
                TokenKind::Unused => continue,
                TokenKind::Text => Entry::Text(vocabulary.token_bytes(token).unwrap_or_default().to_vec()),
                TokenKind::Special | TokenKind::Stop => {
                    Entry::Special(vocabulary.special_name(token).unwrap_or_default().to_owned())
                }
            };
            entries.by_id.insert(id, entry);
        }
        (entries, vocabulary.stop_tokens().iter().map(|token| token.get()).collect())
    }
}

impl Entry {
    fn into_name(self) -> String {
        match self {
            Entry::Text(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Entry::Special(name) => name,
        }
    }
}
