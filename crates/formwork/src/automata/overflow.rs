//! Did an automaton meet its limit? A count of the steps that could not be answered, kept by each thread for itself.
//!
//! A step that cannot be answered within the limit is given as dead, which would be wrong in a mask: whoever uses
//! automata watches the count, and gives an error instead of a result when it has changed. Nothing is remembered of
//! such a step, so that each thread that asks is told for itself; and as an answer is found by the thread that asks,
//! no request can get the error of another that shares its automata.

use std::cell::Cell;

use crate::error::LimitError;
use crate::limits::Limits;

thread_local! {
    static N_OVERFLOWS: Cell<u64> = const { Cell::new(0) };
}

/// A place in time on one thread, from which overflows are noticed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverflowWatch {
    n_before: u64,
}

impl OverflowWatch {
    pub(crate) fn start() -> OverflowWatch {
        OverflowWatch { n_before: N_OVERFLOWS.get() }
    }

    /// Whether every step since then was answered.
    pub(crate) fn is_clear(self) -> bool {
        N_OVERFLOWS.get() == self.n_before
    }

    /// An error where some step since then was not answered.
    pub(crate) fn check(self, limits: &Limits) -> Result<(), LimitError> {
        match self.is_clear() {
            true => Ok(()),
            false => Err(LimitError { setting: "max_automaton_states", limit: limits.max_automaton_states }),
        }
    }
}

/// Counts a step without an answer.
pub(super) fn note() {
    N_OVERFLOWS.set(N_OVERFLOWS.get() + 1);
}
