//! Undo accepted steps.

use super::Matcher;
use crate::error::MatchError;

impl Matcher {
    /// Undoes the last `n_steps` accepted tokens or byte strings.
    ///
    /// # Errors
    /// When there are fewer, or a limit; the state is unchanged then.
    pub fn rollback(&mut self, n_steps: usize) -> Result<(), MatchError> {
        let available = self.history.len();
        let Some(kept) = available.checked_sub(n_steps) else {
            return Err(MatchError::Rollback { asked: n_steps, available });
        };
        if kept < available {
            self.handle = self.history.cut(kept, &self.generation)?;
            self.stopped = false;
        }
        Ok(())
    }

    /// Back to the start of the text.
    pub fn reset(&mut self) {
        *self = Matcher::new(std::sync::Arc::clone(&self.grammar));
    }
}
