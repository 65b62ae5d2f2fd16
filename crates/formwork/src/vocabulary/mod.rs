//! Which tokens are there? The bytes and kinds of a tokenizer's entries, and everything precomputed from them.

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
#[derive(Clone, Debug)]
pub struct Vocabulary;

impl Vocabulary {
    /// A vocabulary whose entry `i` has the bytes of the `i`-th token. Stop tokens are not text, whatever their bytes.
    ///
    /// # Errors
    /// [`VocabularyError`] when it holds no text, or no or unknown stop tokens.
    pub fn from_tokens<T: AsRef<[u8]>>(
        tokens: impl IntoIterator<Item = T>,
        stop_tokens: &[TokenId],
    ) -> Result<Vocabulary, VocabularyError> {
        let _ = (tokens.into_iter().count(), stop_tokens);
        todo!()
    }

    /// A builder, for vocabularies with special tokens or gaps.
    pub fn builder() -> VocabularyBuilder {
        VocabularyBuilder
    }

    /// Number of ids, gaps and padding rows included: the width of the logits.
    pub fn len(&self) -> usize {
        todo!()
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a text token; `None` for every other kind.
    pub fn token_bytes(&self, id: TokenId) -> Option<&[u8]> {
        let _ = id;
        todo!()
    }

    /// The name of a special or stop token, such as `<|end|>`.
    pub fn special_name(&self, id: TokenId) -> Option<&str> {
        let _ = id;
        todo!()
    }

    /// The kind of an entry; `Unused` beyond the end.
    pub fn kind(&self, id: TokenId) -> TokenKind {
        let _ = id;
        todo!()
    }

    /// The tokens that end the output.
    pub fn stop_tokens(&self) -> &[TokenId] {
        todo!()
    }

    /// 32-bit words of one mask: `len / 32`, rounded up.
    pub fn mask_words(&self) -> usize {
        self.len().div_ceil(32)
    }

    /// Cuts `text` into tokens, longest first (greedy); the fallback where no tokenizer is at hand. `None` where a byte is in
    /// no token.
    pub fn greedy_tokens(&self, text: &[u8]) -> Option<Vec<TokenId>> {
        let _ = text;
        todo!()
    }
}

/// Collects the entries of a [`Vocabulary`].
#[derive(Clone, Debug, Default)]
pub struct VocabularyBuilder;

impl VocabularyBuilder {
    /// Entry `id` is text with these bytes. Empty bytes make it unused.
    pub fn text(&mut self, id: TokenId, bytes: impl Into<Vec<u8>>) -> &mut VocabularyBuilder {
        let _ = (id, bytes.into());
        self
    }

    /// Entry `id` is a control token.
    pub fn special(&mut self, id: TokenId, name: impl Into<String>) -> &mut VocabularyBuilder {
        let _ = (id, name.into());
        self
    }

    /// Entry `id` ends the output. Overrides what was said of the id before.
    pub fn stop(&mut self, id: TokenId, name: impl Into<String>) -> &mut VocabularyBuilder {
        let _ = (id, name.into());
        self
    }

    /// The logits are at least `n` wide; rows beyond the last token are unused.
    pub fn width(&mut self, n: usize) -> &mut VocabularyBuilder {
        let _ = n;
        self
    }

    /// Checks and builds.
    ///
    /// # Errors
    /// [`VocabularyError`] when it holds no text or no stop token.
    pub fn build(&self) -> Result<Vocabulary, VocabularyError> {
        todo!()
    }
}
