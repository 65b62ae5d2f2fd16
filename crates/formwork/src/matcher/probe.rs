//! Ask what would be accepted, and leave no trace.

use std::sync::Arc;

use super::Matcher;
use super::history::History;
use crate::error::MatchError;
use crate::ids::TokenId;

impl Matcher {
    /// How many of these tokens, one after the other, could be accepted; leaves no trace.
    ///
    /// # Errors
    /// A limit.
    pub fn count_acceptable(&self, tokens: &[TokenId]) -> Result<usize, MatchError> {
        // Without the history, which is long and may be cut while tokens are taken.
        let mut probe = Matcher {
            grammar: Arc::clone(&self.grammar),
            generation: Arc::clone(&self.generation),
            handle: self.handle,
            history: History::default(),
            stopped: self.stopped,
        };
        for (n_accepted, token) in tokens.iter().enumerate() {
            match probe.accept_token(*token) {
                Ok(()) => {}
                Err(MatchError::Limit(limit)) => return Err(MatchError::Limit(limit)),
                Err(_) => return Ok(n_accepted),
            }
        }
        Ok(tokens.len())
    }
}
