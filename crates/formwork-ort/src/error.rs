//! Why could a model not be loaded? One line each, naming the file or the library.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use formwork_decode::BackendError;
use formwork_tokenizers::TokenizerError;

use crate::library::INSTALL_COMMAND;
use crate::provider::Provider;

/// Longest text taken over from another library's message.
const MAX_REASON_CHARS: usize = 300;

/// Why a model could not be loaded. Always one line of text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// ONNX Runtime's library was not found or could not be opened.
    #[error("ONNX Runtime: {reason}; to install it here: {INSTALL_COMMAND}")]
    Library {
        /// What was looked at and what became of it.
        reason: String,
    },
    /// The process has opened another library already, and there can be only one.
    #[error("ONNX Runtime is loaded from {} already, {} cannot be loaded as well", loaded.display(), asked.display())]
    OtherLibrary {
        /// The library in use.
        loaded: PathBuf,
        /// The one that was asked for.
        asked: PathBuf,
    },
    /// The provider that was asked for cannot be used, and the CPU was not allowed instead.
    #[error("{provider} cannot be used: {reason}")]
    Provider {
        /// What was asked for.
        provider: Provider,
        /// What ONNX Runtime says.
        reason: String,
    },
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
    /// A sound model that cannot be run here.
    #[error("{}: not supported: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported.
        reason: String,
    },
    /// ONNX Runtime fails outside the model's own file.
    #[error("ONNX Runtime: {reason}")]
    Runtime {
        /// What it says.
        reason: String,
    },
    /// The tokenizer could not be loaded.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
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

    pub(crate) fn runtime(reason: impl Display) -> LoadError {
        LoadError::Runtime { reason: one_line(reason) }
    }
}

/// An error of ONNX Runtime's while a model runs.
pub(crate) fn runtime(error: ort::Error) -> BackendError {
    BackendError::runtime(one_line(error))
}

/// The first line of a message, of bounded length.
pub(crate) fn one_line(message: impl Display) -> String {
    let message = message.to_string();
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(MAX_REASON_CHARS).collect()
}
