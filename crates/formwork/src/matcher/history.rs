//! Where was the sequence before each step? Positions for rollbacks, taken into a new generation little by little.
//!
//! A long text has many of them. Were all taken over when a generation begins, one step in thousands would take as long as
//! all the text; as they are taken over a few with each step, the latest first, none does. Until that is done the older
//! generation stays alive.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::compiler::SharedGeneration;
use crate::error::LimitError;
use crate::mask::{Adoption, Handle};

/// Positions taken over with a step, at least.
const MIN_PER_STEP: usize = 4;
/// The part of them that is taken over with a step, where that is more.
const STEPS_FOR_MOST: usize = 1_024;

/// Positions for which there is room with the first one: few texts are of fewer tokens.
const FIRST_ROOM: usize = 32;

/// The positions before each step that can be rolled back.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    older: Option<Older>,
    /// In the matcher's generation.
    recent: VecDeque<Handle>,
}

/// Positions of the generation before the matcher's.
#[derive(Clone, Debug)]
struct Older {
    generation: SharedGeneration,
    handles: Arc<[Handle]>,
    /// Which of them were neither taken over nor forgotten.
    left: Range<usize>,
    /// What forks have taken over already.
    adoption: Arc<Mutex<Adoption>>,
}

impl Older {
    fn adopt(&self, index: usize, into: &SharedGeneration) -> Result<Handle, LimitError> {
        // The older of two generations is always locked first.
        let old = self.generation.read().unwrap_or_else(PoisonError::into_inner);
        let mut new = into.write().unwrap_or_else(PoisonError::into_inner);
        let mut adoption = self.adoption.lock().unwrap_or_else(PoisonError::into_inner);
        new.adopt(&old, self.handles[index], &mut adoption)
    }
}

impl History {
    /// Steps that can be rolled back.
    pub(super) fn len(&self) -> usize {
        self.n_older() + self.recent.len()
    }

    fn n_older(&self) -> usize {
        self.older.as_ref().map_or(0, |older| older.left.len())
    }

    /// Adds a position; where there are `max` already the older half is forgotten, so that forgetting is spread over many
    /// steps.
    pub(super) fn push(&mut self, handle: Handle, max: usize) {
        if self.len() >= max {
            self.forget(max.div_ceil(2).min(self.len()));
        }
        if max > 0 {
            if self.recent.capacity() == 0 {
                self.recent.reserve(FIRST_ROOM.min(max));
            }
            self.recent.push_back(handle);
        }
    }

    fn forget(&mut self, n_steps: usize) {
        let of_older = n_steps.min(self.n_older());
        if let Some(older) = &mut self.older {
            older.left.start += of_older;
        }
        self.recent.drain(..n_steps - of_older);
        self.drop_older_if_done();
    }

    /// Takes back all but the first `n_kept` positions, which are fewer than there are; returns the first of the others.
    pub(super) fn cut(&mut self, n_kept: usize, generation: &SharedGeneration) -> Result<Handle, LimitError> {
        let n_older = self.n_older();
        let handle = match &mut self.older {
            Some(older) if n_kept < n_older => {
                let first = older.left.start + n_kept;
                let handle = older.adopt(first, generation)?;
                older.left.end = first;
                handle
            }
            _ => self.recent[n_kept - n_older],
        };
        self.recent.truncate(n_kept.saturating_sub(n_older));
        self.drop_older_if_done();
        Ok(handle)
    }

    /// Takes some older positions into the matcher's generation.
    pub(super) fn take_over_some(&mut self, generation: &SharedGeneration) -> Result<(), LimitError> {
        match self.n_older() {
            0 => Ok(()),
            n_left => self.take_over(MIN_PER_STEP.max(n_left / STEPS_FOR_MOST).min(n_left), generation),
        }
    }

    fn take_over(&mut self, n_steps: usize, generation: &SharedGeneration) -> Result<(), LimitError> {
        let Some(older) = &mut self.older else { return Ok(()) };
        for _ in 0..n_steps {
            let handle = older.adopt(older.left.end - 1, generation)?;
            older.left.end -= 1;
            self.recent.push_front(handle);
        }
        self.drop_older_if_done();
        Ok(())
    }

    /// The matcher leaves a generation for a newer one, into which `adoption` has taken its position already.
    pub(super) fn leave(&mut self, generation: &SharedGeneration, adoption: Adoption) -> Result<(), LimitError> {
        self.take_over(self.n_older(), generation)?;
        let handles: Arc<[Handle]> = std::mem::take(&mut self.recent).into_iter().collect();
        let (left, adoption) = (0..handles.len(), Arc::new(Mutex::new(adoption)));
        self.older = Some(Older { generation: Arc::clone(generation), handles, left, adoption });
        self.drop_older_if_done();
        Ok(())
    }

    fn drop_older_if_done(&mut self) {
        if self.n_older() == 0 {
            self.older = None;
        }
    }
}
