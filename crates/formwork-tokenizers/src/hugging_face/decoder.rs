//! Which bytes does the decoder of a `tokenizer.json` make of one token inside a text?
//!
//! Two families of decoders treat each token by itself, and those are read: byte-level, and SentencePiece-style
//! (replacements such as `▁` by a space, `<0x0A>` for a byte, a space cut off the very beginning). Any other decoder is
//! refused, because a token then has no bytes of its own.

use serde_json::Value;
use tokenizers::DecoderWrapper;

use super::byte_level::ByteLevelTable;
use crate::error::TokenizerError;

/// How one token becomes bytes.
pub(super) enum TokenText {
    ByteLevel(Box<ByteLevelTable>),
    SentencePiece {
        /// Replacements in a token, in order: what stands in the file, and what it stands for.
        replacements: Vec<(String, String)>,
        /// Whether `<0x0A>` is a byte.
        byte_fallback: bool,
    },
}

impl TokenText {
    /// Reads a decoder's rule.
    pub(super) fn of(decoder: Option<&DecoderWrapper>) -> Result<TokenText, TokenizerError> {
        let decoder = decoder.ok_or_else(|| unsupported("the file names no decoder"))?;
        // The library keeps patterns private; their serialised form is public.
        let value = serde_json::to_value(decoder).map_err(TokenizerError::malformed)?;
        let steps = match value.get("decoders").and_then(Value::as_array) {
            Some(steps) => steps.clone(),
            None => vec![value],
        };
        if steps.iter().any(|step| kind(step) == "ByteLevel") {
            return match steps.iter().all(|step| matches!(kind(step), "ByteLevel" | "Fuse")) {
                true => Ok(TokenText::ByteLevel(Box::new(ByteLevelTable::new()))),
                false => Err(unsupported("a ByteLevel decoder mixed with others")),
            };
        }
        read_sentence_piece(&steps)
    }

    /// The bytes of a token.
    pub(super) fn bytes(&self, content: &str) -> Vec<u8> {
        match self {
            TokenText::ByteLevel(table) => table.bytes(content),
            TokenText::SentencePiece { replacements, byte_fallback } => match fallback_byte(content) {
                Some(byte) if *byte_fallback => vec![byte],
                _ => {
                    let replace = |text: String, (from, to): &(String, String)| text.replace(from, to);
                    replacements.iter().fold(content.to_owned(), replace).into_bytes()
                }
            },
        }
    }
}

/// Reads the steps of a SentencePiece-style decoder.
fn read_sentence_piece(steps: &[Value]) -> Result<TokenText, TokenizerError> {
    let mut replacements = Vec::new();
    let (mut byte_fallback, mut fused) = (false, false);
    for step in steps {
        match kind(step) {
            "Replace" if !fused && !byte_fallback => replacements.push(read_replacement(step)?),
            "Metaspace" if !fused && !byte_fallback => {
                let mark = step.get("replacement").and_then(Value::as_str).unwrap_or("▁");
                replacements.push((mark.to_owned(), " ".to_owned()));
            }
            "ByteFallback" if !fused => byte_fallback = true,
            "Fuse" => fused = true,
            "Strip" if fused && cuts_only_the_start(step) => {}
            other => return Err(unsupported(&format!("a {other} decoder at this place"))),
        }
    }
    Ok(TokenText::SentencePiece { replacements, byte_fallback })
}

fn kind(step: &Value) -> &str {
    step.get("type").and_then(Value::as_str).unwrap_or("nameless")
}

/// What a `Replace` step replaces, and by what.
fn read_replacement(step: &Value) -> Result<(String, String), TokenizerError> {
    let pattern = step.pointer("/pattern/String").and_then(Value::as_str);
    match (pattern, step.get("content").and_then(Value::as_str)) {
        (Some(pattern), Some(content)) if !pattern.is_empty() => Ok((pattern.to_owned(), content.to_owned())),
        _ => Err(unsupported("a Replace decoder whose pattern is no plain text")),
    }
}

/// Whether a `Strip` step after `Fuse` takes nothing from the end, so that tokens inside a text keep their bytes.
fn cuts_only_the_start(step: &Value) -> bool {
    step.get("stop").and_then(Value::as_u64) == Some(0)
}

/// The byte that a token such as `<0x0A>` stands for.
fn fallback_byte(content: &str) -> Option<u8> {
    let digits = content.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn unsupported(reason: &str) -> TokenizerError {
    TokenizerError::Unsupported(format!("{reason}: tokens have no bytes of their own"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(decoder: &str) -> Result<TokenText, TokenizerError> {
        TokenText::of(Some(&serde_json::from_str(decoder).unwrap()))
    }

    const LLAMA_2: &str = r#"{"type":"Sequence","decoders":[
        {"type":"Replace","pattern":{"String":"▁"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"#;

    #[test]
    fn sentence_piece_tokens() {
        let rule = rule(LLAMA_2).unwrap();
        assert_eq!(rule.bytes("▁the"), b" the");
        assert_eq!(rule.bytes("<0x0A>"), b"\n");
        assert_eq!(rule.bytes("<0xE2>"), b"\xE2");
        assert_eq!(rule.bytes("<0xg0>"), b"<0xg0>");
    }

    #[test]
    fn metaspace_tokens() {
        let decoder = r#"{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}"#;
        assert_eq!(rule(decoder).unwrap().bytes("▁a▁b"), b" a b");
    }

    #[test]
    fn decoders_that_look_at_neighbours_are_refused() {
        for decoder in [
            r###"{"type":"WordPiece","prefix":"##","cleanup":true}"###,
            r#"{"type":"BPEDecoder","suffix":"</w>"}"#,
            r#"{"type":"Strip","content":" ","start":1,"stop":0}"#,
            r#"{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"Regex":"a+"},"content":" "}]}"#,
        ] {
            assert!(matches!(rule(decoder), Err(TokenizerError::Unsupported(_))), "{decoder}");
        }
        assert!(matches!(TokenText::of(None), Err(TokenizerError::Unsupported(_))));
    }
}
