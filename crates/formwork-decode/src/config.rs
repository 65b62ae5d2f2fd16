//! How is one output to be written? Settings of a run, and the switch that ends it from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sampling::Sampling;

/// Settings of one run.
#[derive(Clone, Debug)]
pub struct GenerationConfig {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens to write at most, forced ones included, the stop token not (default 256). The room in the model's
    /// context is a second bound.
    pub max_tokens: usize,
    /// Texts that end the output where they first appear; they are not part of it. Empty ones are ignored.
    pub stop_strings: Vec<String>,
    /// Whether text that the grammar forces is fed without sampling (default: yes).
    pub fast_forward: bool,
    /// Whether the part of the prompt that the backend has cached from the run before is kept (default: no).
    ///
    /// Saves the pass over a common prompt. Off by default because a pass of another length may round differently, so
    /// the same seed could give another text than in a fresh process.
    pub reuse_prefix: bool,
    /// Whether a [`TokenRecord`](crate::TokenRecord) of each token is kept, with this many of the most probable tokens in
    /// its place (default: no). Copies the logits to the host at each step.
    pub record_top: Option<usize>,
    /// Ends the run from another thread.
    pub cancel: CancelToken,
}

impl Default for GenerationConfig {
    fn default() -> GenerationConfig {
        GenerationConfig {
            sampling: Sampling::default(),
            max_tokens: 256,
            stop_strings: Vec::new(),
            fast_forward: true,
            reuse_prefix: false,
            record_top: None,
            cancel: CancelToken::default(),
        }
    }
}

/// A switch shared by clones: a run that holds it ends before its next forward pass.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Not cancelled yet.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Ends the runs that hold this token; for good.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
