//! Which tokens would the model's own tokenizer have made of text that the grammar forces?
//!
//! A tokenizer cuts a whole text. So the output so far and the forced text are cut together, and the forced tokens are
//! those that begin where the output ends. Two ends need care:
//!
//! - The last chosen token may be one that the tokenizer would have merged with the forced text. The model has not seen
//!   it yet, so it is replaced.
//! - What follows the forced text is not known. A token may be cut differently only if some token of the vocabulary
//!   begins in the text and reaches beyond its end. The text is therefore cut at each such beginning, and the tokens
//!   that all cuts share are certain: with byte pair encoding, the tokens before a boundary are those of the text before
//!   it. The others are held back and chosen by the model.

use formwork::{TokenId, Vocabulary};

use crate::tokenizer::TextTokenizer;

/// Text that is the only possible continuation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedText {
    /// The bytes; empty where there is a choice. May end inside a character.
    pub bytes: Vec<u8>,
    /// Whether nothing can follow them.
    pub is_last: bool,
}

/// Tokens to go on with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ForcedTokens {
    /// Whether the last token of the output gives way: `tokens` spell its bytes, too.
    pub(crate) replaces_last: bool,
    pub(crate) tokens: Vec<TokenId>,
}

/// Tokens of the output that are cut again together with the forced text: tokenizers look at words, not at pages.
const N_CONTEXT: usize = 64;

/// The tokens for `forced` behind `output`. The last token of `output` may be replaced if `can_replace`.
pub(crate) fn forced_tokens(
    tokenizer: &dyn TextTokenizer,
    output: &[TokenId],
    forced: &ForcedText,
    can_replace: bool,
) -> ForcedTokens {
    if forced.bytes.is_empty() {
        return ForcedTokens::default();
    }
    let vocabulary = tokenizer.vocabulary();
    let context = text_before(vocabulary, output);
    let n_before: usize = context.iter().map(|bytes| bytes.len()).sum();
    let mut text = context.concat();
    text.extend_from_slice(&forced.bytes);
    let tokens = certain_tokens(tokenizer, &text, forced.is_last);
    if let Some(tokens) = tokens_from(vocabulary, &tokens, n_before) {
        return ForcedTokens { replaces_last: false, tokens };
    }
    let n_last = context.last().map_or(0, |bytes| bytes.len());
    let with_last = tokens_from(vocabulary, &tokens, n_before - n_last).filter(|tokens| {
        let n_bytes: usize = tokens.iter().filter_map(|token| vocabulary.token_bytes(*token)).map(<[u8]>::len).sum();
        can_replace && n_bytes >= n_last
    });
    match with_last {
        Some(tokens) => ForcedTokens { replaces_last: true, tokens },
        // What was chosen before is not what the tokenizer makes: the forced text is cut on its own.
        None => ForcedTokens { replaces_last: false, tokens: certain_tokens(tokenizer, &forced.bytes, forced.is_last) },
    }
}

/// The bytes of the last tokens of the output, back to one that is no text.
fn text_before<'a>(vocabulary: &'a Vocabulary, output: &[TokenId]) -> Vec<&'a [u8]> {
    let texts = output.iter().rev().take(N_CONTEXT).map_while(|token| vocabulary.token_bytes(*token));
    let mut texts: Vec<&[u8]> = texts.collect();
    texts.reverse();
    texts
}

/// The tokens behind the first `n_bytes`; `None` when no token begins there.
fn tokens_from(vocabulary: &Vocabulary, tokens: &[TokenId], n_bytes: usize) -> Option<Vec<TokenId>> {
    let mut at = 0;
    for (index, token) in tokens.iter().enumerate() {
        if at >= n_bytes {
            return (at == n_bytes).then(|| tokens[index..].to_vec());
        }
        at += vocabulary.token_bytes(*token)?.len();
    }
    (at == n_bytes).then(Vec::new)
}

/// The tokens with which the text begins, whatever follows it.
fn certain_tokens(tokenizer: &dyn TextTokenizer, text: &[u8], is_last: bool) -> Vec<TokenId> {
    let text = valid_prefix(text);
    let mut tokens = spelling(tokenizer, text);
    if is_last {
        return tokens;
    }
    for boundary in possible_boundaries(tokenizer.vocabulary(), text) {
        let others = spelling(tokenizer, &text[..boundary]);
        let n_shared = tokens.iter().zip(&others).take_while(|(a, b)| a == b).count();
        tokens.truncate(n_shared);
    }
    tokens
}

fn valid_prefix(text: &[u8]) -> &str {
    text.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// What the tokenizer makes of `text`, as far as it spells it.
fn spelling(tokenizer: &dyn TextTokenizer, text: &str) -> Vec<TokenId> {
    let mut tokens = tokenizer.encode(text);
    let mut rest = text.as_bytes();
    let spells = |token: &&TokenId| match tokenizer.vocabulary().token_bytes(**token) {
        Some(bytes) => rest.strip_prefix(bytes).map(|after| rest = after).is_some(),
        None => false,
    };
    let n_spelling = tokens.iter().take_while(spells).count();
    tokens.truncate(n_spelling);
    tokens
}

/// Where a token may begin that reaches beyond the end of `text`. Digits may be grouped from the right, so a number at
/// the end is one such place. O(square of the longest token).
fn possible_boundaries(vocabulary: &Vocabulary, text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut is_boundary = vec![false; bytes.len() + 1];
    is_boundary[text.trim_end_matches(|c: char| c.is_numeric()).len()] = true;
    for at in bytes.len().saturating_sub(vocabulary.max_token_bytes())..bytes.len() {
        is_boundary[at] |= vocabulary.begins_longer_token(&bytes[at..]);
    }
    // A token may begin inside a character; then the character is not certain.
    let positions = is_boundary.iter().enumerate().filter(|(_, is_set)| **is_set).map(|(at, _)| at);
    let mut boundaries: Vec<usize> = positions.map(|at| text.floor_char_boundary(at)).collect();
    boundaries.dedup();
    boundaries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::ByteTokenizer;

    fn forced(output: &str, text: &str, is_last: bool) -> ForcedTokens {
        let tokenizer = ByteTokenizer::new();
        let forced = ForcedText { bytes: text.into(), is_last };
        forced_tokens(&tokenizer, &tokenizer.encode(output), &forced, true)
    }

    fn bytes(text: &str) -> Vec<TokenId> {
        text.bytes().map(|byte| TokenId::new(byte.into())).collect()
    }

    #[test]
    fn a_token_that_may_reach_further_is_held_back() {
        // `ab` is a token, so an `a` at the end is not certain.
        assert_eq!(forced("", "xya", false).tokens, bytes("xy"));
        assert_eq!(forced("", "xya", true).tokens, bytes("xya"));
        assert_eq!(forced("", "xy", false).tokens, bytes("xy"));
        assert_eq!(forced("", "x12", false).tokens, bytes("x"));
    }

    #[test]
    fn characters_that_are_not_complete_wait() {
        let tokenizer = ByteTokenizer::new();
        let text = ForcedText { bytes: b"x\xE2\x82".to_vec(), is_last: false };
        assert_eq!(forced_tokens(&tokenizer, &[], &text, false).tokens, bytes("x"));
    }
}
