//! What can a caller do with a loaded tokenizer? Its vocabulary, and text to tokens and back.

use std::fmt;
use std::sync::Arc;

use formwork::{TokenId, Vocabulary};

use crate::encoder::Encoder;
use crate::entries::Entries;
use crate::error::TokenizerError;

/// A vocabulary with the encoder that belongs to it. Cheap to clone, shared by threads.
#[derive(Clone)]
pub struct Tokenizer {
    vocabulary: Arc<Vocabulary>,
    encoder: Arc<dyn Encoder>,
}

impl Tokenizer {
    pub(crate) fn new(vocabulary: Arc<Vocabulary>, encoder: Box<dyn Encoder>) -> Tokenizer {
        Tokenizer { vocabulary, encoder: Arc::from(encoder) }
    }

    /// Bytes and kinds of all tokens.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The same tokenizer for logits that are `n` wide: rows beyond the last token are never in a mask, and tokens
    /// beyond the last row are dropped. Lays the vocabulary out anew;
    /// [`LoadOptions::logits_width`](crate::LoadOptions::logits_width) does it in one go.
    ///
    /// # Errors
    /// When no text or no stop token is left, or `n` is more than 2^24.
    pub fn with_logits_width(&self, n: usize) -> Result<Tokenizer, TokenizerError> {
        let (entries, stop_ids) = Entries::of(&self.vocabulary);
        let vocabulary = entries.build(&stop_ids, Some(n))?;
        Ok(Tokenizer { vocabulary: Arc::new(vocabulary), encoder: Arc::clone(&self.encoder) })
    }

    /// Cuts text into tokens as the model's own tokenizer does in the middle of a text. The bytes of the tokens are
    /// those of `text`, exactly: names of special tokens are spelled out, no space is put in front, and where the
    /// tokenizer would normalise the text its merges are used without. A character that no tokens can spell becomes
    /// what the tokenizer has for unknown ones; byte-level tokenizers and those with byte fallback spell everything.
    pub fn encode(&self, text: &str) -> Vec<TokenId> {
        let own = self.encoder.encode(text);
        if let Some(ids) = own.as_deref().filter(|ids| self.spells(ids, text.as_bytes())) {
            return to_tokens(ids);
        }
        let unchanged = self.encoder.encode_unchanged(text);
        if let Some(ids) = unchanged.filter(|ids| self.spells(ids, text.as_bytes())) {
            return to_tokens(&ids);
        }
        self.vocabulary.greedy_tokens(text.as_bytes()).unwrap_or_else(|| to_tokens(&own.unwrap_or_default()))
    }

    /// As [`Tokenizer::encode`] for bytes that may stop within a character. What is not UTF-8 is cut greedily; bytes
    /// that are in no token are left out.
    pub fn encode_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        let mut tokens = Vec::new();
        for chunk in bytes.utf8_chunks() {
            tokens.extend(self.encode(chunk.valid()));
            tokens.extend(self.vocabulary.greedy_tokens(chunk.invalid()).unwrap_or_default());
        }
        tokens
    }

    /// Cuts a prompt into tokens, with special tokens where their names stand; nothing is put around it. For prompts
    /// that a chat template made.
    pub fn encode_with_special(&self, text: &str) -> Vec<TokenId> {
        self.encoder.encode_with_special(text).map_or_else(|| self.encode(text), |ids| to_tokens(&ids))
    }

    /// Cuts a whole plain text into tokens, with what the tokenizer puts around one, such as a token for its beginning.
    pub fn encode_document(&self, text: &str) -> Vec<TokenId> {
        self.encoder.encode_document(text).map_or_else(|| self.encode(text), |ids| to_tokens(&ids))
    }

    /// The text of tokens, control tokens left out; bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        String::from_utf8_lossy(&self.decode_bytes(tokens)).into_owned()
    }

    /// The bytes of tokens, control tokens left out.
    pub fn decode_bytes(&self, tokens: &[TokenId]) -> Vec<u8> {
        tokens.iter().filter_map(|token| self.token_bytes(*token)).flatten().copied().collect()
    }

    /// The bytes of a text token; `None` for every other kind.
    pub fn token_bytes(&self, token: TokenId) -> Option<&[u8]> {
        self.vocabulary.token_bytes(token)
    }

    /// The id of a special or stop token by its name. O(vocabulary).
    pub fn special_token(&self, name: &str) -> Option<TokenId> {
        let n_ids = u32::try_from(self.vocabulary.len()).ok()?;
        (0..n_ids).map(TokenId::new).find(|token| self.vocabulary.special_name(*token) == Some(name))
    }

    /// Whether the bytes of `ids` are `text`.
    fn spells(&self, ids: &[u32], text: &[u8]) -> bool {
        let mut rest = text;
        for id in ids {
            let bytes = self.token_bytes(TokenId::new(*id));
            match bytes.and_then(|bytes| rest.strip_prefix(bytes)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("n_ids", &self.vocabulary.len()).finish_non_exhaustive()
    }
}

fn to_tokens(ids: &[u32]) -> Vec<TokenId> {
    ids.iter().copied().map(TokenId::new).collect()
}
