//! Where is one sequence? The state of one output, one verb per file.

use crate::error::MatchError;
use crate::ids::TokenId;

/// The state of one sequence: small, cheap to clone (that is a fork) and to roll back.
#[derive(Clone, Debug)]
pub struct Matcher;

impl Matcher {
    /// Writes the mask of the tokens that may come next: bit `id % 32` of word `id / 32`. Words beyond the
    /// vocabulary are set to zero.
    ///
    /// # Errors
    /// [`MatchError::BufferTooShort`], or a limit.
    pub fn fill_mask(&mut self, mask: &mut [u32]) -> Result<(), MatchError> {
        let _ = mask;
        todo!()
    }
    /// The mask as a compact, shared value: no copy is made.
    ///
    /// # Errors
    /// A limit.
    pub fn mask(&mut self) -> Result<crate::mask::TokenMask, MatchError> {
        todo!()
    }
    /// Takes one token into the state.
    ///
    /// # Errors
    /// When it is not allowed; the state is unchanged then.
    pub fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError> {
        let _ = token;
        todo!()
    }
    /// Takes bytes into the state, as one step of the history.
    ///
    /// # Errors
    /// When they are not allowed; the state is unchanged then.
    pub fn accept_bytes(&mut self, bytes: &[u8]) -> Result<(), MatchError> {
        let _ = bytes;
        todo!()
    }
    /// Undoes the last `n_steps` accepted tokens or byte strings.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn rollback(&mut self, n_steps: usize) -> Result<(), MatchError> {
        let _ = n_steps;
        todo!()
    }
    /// Back to the start of the text.
    pub fn reset(&mut self) {
        todo!()
    }
    /// A second matcher in the same state; the same as `clone`.
    pub fn fork(&self) -> Matcher {
        self.clone()
    }
    /// Whether the text so far is complete: a stop token is allowed.
    pub fn is_accepting(&self) -> bool {
        todo!()
    }
    /// Whether nothing but a stop token can follow, or one was accepted.
    pub fn is_finished(&self) -> bool {
        todo!()
    }
    /// Whether a stop token was accepted.
    pub fn is_stopped(&self) -> bool {
        todo!()
    }
    /// How many of these tokens, one after the other, could be accepted; leaves no trace.
    ///
    /// # Errors
    /// A limit.
    pub fn count_acceptable(&mut self, tokens: &[TokenId]) -> Result<usize, MatchError> {
        let _ = tokens;
        todo!()
    }
    /// The text that is the only possible continuation (may be empty); at most a few thousand bytes.
    ///
    /// # Errors
    /// A limit.
    pub fn fast_forward_bytes(&mut self) -> Result<Vec<u8>, MatchError> {
        todo!()
    }
    /// Tokens that spell the forced text, as `tokenize` cuts it. The last token is held back where it could merge with what
    /// follows. Does not accept them.
    ///
    /// # Errors
    /// A limit.
    pub fn fast_forward_tokens(
        &mut self,
        tokenize: &mut dyn FnMut(&[u8]) -> Vec<TokenId>,
    ) -> Result<Vec<TokenId>, MatchError> {
        let _ = tokenize;
        todo!()
    }
    /// Accepted steps that can be rolled back.
    pub fn n_steps(&self) -> usize {
        todo!()
    }
}

/// Fills one mask for each matcher, `masks` holding one row of `mask_words` words each, on up to `n_threads` threads.
///
/// # Errors
/// The first error by matcher index.
pub fn fill_masks(matchers: &mut [Matcher], masks: &mut [u32], n_threads: usize) -> Result<(), MatchError> {
    let _ = (matchers, masks, n_threads);
    todo!()
}
