//! Which tokens may come next? The loop's view of a matcher, and of having none.

use formwork::{MatchError, Matcher, TokenId, TokenKind, Vocabulary};

use crate::forced::ForcedText;

/// Says which tokens may come next in one sequence, and takes those that were chosen.
pub trait Constraint: Send {
    /// Writes the mask of the tokens that may come next, zero beyond the vocabulary.
    ///
    /// # Errors
    /// As [`Matcher::fill_mask`].
    fn fill_mask(&mut self, mask: &mut [u32]) -> Result<(), MatchError>;

    /// Takes one token.
    ///
    /// # Errors
    /// As [`Matcher::accept_token`]; the state is unchanged then.
    fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError>;

    /// Undoes the last `n_tokens` accepted tokens: what a rejected draft needs.
    ///
    /// # Errors
    /// As [`Matcher::rollback`].
    fn rollback(&mut self, n_tokens: usize) -> Result<(), MatchError>;

    /// Whether nothing but a stop token can follow.
    fn is_finished(&self) -> bool;

    /// The text that is the only possible continuation, not yet accepted; empty where there is a choice.
    ///
    /// # Errors
    /// As [`Matcher::fast_forward_bytes`].
    fn forced_text(&mut self) -> Result<ForcedText, MatchError>;
}

impl Constraint for Matcher {
    fn fill_mask(&mut self, mask: &mut [u32]) -> Result<(), MatchError> {
        Matcher::fill_mask(self, mask)
    }

    fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError> {
        Matcher::accept_token(self, token)
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<(), MatchError> {
        Matcher::rollback(self, n_tokens)
    }

    fn is_finished(&self) -> bool {
        Matcher::is_finished(self)
    }

    fn forced_text(&mut self) -> Result<ForcedText, MatchError> {
        let bytes = self.fast_forward_bytes()?;
        if bytes.is_empty() {
            return Ok(ForcedText::default());
        }
        let mut after = self.fork();
        after.accept_bytes(&bytes)?;
        Ok(ForcedText { bytes, is_last: after.is_finished() })
    }
}

/// No grammar: every token may come, but ids that the vocabulary has no token for stay off.
#[derive(Clone, Debug)]
pub struct Unconstrained {
    mask: Vec<u32>,
}

impl Unconstrained {
    /// For the ids of this vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Unconstrained {
        let mut mask = vec![0; vocabulary.mask_words()];
        for id in (0..vocabulary.len()).filter_map(|index| u32::try_from(index).ok()) {
            if vocabulary.kind(TokenId::new(id)) != TokenKind::Unused {
                mask[id as usize / 32] |= 1 << (id % 32);
            }
        }
        Unconstrained { mask }
    }
}

impl Constraint for Unconstrained {
    fn fill_mask(&mut self, mask: &mut [u32]) -> Result<(), MatchError> {
        let (actual, needed) = (mask.len(), self.mask.len());
        if actual < needed {
            return Err(MatchError::BufferTooShort { actual, needed });
        }
        mask[..needed].copy_from_slice(&self.mask);
        mask[needed..].fill(0);
        Ok(())
    }

    fn accept_token(&mut self, _token: TokenId) -> Result<(), MatchError> {
        Ok(())
    }

    fn rollback(&mut self, _n_tokens: usize) -> Result<(), MatchError> {
        Ok(())
    }

    fn is_finished(&self) -> bool {
        false
    }

    fn forced_text(&mut self) -> Result<ForcedText, MatchError> {
        Ok(ForcedText::default())
    }
}
