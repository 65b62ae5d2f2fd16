//! How does a text get complete before its budget ends? Tokens are taken only if a completion is known that fits behind them.
//!
//! A completion of the text so far is always known, and never longer than what is left of the budget. A token that the model
//! chooses is checked when it is chosen: the one that the known completion begins with always fits, any other if a completion
//! from behind it does. Nothing is asked of tokens that are not chosen, so the vocabulary may be of any size.

use std::sync::Arc;

use formwork::{MatchError, TokenId, TokenMask};

use crate::constraint::Constraint;

/// What is known of the end of one output.
#[derive(Debug)]
pub(crate) struct Steering {
    /// Completes the text so far.
    known: Arc<[TokenId]>,
    /// Completes it behind the token that was admitted last.
    behind: Option<(TokenId, Arc<[TokenId]>)>,
}

impl Steering {
    /// Tokens that are drawn at one place before the known completion is followed.
    pub(crate) const MAX_REFUSED: usize = 16;

    pub(crate) fn new(constraint: &mut dyn Constraint) -> Result<Steering, MatchError> {
        Ok(Steering { known: constraint.completion()?, behind: None })
    }

    /// Tokens that the known completion takes.
    pub(crate) fn n_needed(&self) -> usize {
        self.known.len()
    }

    /// The token that surely leads to the end; none where the text is complete.
    pub(crate) fn next(&mut self) -> Option<TokenId> {
        let (first, rest) = self.known.split_first()?;
        self.behind = Some((*first, rest.into()));
        Some(*first)
    }

    /// Whether a token that the constraint allows leaves enough of `n_left` tokens to complete the text.
    pub(crate) fn admits(
        &mut self,
        constraint: &dyn Constraint,
        token: TokenId,
        n_left: usize,
    ) -> Result<bool, MatchError> {
        if self.known.first() == Some(&token) {
            return Ok(self.next().is_some());
        }
        let mut after = constraint.fork();
        let completion = after.accept_token(token).and_then(|()| after.completion());
        match completion {
            Ok(completion) if completion.len() < n_left => {
                self.behind = Some((token, completion));
                Ok(true)
            }
            // What cannot be found within the engine's limits is not known to be there; nor is a token taken that is refused.
            Ok(_) | Err(MatchError::Limit(_) | MatchError::TokenNotAllowed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The token was accepted: it was admitted before.
    pub(crate) fn follow(&mut self, token: TokenId) {
        if let Some((_, completion)) = self.behind.take_if(|(admitted, _)| *admitted == token) {
            self.known = completion;
        }
    }

    /// Another token was accepted in the place of the last one; whether it leaves enough of `n_left` tokens, itself included.
    pub(crate) fn replace(&mut self, constraint: &mut dyn Constraint, n_left: usize) -> bool {
        match constraint.completion() {
            Ok(completion) if completion.len() < n_left => {
                self.known = completion;
                true
            }
            _ => false,
        }
    }
}

/// The mask less some tokens.
pub(crate) fn without(mask: &TokenMask, tokens: &[TokenId]) -> TokenMask {
    let mut words = vec![0; mask.n_words()];
    mask.write_to(&mut words);
    for token in tokens {
        if let Some(word) = words.get_mut(token.index() / 32) {
            *word &= !(1 << (token.index() % 32));
        }
    }
    TokenMask::from_words(&words)
}
