//! What can go wrong while decoding? One type per party: the backend, the sampling settings, the loop.

use std::error::Error;

use formwork::{MatchError, TokenId};

/// Why a backend could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// A pass needs at least one token.
    #[error("a forward pass needs at least one token")]
    NoTokens,
    /// More positions than the model can hold.
    #[error("{needed} positions are needed, the model's context holds {context_length}")]
    ContextFull {
        /// Positions after the pass.
        needed: usize,
        /// Positions that fit.
        context_length: usize,
    },
    /// A token that the model has no row for.
    #[error("token {token} is outside the model's {width} rows")]
    TokenOutOfRange {
        /// The token.
        token: TokenId,
        /// Rows of the embedding.
        width: usize,
    },
    /// The cache is to be cut to more positions than it holds.
    #[error("cannot cut the cache to {asked} positions: {cached} are cached")]
    Truncate {
        /// Positions to keep.
        asked: usize,
        /// Positions that are there.
        cached: usize,
    },
    /// The model gave logits of a shape that was not expected.
    #[error("the model gave logits of shape {actual:?}, {expected} were expected")]
    LogitsShape {
        /// The shape that came.
        actual: Vec<usize>,
        /// Logits per position.
        expected: usize,
    },
    /// The runtime reports an error of its own.
    #[error("model runtime: {0}")]
    Runtime(#[source] Box<dyn Error + Send + Sync>),
    /// The runtime panicked, and this is what it said.
    #[error("the model runtime panicked: {0}")]
    Panicked(String),
}

impl BackendError {
    /// Wraps what a runtime reports.
    pub fn runtime(error: impl Into<Box<dyn Error + Send + Sync>>) -> BackendError {
        BackendError::Runtime(error.into())
    }
}

/// A sampling setting with a value outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{setting} is {value}, it must be {range}")]
pub struct SamplingError {
    /// The field of [`Sampling`](crate::Sampling).
    pub setting: &'static str,
    /// The value that was given.
    pub value: f64,
    /// What is possible, in words.
    pub range: &'static str,
}

/// Why an output could not be continued. The sequence is as it was before the step that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A sampling setting is out of range.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The grammar's engine failed.
    #[error(transparent)]
    Match(#[from] MatchError),
    /// A prompt needs at least one token; models have a start token for an empty text.
    #[error("the prompt has no token")]
    EmptyPrompt,
    /// The prompt fills the model's context.
    #[error("the prompt has {n_tokens} tokens and leaves no room in the model's context of {context_length}")]
    PromptTooLong {
        /// Tokens of the prompt.
        n_tokens: usize,
        /// Positions that the model can hold.
        context_length: usize,
    },
    /// The text cannot be completed within the budget, which it must be: see
    /// [`GenerationConfig::always_complete`](crate::GenerationConfig::always_complete).
    #[error("the text takes {least} tokens to be complete, and {budget} may be written")]
    BudgetTooSmall {
        /// Tokens of the text that was found to complete it, those that are written already included.
        least: usize,
        /// Tokens that may be written: [`max_tokens`](crate::GenerationConfig::max_tokens), or the room in the context.
        budget: usize,
    },
    /// After masking, no logit is left to choose: the mask is empty, or the logits are NaN.
    #[error("no token can be chosen: of {width} logits, {n_allowed} are allowed and {n_nan} are not a number")]
    NoCandidate {
        /// Logits of the position.
        width: usize,
        /// Bits set in the mask, within the width.
        n_allowed: usize,
        /// Logits that are NaN.
        n_nan: usize,
    },
}
