//! Which tokens may come next? The loop's view of a matcher, and of having none.

use std::sync::Arc;

use formwork::{MatchError, Matcher, TokenId, TokenKind, TokenMask, Vocabulary};

use crate::forced::ForcedText;

/// Says which tokens may come next in one sequence, and takes those that were chosen.
pub trait Constraint: Send {
    /// The mask of the tokens that may come next.
    ///
    /// # Errors
    /// As [`Matcher::mask`].
    fn mask(&mut self) -> Result<TokenMask, MatchError>;

    /// Takes one token.
    ///
    /// # Errors
    /// As [`Matcher::accept_token`]; the state is unchanged then.
    fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError>;

    /// A second constraint in the same state: what a draft is checked with.
    fn fork(&self) -> Box<dyn Constraint + '_>;

    /// Undoes the last `n_tokens` accepted tokens.
    ///
    /// # Errors
    /// As [`Matcher::rollback`].
    fn rollback(&mut self, n_tokens: usize) -> Result<(), MatchError>;

    /// Tokens that complete the text if they are accepted one after the other; none where it is complete.
    ///
    /// # Errors
    /// As [`Matcher::completion`].
    fn completion(&mut self) -> Result<Arc<[TokenId]>, MatchError>;

    /// Whether nothing but a stop token can follow.
    fn is_finished(&self) -> bool;

    /// The text that is the only possible continuation, not yet accepted; empty where there is a choice.
    ///
    /// # Errors
    /// As [`Matcher::fast_forward_bytes`].
    fn forced_text(&mut self) -> Result<ForcedText, MatchError>;
}

impl Constraint for Matcher {
    fn mask(&mut self) -> Result<TokenMask, MatchError> {
        Matcher::mask(self)
    }

    fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError> {
        Matcher::accept_token(self, token)
    }

    fn fork(&self) -> Box<dyn Constraint + '_> {
        Box::new(Matcher::fork(self))
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<(), MatchError> {
        Matcher::rollback(self, n_tokens)
    }

    fn completion(&mut self) -> Result<Arc<[TokenId]>, MatchError> {
        Matcher::completion(self)
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
    mask: TokenMask,
}

impl Unconstrained {
    /// For the ids of this vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Unconstrained {
        let mut words = vec![0; vocabulary.mask_words()];
        for id in (0..vocabulary.len()).filter_map(|index| u32::try_from(index).ok()) {
            if vocabulary.kind(TokenId::new(id)) != TokenKind::Unused {
                words[id as usize / 32] |= 1 << (id % 32);
            }
        }
        Unconstrained { mask: TokenMask::from_words(&words) }
    }
}

impl Constraint for Unconstrained {
    fn mask(&mut self) -> Result<TokenMask, MatchError> {
        Ok(self.mask.clone())
    }

    fn accept_token(&mut self, _token: TokenId) -> Result<(), MatchError> {
        Ok(())
    }

    fn fork(&self) -> Box<dyn Constraint + '_> {
        Box::new(self.clone())
    }

    fn rollback(&mut self, _n_tokens: usize) -> Result<(), MatchError> {
        Ok(())
    }

    fn completion(&mut self) -> Result<Arc<[TokenId]>, MatchError> {
        Ok(Arc::from([]))
    }

    fn is_finished(&self) -> bool {
        false
    }

    fn forced_text(&mut self) -> Result<ForcedText, MatchError> {
        Ok(ForcedText::default())
    }
}
