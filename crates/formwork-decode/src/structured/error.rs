//! Why is there no value?

use formwork::CompileError;

use crate::error::DecodeError;
use crate::generate::Generation;
use crate::partial::PartialJsonError;
use crate::sequence::FinishReason;

/// Why a value could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StructuredError {
    /// The schema is refused.
    #[error("the schema of {type_name}: {source}")]
    Schema {
        /// The Rust type.
        type_name: &'static str,
        /// What is refused, where, and why.
        source: CompileError,
    },
    /// The loop failed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The output ended before its value was complete.
    #[error("the value is not complete: {}", reason(.generation.finish))]
    Incomplete {
        /// What there is of it.
        generation: Box<Generation>,
    },
    /// The text cannot be read as it comes: nested too deeply, or not JSON. The run was ended there.
    #[error("{source}")]
    Text {
        /// What is wrong with it.
        source: PartialJsonError,
        /// The output up to there.
        generation: Box<Generation>,
    },
    /// The type refuses a value that its schema allows: its `Deserialize` asks for more, or the text is nested too deeply.
    #[error("{type_name} refuses the output: {source}")]
    Value {
        /// The Rust type.
        type_name: &'static str,
        /// Why it is refused.
        source: serde_json::Error,
        /// The output.
        generation: Box<Generation>,
    },
}

impl StructuredError {
    /// The output that no value could be read from, where there is one.
    pub fn generation(&self) -> Option<&Generation> {
        match self {
            StructuredError::Schema { .. } | StructuredError::Decode(_) => None,
            StructuredError::Incomplete { generation }
            | StructuredError::Text { generation, .. }
            | StructuredError::Value { generation, .. } => Some(generation),
        }
    }
}

fn reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop => "the output ended",
        FinishReason::StopString { .. } => "a stop string came up",
        FinishReason::Length => "the tokens are used up",
        FinishReason::Cancelled => "the run was cancelled",
    }
}
