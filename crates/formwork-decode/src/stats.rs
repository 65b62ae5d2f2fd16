//! What did a run cost? Counts and times.

use std::time::{Duration, Instant};

/// Counts and times of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the prompt whose pass was saved, because the backend had them cached.
    pub cached_prompt_tokens: usize,
    /// Tokens written, forced ones included, the stop token not.
    pub tokens: usize,
    /// Tokens that the grammar forced: no mask, no sampling, no pass of their own.
    pub forced_tokens: usize,
    /// Tokens that are not what the model chose first, as that could not have been completed within the budget.
    pub steered_tokens: usize,
    /// Forward passes.
    pub forward_passes: usize,
    /// Bytes of masks that went to a device.
    pub mask_bytes: usize,
    /// Time until the first token was chosen.
    pub first_token: Duration,
    /// Time in the backend's forward pass. A backend with a queue may do part of the work later, under `sampling`.
    pub model: Duration,
    /// Time on the grammar: masks filled and applied, tokens accepted, forced text found.
    pub mask: Duration,
    /// Time choosing tokens.
    pub sampling: Duration,
    /// Time from start to end, callbacks included.
    pub total: Duration,
}

impl RunStats {
    /// Tokens written per second, from start to end; 0 before any time has passed.
    pub fn tokens_per_second(&self) -> f64 {
        ratio(self.tokens as f64, self.total.as_secs_f64())
    }

    /// The share of the whole time that was spent on the grammar, from 0 to 1.
    pub fn mask_share(&self) -> f64 {
        ratio(self.mask.as_secs_f64(), self.total.as_secs_f64())
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Runs `work` and adds its time to `total`.
pub(crate) fn timed<T>(total: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *total += start.elapsed();
    result
}
