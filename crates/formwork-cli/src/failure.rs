//! How does a command fail? With one line for the user, or because nobody reads its output.

use std::error::Error;
use std::io;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something that the user gave cannot be used; the text is one line.
    BadInput(String),
    /// Standard output was closed, as `head` does.
    ClosedPipe,
}

impl Failure {
    /// A failure from text, which is made one line.
    pub(crate) fn new(message: impl std::fmt::Display) -> Failure {
        Failure::BadInput(message.to_string().replace(['\n', '\r'], " "))
    }

    /// A failure that names what it is about: a file, an option.
    pub(crate) fn about(subject: impl std::fmt::Display, error: impl std::fmt::Display) -> Failure {
        Failure::new(format!("{subject}: {error}"))
    }
}

/// Errors of libraries, with all their causes, are failures as they stand.
macro_rules! from_library_error {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::new(with_causes(&error))
            }
        })+
    };
}

from_library_error!(
    formwork::CompileError,
    formwork::MatchError,
    formwork::VocabularyError,
    formwork_candle::ChatError,
    formwork_candle::LoadError,
    formwork_decode::DecodeError,
    formwork_tokenizers::TokenizerError,
);

#[cfg(feature = "ort")]
from_library_error!(formwork_ort::LoadError);

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::about("standard output", error),
        }
    }
}

/// An error's text, followed by causes that the text does not tell already.
fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}
