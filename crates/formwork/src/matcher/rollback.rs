//! Undo accepted steps.

use super::Matcher;
use crate::error::MatchError;

impl Matcher {
    /// Undoes the last `n_steps` accepted tokens or byte strings.
    ///
    /// # Errors
    /// When there are fewer; the state is unchanged then.
    pub fn rollback(&mut self, n_steps: usize) -> Result<(), MatchError> {
        let available = self.history.len();
        let Some(kept) = available.checked_sub(n_steps) else {
            return Err(MatchError::Rollback { asked: n_steps, available });
        };
        if let Some(handle) = self.history.get(kept) {
            self.handle = *handle;
            self.stopped = false;
        }
        self.history.truncate(kept);
        Ok(())
    }

    /// Back to the start of the text.
    pub fn reset(&mut self) {
        *self = Matcher::new(std::sync::Arc::clone(&self.grammar));
    }
}
