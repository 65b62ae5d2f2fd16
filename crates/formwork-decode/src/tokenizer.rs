//! What does the loop need of a tokenizer? Its vocabulary, and how it cuts text.

use std::sync::Arc;

use formwork::{TokenId, Vocabulary};

/// A tokenizer, as the loop sees it. Implemented where a tokenizer library is known.
pub trait TextTokenizer: Send + Sync {
    /// Bytes and kinds of its tokens.
    fn vocabulary(&self) -> &Arc<Vocabulary>;

    /// The tokens of `text`, which is all text: the name of a control token in it is just characters, and nothing is
    /// put before or after it. Used for forced text, so the tokens' bytes must be those of `text`.
    fn encode(&self, text: &str) -> Vec<TokenId>;

    /// The tokens of a prompt: names of control tokens in `text` stand for these tokens.
    fn encode_with_special(&self, text: &str) -> Vec<TokenId>;
}

/// The tokens of the longest prefix of `bytes` that is UTF-8; forced bytes may end inside a character.
pub fn encode_valid_prefix(tokenizer: &dyn TextTokenizer, bytes: &[u8]) -> Vec<TokenId> {
    match bytes.utf8_chunks().next() {
        Some(chunk) if !chunk.valid().is_empty() => tokenizer.encode(chunk.valid()),
        _ => Vec::new(),
    }
}
