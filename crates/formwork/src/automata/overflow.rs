//! Did an automaton meet its limit? A count of the steps that could not be answered, kept by each thread for itself.
//!
//! A step that cannot be answered within the limit is given as dead, which would be wrong in a mask: whoever uses
//! automata watches the count, and gives an error instead of a result when it has changed. Nothing is remembered of
//! such a step, so that each thread that asks is told for itself; and as an answer is found by the thread that asks,
//! no request can get the error of another that shares its automata.
//!
//! The steps that one mask may take are counted here as well, as automata take most of them: those that find out about
//! states that nobody met before. What was found stays known, so that asking again gets further, unless a single search
//! takes more steps than there are.

use std::cell::Cell;

use crate::error::LimitError;
use crate::limits::Limits;

thread_local! {
    static N_OVERFLOWS: Cell<u64> = const { Cell::new(0) };
    /// Those of them for which no steps were left.
    static N_OUT_OF_STEPS: Cell<u64> = const { Cell::new(0) };
    /// Steps that the work which goes on may still take.
    static STEPS_LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// A place in time on one thread, from which overflows are noticed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverflowWatch {
    n_before: u64,
    n_out_of_steps: u64,
}

impl OverflowWatch {
    pub(crate) fn start() -> OverflowWatch {
        OverflowWatch { n_before: N_OVERFLOWS.get(), n_out_of_steps: N_OUT_OF_STEPS.get() }
    }

    /// Whether every step since then was answered.
    pub(crate) fn is_clear(self) -> bool {
        N_OVERFLOWS.get() == self.n_before
    }

    /// Takes back what was counted since then: nobody else needs those answers.
    pub(crate) fn forget(self) {
        N_OVERFLOWS.set(self.n_before);
        N_OUT_OF_STEPS.set(self.n_out_of_steps);
    }

    /// An error where some step since then was not answered.
    pub(crate) fn check(self, limits: &Limits) -> Result<(), LimitError> {
        match (self.is_clear(), N_OUT_OF_STEPS.get() == self.n_out_of_steps) {
            (true, _) => Ok(()),
            (false, true) => Err(LimitError { setting: "max_automaton_states", limit: limits.max_automaton_states }),
            (false, false) => Err(out_of_steps(limits)),
        }
    }
}

/// The steps that one mask, one token or one byte may take on this thread, until it is dropped.
#[derive(Debug)]
pub(crate) struct Allowance {
    before: usize,
    granted: usize,
}

impl Allowance {
    pub(crate) fn new(limits: &Limits) -> Allowance {
        let before = STEPS_LEFT.get();
        let granted = limits.max_mask_steps.min(before);
        STEPS_LEFT.set(granted);
        Allowance { before, granted }
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        let n_spent = self.granted - STEPS_LEFT.get();
        STEPS_LEFT.set(self.before - n_spent);
    }
}

/// Takes steps from what is left; an error where that is not enough.
pub(crate) fn spend_or_fail(n_steps: usize, limits: &Limits) -> Result<(), LimitError> {
    let left = STEPS_LEFT.get();
    STEPS_LEFT.set(left.saturating_sub(n_steps));
    if n_steps > left { Err(out_of_steps(limits)) } else { Ok(()) }
}

/// Takes steps from what is left, as far as it goes, for work that cannot fail: whoever takes more is told.
pub(crate) fn charge(n_steps: usize) {
    STEPS_LEFT.set(STEPS_LEFT.get().saturating_sub(n_steps));
}

/// Steps that are left.
pub(super) fn left() -> usize {
    STEPS_LEFT.get()
}

/// Takes steps for an automaton: where no steps are left, there is no answer.
pub(super) fn spend(n_steps: usize) -> bool {
    let left = STEPS_LEFT.get();
    STEPS_LEFT.set(left.saturating_sub(n_steps));
    if n_steps > left {
        N_OUT_OF_STEPS.set(N_OUT_OF_STEPS.get() + 1);
        note();
    }
    n_steps <= left
}

fn out_of_steps(limits: &Limits) -> LimitError {
    LimitError { setting: "max_mask_steps", limit: limits.max_mask_steps }
}

/// How much of a limit on states is taken before the sequences that begin are given a new automaton: those that are on
/// their way go on with what is left.
pub(super) fn nearly(max_states: usize) -> usize {
    max_states - max_states / 8
}

/// Counts a step without an answer.
pub(super) fn note() {
    N_OVERFLOWS.set(N_OVERFLOWS.get() + 1);
}
