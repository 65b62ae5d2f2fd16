//! What does one of Mistral's tekken files hold? Ranked byte strings, a pattern, and special tokens before them.
//!
//! The first `default_num_special_tokens` ids are special; the token of rank `r` has the id `r` beyond them. Of the
//! ranks in the file only as many count as fit `default_vocab_size`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::encoder::Parsed;
use crate::entries::{Entries, Entry};
use crate::error::TokenizerError;
use crate::rank_bpe::RankBpe;

/// Special tokens of the versions up to v7, whose files do not list them.
const SPECIAL_TOKENS_UP_TO_V7: &[&str] = &[
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

#[derive(Deserialize)]
struct TekkenFile {
    config: Config,
    vocab: Vec<RankedToken>,
    special_tokens: Option<Vec<SpecialToken>>,
}

#[derive(Deserialize)]
struct Config {
    pattern: String,
    default_vocab_size: usize,
    default_num_special_tokens: usize,
}

#[derive(Deserialize)]
struct RankedToken {
    rank: u32,
    token_bytes: String,
}

#[derive(Deserialize)]
struct SpecialToken {
    rank: u32,
    token_str: String,
}

/// Reads a tekken file.
pub(crate) fn load(bytes: &[u8]) -> Result<Parsed, TokenizerError> {
    let file: TekkenFile = serde_json::from_slice(bytes).map_err(TokenizerError::malformed)?;
    let mut entries = Entries::default();
    let n_special = insert_special(&file, &mut entries)?;
    let n_ranks = file.config.default_vocab_size.saturating_sub(file.config.default_num_special_tokens);
    for token in file.vocab.iter().filter(|token| (token.rank as usize) < n_ranks) {
        let bytes = STANDARD.decode(&token.token_bytes).map_err(TokenizerError::malformed)?;
        let id = token.rank.checked_add(n_special).ok_or_else(|| TokenizerError::malformed("a rank is too large"))?;
        entries.insert(id, Entry::Text(bytes))?;
    }
    let encoder = RankBpe::new(&file.config.pattern, &entries)?;
    Ok(Parsed { entries, encoder: Box::new(encoder) })
}

/// Enters the special tokens, and says how many ids they take. Ids without a name get `<SPECIAL_id>`, Mistral's own
/// filler.
fn insert_special(file: &TekkenFile, entries: &mut Entries) -> Result<u32, TokenizerError> {
    let n_special = file.config.default_num_special_tokens;
    if n_special > file.config.default_vocab_size || file.config.default_vocab_size > 1 << 24 {
        return Err(TokenizerError::malformed("sizes in `config` that contradict each other or are too large"));
    }
    let mut names: Vec<String> = (0..n_special).map(|id| format!("<SPECIAL_{id}>")).collect();
    let listed: Vec<(usize, &str)> = match &file.special_tokens {
        Some(tokens) => tokens.iter().map(|token| (token.rank as usize, token.token_str.as_str())).collect(),
        None => SPECIAL_TOKENS_UP_TO_V7.iter().copied().enumerate().collect(),
    };
    for (id, name) in listed {
        let slot = names.get_mut(id).ok_or_else(|| TokenizerError::malformed("a special token beyond their number"))?;
        name.clone_into(slot);
    }
    let mut n_ids = 0;
    for name in names {
        entries.insert(n_ids, Entry::Special(name))?;
        n_ids += 1;
    }
    Ok(n_ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(vocab: &str, config: &str) -> String {
        format!(r#"{{"config":{{"pattern":"\\s+|\\S+",{config}}},"vocab":[{vocab}]}}"#)
    }

    #[test]
    fn ids_follow_the_special_tokens() {
        let vocab =
            r#"{"rank":0,"token_bytes":"YQ=="},{"rank":1,"token_bytes":"YWE="},{"rank":2,"token_bytes":"Yg=="}"#;
        let text = file(vocab, r#""default_vocab_size":42,"default_num_special_tokens":40"#);
        let Parsed { entries, encoder } = load(text.as_bytes()).unwrap();
        assert_eq!(entries.get(2), Some(&Entry::Special("</s>".to_owned())));
        assert_eq!(entries.get(39), Some(&Entry::Special("<SPECIAL_39>".to_owned())));
        assert_eq!(entries.get(41), Some(&Entry::Text(b"aa".to_vec())));
        assert_eq!(entries.get(42), None, "beyond default_vocab_size");
        assert_eq!(encoder.encode("aaa").unwrap(), [41, 40]);
        assert_eq!(encoder.encode_with_special("[INST]a</s>").unwrap(), [3, 40, 2]);
    }

    #[test]
    fn contradictions_are_errors() {
        let token = r#"{"rank":0,"token_bytes":"YQ=="}"#;
        for (vocab, config) in [
            (token, r#""default_vocab_size":1,"default_num_special_tokens":20"#),
            (token, r#""default_vocab_size":99999999999,"default_num_special_tokens":20"#),
            (token, r#""default_vocab_size":20,"default_num_special_tokens":2"#),
            (r#"{"rank":0,"token_bytes":"%"}"#, r#""default_vocab_size":42,"default_num_special_tokens":20"#),
            (&format!("{token},{token}"), r#""default_vocab_size":42,"default_num_special_tokens":20"#),
        ] {
            assert!(matches!(load(file(vocab, config).as_bytes()), Err(TokenizerError::Malformed(_))), "{config}");
        }
    }
}
