//! How does a model's output become text that a grammar allows? Backends, samplers, and the generation loop.
//!
//! - A [`Backend`] feeds tokens to a model and gives the [`Logits`] of the last position. It applies masks on the
//!   device where the logits are.
//! - A [`Constraint`] says which tokens may come next: a [`Matcher`](formwork::Matcher), or [`Unconstrained`].
//! - A [`Sampler`] picks a token from masked logits, as [`Sampling`] says.
//! - A [`Sequence`] is one output being written. It knows no backend: it says which tokens to feed next and takes
//!   logits, so a driver of batches can hold many.
//! - [`generate_speculative`] lets a [`Drafter`] propose tokens and checks several in one pass.
//! - A [`Batch`] drives many sequences on a [`BatchBackend`].
//! - [`beam_search`] follows the most probable outputs at once.
//! - [`best_of`] writes several outputs and ranks them.
//! - A [`Pipeline`] answers a list of prompts in one call.
//! - [`generate`] drives one sequence on one backend to its end; [`generate_streaming`] hands out text as it comes.
//!
//! The mask is always applied before any sampling. Text that the grammar forces is fed in one forward pass together
//! with the token before it, and costs no sampling.
//!
//! ```no_run
//! use formwork::{Compiler, Grammar};
//! use formwork_decode::{Backend, DecodeError, GenerationConfig, Sampling, Sequence, TextTokenizer, generate};
//!
//! fn answer(backend: &mut dyn Backend, tokenizer: &dyn TextTokenizer) -> Result<String, Box<dyn std::error::Error>> {
//!     let compiled = Compiler::new(tokenizer.vocabulary().clone()).compile(&Grammar::json_object())?;
//!     let sampling = Sampling { temperature: 0.7, seed: 7, ..Sampling::default() };
//!     let config = GenerationConfig { max_tokens: 200, sampling, ..GenerationConfig::default() };
//!     let prompt = tokenizer.encode_with_special("Describe a book as JSON.");
//!     let sequence = Sequence::constrained(tokenizer, &prompt, compiled.matcher(), &config)?;
//!     Ok(generate(backend, sequence)?.text)
//! }
//! ```
//!
//! **Features.** `structured`, off by default, brings schemars, serde and serde_json: `generate_structured` writes values
//! of Rust types, and `PartialJson` shows what is certain of a JSON text while it is written.

mod backend;
mod batch;
mod beam;
mod best_of;
mod config;
mod constraint;
mod error;
mod forced;
mod generate;
mod host;
#[cfg(feature = "structured")]
mod partial;
mod pipeline;
mod record;
mod resident;
mod sampling;
mod sequence;
mod speculative;
mod stats;
mod steering;
#[cfg(feature = "structured")]
mod structured;
mod text;
mod tokenizer;

#[cfg(test)]
mod scripted;

pub use crate::backend::{Backend, Logits, TopLogits};
pub use crate::batch::{Batch, BatchBackend, Departure, RowResult, SequenceId};
pub use crate::beam::{Hypothesis, beam_search};
pub use crate::best_of::{Scored, best_of};
pub use crate::config::{CancelToken, GenerationConfig};
pub use crate::constraint::{Constraint, Unconstrained};
pub use crate::error::{BackendError, DecodeError, SamplingError};
pub use crate::forced::ForcedText;
pub use crate::generate::{Chunk, Generation, generate, generate_streaming};
pub use crate::host::{HostLogits, greatest, mask_by_parts, mask_by_row, mask_logits};
#[cfg(feature = "structured")]
pub use crate::partial::{
    ElementCursor, JsonFault, PartialJson, PartialJsonError, PartialKind, PartialValue, TextCursor,
};
pub use crate::pipeline::{Pipeline, PipelineError, response_format};
pub use crate::record::TokenRecord;
pub use crate::resident::ResidentRows;
pub use crate::sampling::{Candidate, Sampler, Sampling};
pub use crate::sequence::{FinishReason, Sequence};
pub use crate::speculative::{Draft, DraftModel, DraftPath, DraftStats, Drafter, PromptLookup, generate_speculative};
pub use crate::stats::RunStats;
#[cfg(feature = "structured")]
pub use crate::structured::{
    Structured, StructuredError, StructuredGeneration, generate_json, generate_structured,
    generate_structured_streaming,
};
pub use crate::text::{StopMatch, TextStream};
pub use crate::tokenizer::{TextTokenizer, encode_valid_prefix};
