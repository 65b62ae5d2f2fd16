//! Which kind of tokenizer file is this? Decided by the keys at its top, without keeping the rest.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::TokenizerError;

/// The kinds of tokenizer files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    HuggingFace,
    Tekken,
}

/// The keys that tell the kinds apart.
#[derive(Deserialize)]
struct TopLevel {
    model: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    vocab: Option<IgnoredAny>,
}

/// Tells the kind of a file by its content.
pub(crate) fn detect(bytes: &[u8]) -> Result<FileKind, TokenizerError> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(TokenizerError::not_a_tokenizer(describe_other(bytes)));
    }
    let top: TopLevel = serde_json::from_slice(bytes).map_err(TokenizerError::not_a_tokenizer)?;
    match (top.model, top.config, top.vocab) {
        (Some(_), _, _) => Ok(FileKind::HuggingFace),
        (None, Some(_), Some(_)) => Ok(FileKind::Tekken),
        _ => Err(TokenizerError::not_a_tokenizer(
            "JSON with neither `model` (Hugging Face) nor `config` and `vocab` (tekken)",
        )),
    }
}

/// What a file that is no JSON object looks like.
fn describe_other(bytes: &[u8]) -> &'static str {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        "the file is empty"
    } else if bytes.starts_with(b"\n") && bytes.windows(5).take(64).any(|window| window == b"<unk>") {
        "a SentencePiece model; convert it to a tokenizer.json first"
    } else if bytes.starts_with(b"GGUF") {
        "a GGUF model file"
    } else {
        "no JSON object"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_kinds_apart() {
        assert_eq!(detect(br#" {"version": "1.0", "model": {}}"#).unwrap(), FileKind::HuggingFace);
        assert_eq!(detect(br#"{"config": {}, "vocab": []}"#).unwrap(), FileKind::Tekken);
    }

    #[test]
    fn refuses_other_files_in_one_line() {
        let deep = "{\"a\":".repeat(100_000);
        let cases: [&[u8]; 7] =
            [b"", b" \n", b"[1]", b"{", b"{\"a\": 1}", b"\n\x0e\n\x05<unk>\x15\0\0\0\0", deep.as_bytes()];
        for bytes in cases {
            let message = detect(bytes).unwrap_err().to_string();
            assert!(message.starts_with("not a tokenizer file: ") && !message.contains('\n'), "{message}");
        }
    }
}
