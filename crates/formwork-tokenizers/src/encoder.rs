//! How does a tokenizer cut text into tokens? One face for the encoders of all kinds of files.

use crate::entries::Entries;

/// What a tokenizer file holds.
pub(crate) struct Parsed {
    pub(crate) entries: Entries,
    pub(crate) encoder: Box<dyn Encoder>,
}

/// A tokenizer's own encoder. Answers are ids as the file numbers them; `None` when it gives up on a text.
pub(crate) trait Encoder: Send + Sync {
    /// What the tokenizer makes of `text` in the middle of a text. May change it (normalisation), and may take names of
    /// special tokens for the tokens.
    fn encode(&self, text: &str) -> Option<Vec<u32>>;

    /// The tokenizer's merges alone, without normalisation and special tokens.
    fn encode_unchanged(&self, text: &str) -> Option<Vec<u32>> {
        self.encode(text)
    }

    /// What the tokenizer makes of a prompt that spells special tokens by their names.
    fn encode_with_special(&self, text: &str) -> Option<Vec<u32>>;

    /// What the tokenizer makes of a whole plain text: with the special tokens it puts around one, if any.
    fn encode_document(&self, text: &str) -> Option<Vec<u32>>;
}
