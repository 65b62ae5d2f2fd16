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
    /// Whether the text is complete when `max_tokens` are written (default: no).
    ///
    /// Each token must then leave enough of the budget to complete the text ([`Constraint::completion`]); a token that does not
    /// is refused and another one is drawn, and after some refusals the completion that is known is followed. So free tokens
    /// are the model's as long as there is room, and the text closes in time. A budget below the least is an error before the
    /// first token, [`DecodeError::BudgetTooSmall`]. Costs about as much per token as reading the completion; kept by the grammar.
    /// Where the engine meets a limit on the way, the known completion is followed too, instead of an error.
    /// A stop string still ends the output where it comes up. [`beam_search`](crate::beam_search) has no such setting.
    ///
    /// [`Constraint::completion`]: crate::Constraint::completion
    /// [`DecodeError::BudgetTooSmall`]: crate::DecodeError::BudgetTooSmall
    pub always_complete: bool,
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
            always_complete: false,
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
