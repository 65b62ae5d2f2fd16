//! Where is one sequence? The state of one output, one verb per file.
//!
//! A matcher holds a handle into its grammar's memory and the handles of earlier steps: a fork is a copy, a rollback a
//! pop. All work that depends on the position alone is kept with the grammar and done once for all matchers.

mod accept;
mod batch;
mod complete;
mod fast_forward;
mod fill;
mod history;
mod probe;
mod rollback;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

pub use self::batch::fill_masks;
use self::history::History;
use crate::compiler::{CompiledGrammar, SharedGeneration};
use crate::error::MatchError;
use crate::mask::{Adoption, Generation, Handle};

/// The state of one sequence: small, cheap to clone (that is a fork) and to roll back.
#[derive(Clone)]
pub struct Matcher {
    grammar: Arc<CompiledGrammar>,
    generation: SharedGeneration,
    handle: Handle,
    /// Where the sequence was before each accepted step.
    history: History,
    /// Whether the last step was a stop token.
    stopped: bool,
}

impl Matcher {
    pub(crate) fn new(grammar: Arc<CompiledGrammar>) -> Matcher {
        let generation = grammar.generation_to_begin_with();
        let handle = generation.write().unwrap_or_else(PoisonError::into_inner).start();
        Matcher { grammar, generation, handle, history: History::default(), stopped: false }
    }

    /// The grammar.
    pub fn grammar(&self) -> &Arc<CompiledGrammar> {
        &self.grammar
    }

    /// A second matcher in the same state; the same as `clone`.
    pub fn fork(&self) -> Matcher {
        self.clone()
    }

    /// Whether the text so far is complete: a stop token is allowed.
    pub fn is_accepting(&self) -> bool {
        !self.stopped && self.read().is_accepting(self.handle)
    }

    /// Whether nothing but a stop token can follow, or one was accepted.
    pub fn is_finished(&self) -> bool {
        self.stopped || !self.read().can_go_on(self.handle)
    }

    /// Whether a stop token was accepted.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Accepted steps that can be rolled back.
    pub fn n_steps(&self) -> usize {
        self.history.len()
    }

    fn read(&self) -> RwLockReadGuard<'_, Generation> {
        self.generation.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Generation> {
        self.generation.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves to the grammar's next generation when the present one has met its limit.
    fn renew(&mut self) -> Result<(), MatchError> {
        if !self.read().is_full() {
            return Ok(());
        }
        let next = self.grammar.generation_after(&self.generation);
        let mut adoption = Adoption::default();
        let handle = {
            let old = self.generation.read().unwrap_or_else(PoisonError::into_inner);
            let mut new = next.write().unwrap_or_else(PoisonError::into_inner);
            new.adopt(&old, self.handle, &mut adoption)?
        };
        self.history.leave(&self.generation, adoption)?;
        self.handle = handle;
        self.generation = next;
        Ok(())
    }

    /// Records a step.
    fn advance(&mut self, handle: Handle) {
        // The step is taken: what cannot be taken over now is asked for by the next step again, or by a rollback.
        let _ = self.history.take_over_some(&self.generation);
        self.history.push(self.handle, self.grammar.limits().max_history);
        self.handle = handle;
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher")
            .field("handle", &self.handle)
            .field("n_steps", &self.history.len())
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}
