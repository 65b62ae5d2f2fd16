//! How long may it be searched for a way to complete a list or a record? Counted steps.

use crate::error::LimitError;

/// Steps that one search may still take.
#[derive(Debug)]
pub(crate) struct Steps {
    left: usize,
    limit: usize,
}

impl Steps {
    /// `limit` is [`Limits::max_completion_steps`](crate::Limits::max_completion_steps).
    pub(crate) fn new(limit: usize) -> Steps {
        Steps { left: limit, limit }
    }

    /// For all lists and records of a grammar together.
    pub(super) fn for_grammar(limit: usize) -> Steps {
        Steps { left: limit.saturating_mul(16), limit }
    }

    /// Takes `n` steps.
    pub(super) fn spend(&mut self, n: usize) -> Result<(), LimitError> {
        let left = self.left.checked_sub(n);
        self.left = left.ok_or(LimitError { setting: "max_completion_steps", limit: self.limit })?;
        Ok(())
    }
}
