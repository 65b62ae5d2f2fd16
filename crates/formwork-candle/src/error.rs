//! Why could a model not be loaded, or a prompt not be made? One line each, naming the file.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use formwork_decode::BackendError;
use formwork_tokenizers::TokenizerError;

/// Longest text taken over from another library's message.
const MAX_REASON_CHARS: usize = 300;

/// Why a model could not be loaded. Always one line of text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// What a file holds is broken, or does not fit the other files.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file; of files in memory, the name that it has in a folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A sound model that cannot be run exactly.
    #[error("{}: not supported: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported.
        reason: String,
    },
    /// The tokenizer could not be loaded.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The chat template could not be read.
    #[error(transparent)]
    Chat(#[from] ChatError),
}

impl LoadError {
    pub(crate) fn malformed(path: &Path, reason: impl Display) -> LoadError {
        LoadError::Malformed { path: path.to_owned(), reason: one_line(reason) }
    }

    pub(crate) fn unsupported(path: &Path, reason: impl Display) -> LoadError {
        LoadError::Unsupported { path: path.to_owned(), reason: one_line(reason) }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> LoadError {
        LoadError::Io { path: path.to_owned(), source }
    }
}

/// Why a chat template could not be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chat template: {reason}")]
pub struct ChatError {
    /// What the template engine, or the template itself, says.
    pub reason: String,
}

impl ChatError {
    pub(crate) fn new(reason: impl Display) -> ChatError {
        ChatError { reason: one_line(reason) }
    }
}

/// An error of candle's while it runs.
pub(crate) fn runtime(error: candle_core::Error) -> BackendError {
    BackendError::runtime(one_line(error))
}

/// The first line of a message, of bounded length: candle's messages may carry a backtrace below.
pub(crate) fn one_line(message: impl Display) -> String {
    let message = message.to_string();
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(MAX_REASON_CHARS).collect()
}
