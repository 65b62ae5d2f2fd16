//! Ask what would be accepted, and leave no trace.

use super::Matcher;
use crate::error::MatchError;
use crate::ids::TokenId;

impl Matcher {
    /// How many of these tokens, one after the other, could be accepted; leaves no trace.
    ///
    /// # Errors
    /// A limit.
    pub fn count_acceptable(&mut self, tokens: &[TokenId]) -> Result<usize, MatchError> {
        let start = self.handle;
        let n_steps = self.history.len();
        let stopped = self.stopped;
        let mut n_accepted = 0;
        let outcome = tokens.iter().try_for_each(|token| {
            // Handles are moved when a generation ends: the start is kept in the history until the end.
            self.accept_token(*token)?;
            n_accepted += 1;
            Ok(())
        });
        match self.history.get(n_steps) {
            Some(before) => self.handle = *before,
            None => debug_assert_eq!(self.handle, start),
        }
        self.history.truncate(n_steps);
        self.stopped = stopped;
        match outcome {
            Err(MatchError::Limit(limit)) => Err(MatchError::Limit(limit)),
            _ => Ok(n_accepted),
        }
    }
}
