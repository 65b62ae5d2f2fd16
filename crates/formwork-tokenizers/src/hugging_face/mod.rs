//! What does a Hugging Face `tokenizer.json` hold? Entries by the rule of its decoder, and the encoder beside them.

mod added;
mod byte_level;
mod contained;
mod decoder;
mod encode;
mod post_processor;

use std::collections::HashSet;

use tokenizers::{ModelWrapper, Tokenizer};

use self::added::is_text;
use self::contained::contained;
use self::decoder::TokenText;
use self::encode::HuggingFaceEncoder;
use crate::encoder::Parsed;
use crate::entries::{Entries, Entry};
use crate::error::TokenizerError;

/// Reads a `tokenizer.json`.
pub(crate) fn load(bytes: &[u8]) -> Result<Parsed, TokenizerError> {
    let tokenizer = contained(|| Tokenizer::from_bytes(bytes))
        .ok_or_else(|| TokenizerError::malformed("its parts do not fit together"))?
        .map_err(TokenizerError::malformed)?;
    check_model(tokenizer.get_model())?;
    post_processor::check(&tokenizer)?;
    let token_text = TokenText::of(tokenizer.get_decoder())?;
    let entries = read_entries(&tokenizer, &token_text)?;
    let encoder = HuggingFaceEncoder::new(tokenizer, &token_text)?;
    Ok(Parsed { entries, encoder: Box::new(encoder) })
}

/// Refuses models whose tokens have no text of their own.
fn check_model(model: &ModelWrapper) -> Result<(), TokenizerError> {
    let refuse = |reason: &str| Err(TokenizerError::Unsupported(reason.to_owned()));
    match model {
        ModelWrapper::WordPiece(_) => refuse("WordPiece: the text of its tokens depends on their neighbours"),
        ModelWrapper::WordLevel(_) => refuse("WordLevel: it cannot spell words outside its list"),
        ModelWrapper::BPE(bpe) if bpe.end_of_word_suffix.as_deref().is_some_and(|suffix| !suffix.is_empty()) => {
            refuse("BPE with `end_of_word_suffix`: the text of its tokens depends on their neighbours")
        }
        ModelWrapper::BPE(bpe) if bpe.continuing_subword_prefix.as_deref().is_some_and(|prefix| !prefix.is_empty()) => {
            refuse("BPE with `continuing_subword_prefix`: the text of its tokens depends on their neighbours")
        }
        ModelWrapper::BPE(_) | ModelWrapper::Unigram(_) => Ok(()),
    }
}

/// All ids with their bytes or names.
fn read_entries(tokenizer: &Tokenizer, token_text: &TokenText) -> Result<Entries, TokenizerError> {
    let mut entries = Entries::default();
    let base = tokenizer.get_vocab(false);
    let unknown = unknown_token(tokenizer.get_model());
    for (content, id) in &base {
        let entry = match unknown == Some(content) {
            true => Entry::Special(content.clone()),
            false => Entry::Text(token_text.bytes(content)),
        };
        entries.insert(*id, entry)?;
    }
    let base_ids: HashSet<u32> = base.values().copied().collect();
    for (id, added) in tokenizer.get_added_tokens_decoder() {
        let entry = match is_text(&added, id, base_ids.contains(&id)) {
            true => Entry::Text(token_text.bytes(&added.content)),
            false => Entry::Special(added.content),
        };
        entries.replace(id, entry);
    }
    Ok(entries)
}

/// The token that stands for what the vocabulary cannot spell.
fn unknown_token(model: &ModelWrapper) -> Option<&String> {
    match model {
        ModelWrapper::BPE(bpe) => bpe.unk_token.as_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_longer_than_all_tokens_is_an_error() {
        let file = |merge: &str, prefix: &str| {
            format!(
                r#"{{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,
                "decoder":null,"model":{{"type":"BPE","vocab":{{"ab":0,"b":1}},"merges":["{merge}"],
                "continuing_subword_prefix":"{prefix}"}}}}"#
            )
        };
        for (merge, prefix) in [("ab b", ""), ("b b", "long")] {
            assert!(matches!(load(file(merge, prefix).as_bytes()), Err(TokenizerError::Malformed(_))), "{merge}");
        }
    }
}
