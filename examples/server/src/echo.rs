//! What does a model say whose answers must be known? Its prompt back, byte by byte: for tests and fuzzing.
//!
//! Its tokens are the 256 bytes, a mark between prompt and answer, a stop token, and control tokens on request. What else
//! a row does at some place is its user's business: it may fail, wait or panic there.

use std::error::Error;

use formwork::TokenId;
use formwork_decode::{BackendError, BatchBackend, HostLogits, RowResult};
use formwork_tokenizers::Tokenizer;
use serde_json::{Map, Value, json};

use crate::model::{PromptTemplate, ServedModel};

/// Stands between a prompt and its answer.
pub const MARK: &str = "<|answer|>";
const MARK_ID: u32 = 256;
const STOP: &str = "<|im_end|>";
const STOP_ID: u32 = 257;

const CONTEXT_LENGTH: usize = 4096;

/// A model of `n_rows` rows that says what it is asked, as far as a grammar lets it, and then stops.
///
/// `disturb` runs before each pass of a row, with the prompt and the number of tokens that were fed behind it; its error is
/// the row's. `source` is the text of a chat template, which tells how calls are written, and `special` are names of control
/// tokens.
pub fn model<F>(n_rows: usize, source: &str, special: &[&str], disturb: F) -> ServedModel
where
    F: FnMut(&str, usize) -> Result<(), BackendError> + Send + 'static,
{
    let tokenizer = tokenizer(special);
    let width = tokenizer.vocabulary().len();
    ServedModel {
        name: "echo".to_owned(),
        backend: Box::new(EchoModel { rows: vec![Vec::new(); n_rows], width, disturb }),
        tokenizer,
        template: Some(Box::new(EchoTemplate(source.to_owned()))),
    }
}

/// A byte-level tokenizer without merges, whose ids are the bytes.
fn tokenizer(special: &[&str]) -> Tokenizer {
    let mut next = 256;
    // The characters that such files have for bytes: themselves where they can be printed.
    let mut character = |byte: u8| match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
        _ => {
            next += 1;
            char::from_u32(next - 1).expect("a few characters behind the first 256")
        }
    };
    let vocabulary: Map<String, Value> = (0..=u8::MAX).map(|byte| (character(byte).to_string(), byte.into())).collect();
    let names = [MARK, STOP].iter().chain(special);
    let added: Vec<Value> = (MARK_ID..)
        .zip(names)
        .map(|(id, name)| {
            json!({
                "id": id, "content": name, "special": true, "normalized": false, "lstrip": false, "rstrip": false,
                "single_word": false,
            })
        })
        .collect();
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    let file = json!({
        "version": "1.0", "added_tokens": added, "normalizer": null, "pre_tokenizer": byte_level,
        "post_processor": null, "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    });
    formwork_tokenizers::from_bytes(file.to_string().as_bytes()).expect("it is a tokenizer's file")
}

/// The texts of all messages, and the mark.
struct EchoTemplate(String);

impl PromptTemplate for EchoTemplate {
    fn source(&self) -> String {
        self.0.clone()
    }

    fn render(&self, messages: &Value, _tools: Option<&Value>) -> Result<String, Box<dyn Error + Send + Sync>> {
        let texts = messages.as_array().into_iter().flatten().filter_map(|message| message.get("content")?.as_str());
        Ok(texts.collect::<Vec<_>>().join("\n") + MARK)
    }
}

struct EchoModel<F> {
    /// The tokens of each row.
    rows: Vec<Vec<TokenId>>,
    width: usize,
    disturb: F,
}

impl<F: FnMut(&str, usize) -> Result<(), BackendError>> EchoModel<F> {
    fn forward(&mut self, row: usize, tokens: &[TokenId]) -> RowResult {
        self.check_pass(row, tokens)?;
        let text = [&self.rows[row], tokens].concat();
        let n_prompt = text.iter().position(|token| token.get() == MARK_ID).unwrap_or(text.len());
        let (prompt, answer) = (&text[..n_prompt], text.get(n_prompt + 1..).unwrap_or_default());
        let bytes: Vec<u8> = prompt.iter().filter_map(|token| u8::try_from(token.get()).ok()).collect();
        (self.disturb)(&String::from_utf8_lossy(&bytes), answer.len())?;
        let wanted = bytes.get(answer.len()).map_or(STOP_ID, |byte| u32::from(*byte));
        let mut logits = vec![0.0; self.width];
        logits[wanted as usize] = 50.0;
        self.rows[row] = text;
        Ok(Box::new(HostLogits(logits)))
    }
}

impl<F: FnMut(&str, usize) -> Result<(), BackendError>> BatchBackend for EchoModel<F> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn forward_rows(&mut self, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult> {
        inputs.iter().map(|(row, tokens)| self.forward(*row, tokens)).collect()
    }

    fn cached(&self, row: usize) -> &[TokenId] {
        self.rows.get(row).map_or(&[], Vec::as_slice)
    }

    fn truncate(&mut self, row: usize, n_positions: usize) -> Result<(), BackendError> {
        let n_cached = self.cached(row).len();
        if n_positions > n_cached {
            return Err(BackendError::Truncate { asked: n_positions, cached: n_cached });
        }
        if let Some(held) = self.rows.get_mut(row) {
            held.truncate(n_positions);
        }
        Ok(())
    }

    fn logits_width(&self) -> usize {
        self.width
    }

    fn context_length(&self) -> usize {
        CONTEXT_LENGTH
    }
}
