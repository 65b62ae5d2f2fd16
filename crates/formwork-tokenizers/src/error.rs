//! What can go wrong while a tokenizer is read?

use std::io;
use std::path::PathBuf;

use formwork::VocabularyError;

/// Longest text taken over from another library's message.
const MAX_REASON_CHARS: usize = 200;

/// Why a tokenizer could not be loaded. Always one line of text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Something is wrong with what a file holds.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<TokenizerError>,
    },
    /// The bytes are no tokenizer of a known kind.
    #[error("not a tokenizer file: {0}")]
    NotATokenizer(String),
    /// A tokenizer of a kind that cannot be represented exactly, or whose feature is switched off.
    #[error("unsupported tokenizer: {0}")]
    Unsupported(String),
    /// A tokenizer file of a known kind that contradicts itself.
    #[error("malformed tokenizer: {0}")]
    Malformed(String),
    /// The file is larger than any tokenizer.
    #[error("{actual} bytes are too many for a tokenizer file: the limit is {limit}")]
    TooLarge {
        /// Its size.
        actual: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// A stop token that was asked for is not in the vocabulary.
    #[error("stop token {0} is not in the vocabulary")]
    UnknownStopToken(String),
    /// The entries make no vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
}

impl TokenizerError {
    /// The error with the path it belongs to.
    pub(crate) fn at(self, path: impl Into<PathBuf>) -> TokenizerError {
        match self {
            error @ (TokenizerError::Io { .. } | TokenizerError::File { .. }) => error,
            error => TokenizerError::File { path: path.into(), source: Box::new(error) },
        }
    }

    #[cfg(any(feature = "huggingface", feature = "tekken"))]
    pub(crate) fn malformed(reason: impl std::fmt::Display) -> TokenizerError {
        TokenizerError::Malformed(one_line(&reason.to_string()))
    }

    pub(crate) fn not_a_tokenizer(reason: impl std::fmt::Display) -> TokenizerError {
        TokenizerError::NotATokenizer(one_line(&reason.to_string()))
    }
}

/// Another library's message as one line of bounded length.
fn one_line(message: &str) -> String {
    message
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(MAX_REASON_CHARS)
        .collect()
}
