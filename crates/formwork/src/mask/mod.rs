//! Which tokens may come next? Compact masks and how they are found.

use crate::ids::TokenId;

/// The tokens allowed at one point, in compact form: shared, immutable.
#[derive(Clone, Debug)]
pub struct TokenMask;

impl TokenMask {
    /// Whether a token is allowed.
    pub fn contains(&self, token: TokenId) -> bool {
        let _ = token;
        todo!()
    }
    /// How many tokens are allowed.
    pub fn n_allowed(&self) -> usize {
        todo!()
    }
    /// The allowed tokens in rising order.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> {
        std::iter::empty()
    }
    /// Writes the mask as packed bits into `words`, zero beyond its end.
    ///
    /// # Panics
    /// When `words` is shorter than the vocabulary's `mask_words`.
    pub fn write_to(&self, words: &mut [u32]) {
        let _ = words;
        todo!()
    }
}
