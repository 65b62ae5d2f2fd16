//! How does a Hugging Face tokenizer cut text? Its own pipeline, and its merges without all that changes the text.

use serde_json::Value;
use tokenizers::{
    Model, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper, Tokenizer,
};

use super::contained::contained;
use super::decoder::TokenText;
use crate::encoder::Encoder;
use crate::error::TokenizerError;

/// The encoder of a `tokenizer.json`.
pub(super) struct HuggingFaceEncoder {
    tokenizer: Tokenizer,
    /// The file's pre-tokenizer, without the space that it may put in front of a text.
    unprefixed: Option<PreTokenizerWrapper>,
    /// Replacements that the normaliser makes and the decoder takes back: what stands in the text, what in the file.
    replacements: Vec<(String, String)>,
}

impl HuggingFaceEncoder {
    pub(super) fn new(mut tokenizer: Tokenizer, token_text: &TokenText) -> Result<HuggingFaceEncoder, TokenizerError> {
        tokenizer.with_truncation(None).map_err(TokenizerError::malformed)?;
        tokenizer.with_padding(None);
        let unprefixed = tokenizer.get_pre_tokenizer().map(without_prefix).transpose()?;
        let replacements = match token_text {
            TokenText::ByteLevel(_) => Vec::new(),
            TokenText::SentencePiece { replacements, .. } => {
                let invert = |(from, to): &(String, String)| (to.clone(), from.clone());
                replacements.iter().rev().map(invert).filter(|(from, _)| !from.is_empty()).collect()
            }
        };
        Ok(HuggingFaceEncoder { tokenizer, unprefixed, replacements })
    }

    /// The whole pipeline; `add_special` as well puts around the text what the file says belongs there.
    fn run(&self, text: &str, add_special: bool) -> Option<Vec<u32>> {
        let encoding = contained(|| self.tokenizer.encode_fast(text, add_special).ok())??;
        Some(encoding.get_ids().to_vec())
    }
}

impl Encoder for HuggingFaceEncoder {
    fn encode(&self, text: &str) -> Option<Vec<u32>> {
        self.run(text, false)
    }

    fn encode_with_special(&self, text: &str) -> Option<Vec<u32>> {
        self.run(text, false)
    }

    fn encode_document(&self, text: &str) -> Option<Vec<u32>> {
        self.run(text, true)
    }

    /// Pre-tokenizer and model alone: no normalisation, no added tokens, no space in front.
    fn encode_unchanged(&self, text: &str) -> Option<Vec<u32>> {
        let replace = |text: String, (from, to): &(String, String)| text.replace(from, to);
        let text = self.replacements.iter().fold(text.to_owned(), replace);
        let mut pieces = PreTokenizedString::from(text);
        if let Some(pre_tokenizer) = &self.unprefixed {
            contained(|| pre_tokenizer.pre_tokenize(&mut pieces).ok())??;
        }
        let tokenize = |pieces: &mut PreTokenizedString| {
            pieces.tokenize(|piece| self.tokenizer.get_model().tokenize(piece.get())).ok()
        };
        contained(|| tokenize(&mut pieces))??;
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::None);
        Some(splits.into_iter().filter_map(|(_, _, tokens)| tokens.as_ref()).flatten().map(|token| token.id).collect())
    }
}

/// The same pre-tokenizer without a space in front of the text.
fn without_prefix(pre_tokenizer: &PreTokenizerWrapper) -> Result<PreTokenizerWrapper, TokenizerError> {
    let mut value = serde_json::to_value(pre_tokenizer).map_err(TokenizerError::malformed)?;
    switch_prefix_off(&mut value);
    if let Some(steps) = value.get_mut("pretokenizers").and_then(Value::as_array_mut) {
        steps.iter_mut().for_each(switch_prefix_off);
    }
    serde_json::from_value(value).map_err(TokenizerError::malformed)
}

fn switch_prefix_off(step: &mut Value) {
    if let Some(add_prefix_space) = step.get_mut("add_prefix_space") {
        *add_prefix_space = Value::Bool(false);
    }
    if let Some(prepend_scheme) = step.get_mut("prepend_scheme") {
        *prepend_scheme = Value::from("never");
    }
}
