//! How is a tokenizer loaded? The options a caller has, and the way from a file to a [`Tokenizer`].

use std::fs;
use std::path::Path;
use std::sync::Arc;

use formwork::TokenId;

use crate::detect::{FileKind, detect};
use crate::encoder::Parsed;
use crate::error::TokenizerError;
#[cfg(feature = "huggingface")]
use crate::hugging_face::load as load_hugging_face;
use crate::stop_tokens::StopHints;
#[cfg(feature = "tekken")]
use crate::tekken::load as load_tekken;
use crate::tokenizer::Tokenizer;

/// Largest tokenizer file that is read; the largest in use (Gemma's) has 33 MB.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// What a caller may say about a tokenizer that its file does not.
///
/// **Stop tokens.** Without any named here they are those that `generation_config.json` beside the file lists; else
/// those of `config.json` and `tokenizer_config.json` and all special tokens of a well-known name (`<|im_end|>`,
/// `</s>`, ...).
///
/// **Logits width.** A model's logits are often wider than its vocabulary (151,936 rows for Qwen's 151,665 tokens),
/// and sometimes narrower. Rows without a token are never in a mask; tokens without a row are dropped. This is the
/// only place that deals with it.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    stop_tokens: StopHints,
    logits_width: Option<usize>,
}

impl LoadOptions {
    /// Nothing said.
    pub fn new() -> LoadOptions {
        LoadOptions::default()
    }

    /// Names a stop token, such as `<|im_end|>`. May be called several times; overrides all that is found out.
    #[must_use]
    pub fn stop_token(mut self, name: impl Into<String>) -> LoadOptions {
        self.stop_tokens.names.push(name.into());
        self.stop_tokens.complete = true;
        self
    }

    /// Names a stop token by its id. May be called several times; overrides all that is found out.
    #[must_use]
    pub fn stop_token_id(mut self, id: TokenId) -> LoadOptions {
        self.stop_tokens.ids.push(id.get());
        self.stop_tokens.complete = true;
        self
    }

    /// The model's logits are `n` wide.
    #[must_use]
    pub fn logits_width(mut self, n: usize) -> LoadOptions {
        self.logits_width = Some(n);
        self
    }

    /// Reads a tokenizer file, of whichever kind.
    ///
    /// # Errors
    /// [`TokenizerError`], with the path.
    pub fn from_file(&self, path: impl AsRef<Path>) -> Result<Tokenizer, TokenizerError> {
        let path = path.as_ref();
        let bytes = read_bounded(path)?;
        let hints = if self.stop_tokens.complete { StopHints::default() } else { StopHints::beside(path)? };
        self.parse(&bytes, &hints).map_err(|error| error.at(path))
    }

    /// Reads a tokenizer from the bytes of its file.
    ///
    /// # Errors
    /// [`TokenizerError`] when the bytes are no tokenizer, or one that cannot be represented exactly.
    pub fn from_bytes(&self, bytes: &[u8]) -> Result<Tokenizer, TokenizerError> {
        self.parse(bytes, &StopHints::default())
    }

    /// An embedded vocabulary by its name, or else a file.
    ///
    /// # Errors
    /// As [`LoadOptions::from_file`].
    pub fn from_name_or_file(&self, name_or_path: &str) -> Result<Tokenizer, TokenizerError> {
        #[cfg(feature = "tiktoken")]
        if let Some(parsed) = crate::tiktoken::load(name_or_path)? {
            return self.finish(parsed, &StopHints::default());
        }
        self.from_file(name_or_path)
    }

    fn parse(&self, bytes: &[u8], hints: &StopHints) -> Result<Tokenizer, TokenizerError> {
        let parsed = match detect(bytes)? {
            FileKind::HuggingFace => load_hugging_face(bytes)?,
            FileKind::Tekken => load_tekken(bytes)?,
        };
        self.finish(parsed, hints)
    }

    fn finish(&self, parsed: Parsed, hints: &StopHints) -> Result<Tokenizer, TokenizerError> {
        let stop_ids = if self.stop_tokens.complete {
            self.stop_tokens.resolve(&parsed.entries, true)?
        } else {
            hints.resolve(&parsed.entries, false)?
        };
        let vocabulary = parsed.entries.build(&stop_ids, self.logits_width)?;
        Ok(Tokenizer::new(Arc::new(vocabulary), parsed.encoder))
    }
}

/// A file's bytes; an error beyond [`MAX_FILE_BYTES`].
fn read_bounded(path: &Path) -> Result<Vec<u8>, TokenizerError> {
    let io_error = |source| TokenizerError::Io { path: path.to_owned(), source };
    let n_bytes = fs::metadata(path).map_err(io_error)?.len();
    if n_bytes > MAX_FILE_BYTES {
        return Err(TokenizerError::TooLarge { actual: n_bytes, limit: MAX_FILE_BYTES }.at(path));
    }
    fs::read(path).map_err(io_error)
}

#[cfg(not(feature = "huggingface"))]
fn load_hugging_face(_: &[u8]) -> Result<Parsed, TokenizerError> {
    Err(TokenizerError::Unsupported("a Hugging Face tokenizer.json; the feature `huggingface` is off".to_owned()))
}

#[cfg(not(feature = "tekken"))]
fn load_tekken(_: &[u8]) -> Result<Parsed, TokenizerError> {
    Err(TokenizerError::Unsupported("a tekken file; the feature `tekken` is off".to_owned()))
}
