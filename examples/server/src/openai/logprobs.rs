//! How probable was each token? Records of tokens in OpenAI's shape.

use formwork::TokenId;
use formwork_decode::TokenRecord;
use formwork_tokenizers::Tokenizer;
use serde_json::{Value, json};

/// Most alternatives that a request may ask for.
const MAX_TOP: usize = 20;
/// What stands for a probability of zero, which JSON cannot write as a logarithm.
const LEAST: f64 = -9999.0;

/// The number of alternatives asked for; `None` when no log probabilities are.
pub(crate) fn n_top(logprobs: bool, top: Option<usize>) -> Result<Option<usize>, crate::failure::Failure> {
    match (logprobs, top) {
        (_, Some(top)) if top > MAX_TOP => {
            let message = format!("top_logprobs is {top}, it must be at most {MAX_TOP}");
            Err(crate::failure::Failure::about("top_logprobs", message))
        }
        (false, Some(_)) => {
            let message = "top_logprobs needs logprobs to be true";
            Err(crate::failure::Failure::about("top_logprobs", message))
        }
        (true, top) => Ok(Some(top.unwrap_or(0))),
        (false, None) => Ok(None),
    }
}

/// `logprobs` of a choice.
pub(crate) fn content(tokenizer: &Tokenizer, records: &[TokenRecord]) -> Value {
    let content: Vec<Value> = records.iter().map(|record| entry(tokenizer, record)).collect();
    json!({"content": content, "refusal": null})
}

fn entry(tokenizer: &Tokenizer, record: &TokenRecord) -> Value {
    let mut entry = token(tokenizer, record.token, record.log_probability);
    let top: Vec<Value> = record.top.iter().map(|(id, share)| token(tokenizer, *id, *share)).collect();
    entry["top_logprobs"] = top.into();
    entry
}

fn token(tokenizer: &Tokenizer, id: TokenId, log_probability: f64) -> Value {
    let bytes = tokenizer.token_bytes(id).unwrap_or_default();
    json!({"token": String::from_utf8_lossy(bytes), "logprob": log_probability.max(LEAST), "bytes": bytes})
}
