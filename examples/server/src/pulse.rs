//! Is the model alive? When its thread began the pass that it is in.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Set by the model's thread, read by whoever wants to hand it something.
#[derive(Debug, Default)]
pub(crate) struct Pulse(Mutex<Option<Instant>>);

impl Pulse {
    /// Runs one pass.
    pub(crate) fn during<T>(&self, pass: impl FnOnce() -> T) -> T {
        self.set(Some(Instant::now()));
        let result = pass();
        self.set(None);
        result
    }

    /// Whether the model has been in one pass for longer than `limit`.
    pub(crate) fn is_stuck(&self, limit: Duration) -> bool {
        let began = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        began.is_some_and(|began| began.elapsed() > limit)
    }

    fn set(&self, began: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = began;
    }
}
