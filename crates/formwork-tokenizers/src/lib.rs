//! Which bytes does each token of a real tokenizer stand for? Vocabularies for [`formwork`], and the encoders beside
//! them.
//!
//! Reads Hugging Face `tokenizer.json` files (byte-level, and SentencePiece-style with byte fallback), Mistral's
//! tekken files, and the vocabularies embedded in `tiktoken-rs`. A tokenizer whose tokens have no bytes of their own
//! (WordPiece, where a token's text depends on its neighbours) is refused, never approximated.
//!
//! ```
//! # #[cfg(feature = "tiktoken")] {
//! let tokenizer = formwork_tokenizers::from_name_or_file("cl100k").unwrap();
//! let tokens = tokenizer.encode("Grüße\n");
//! assert_eq!(tokenizer.decode(&tokens), "Grüße\n");
//! assert_eq!(tokenizer.vocabulary().len(), 100_277);
//! # }
//! ```
//!
//! # What is text, and what is not
//!
//! Special and added tokens are never text: a mask never offers them where a grammar asks for text, even where their
//! names would fit. Two kinds of added tokens are exceptions, because tokenizers use them to spell plain text: tokens
//! of nothing but whitespace (Gemma's and GPT-NeoX's runs of newlines, tabs and spaces), and HTML tags that the base
//! vocabulary holds as well (Gemma's `<b>`, `</table>`). See [`LoadOptions`] for stop tokens and the width of the
//! logits.
//!
//! # Features
//!
//! - `huggingface`: `tokenizer.json`, by way of the `tokenizers` crate.
//! - `tekken`: Mistral's tekken JSON.
//! - `tiktoken`: `cl100k`, `o200k` and `o200k_harmony` by name; adds their 5 MB to the binary.
//! - `decode` (off by default): `formwork_decode::TextTokenizer` for [`Tokenizer`].
//!
//! All others are on by default.

#[cfg(feature = "decode")]
mod decode;
mod detect;
mod encoder;
mod entries;
mod error;
#[cfg(feature = "huggingface")]
mod hugging_face;
mod load;
#[cfg(feature = "tekken")]
mod rank_bpe;
mod stop_tokens;
#[cfg(feature = "tekken")]
mod tekken;
#[cfg(feature = "tiktoken")]
mod tiktoken;
mod tokenizer;

use std::path::Path;

pub use crate::error::TokenizerError;
pub use crate::load::LoadOptions;
pub use crate::tokenizer::Tokenizer;

/// Names that [`from_name_or_file`] takes for a vocabulary that is embedded.
pub const EMBEDDED: &[&str] = if cfg!(feature = "tiktoken") { &["cl100k", "o200k", "o200k_harmony"] } else { &[] };

/// Reads a tokenizer file, of whichever kind, with its stop tokens from the configuration files beside it.
///
/// # Errors
/// [`TokenizerError`], with the path.
pub fn from_file(path: impl AsRef<Path>) -> Result<Tokenizer, TokenizerError> {
    LoadOptions::default().from_file(path)
}

/// Reads a tokenizer from the bytes of its file.
///
/// # Errors
/// [`TokenizerError`] when the bytes are no tokenizer, or one that cannot be represented exactly.
pub fn from_bytes(bytes: &[u8]) -> Result<Tokenizer, TokenizerError> {
    LoadOptions::default().from_bytes(bytes)
}

/// An embedded vocabulary by its name (`cl100k`, `o200k`, `o200k_harmony`, with or without `_base`), or else a file.
///
/// # Errors
/// As [`from_file`].
pub fn from_name_or_file(name_or_path: &str) -> Result<Tokenizer, TokenizerError> {
    LoadOptions::default().from_name_or_file(name_or_path)
}
