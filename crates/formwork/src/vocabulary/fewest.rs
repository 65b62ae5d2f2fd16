//! Which tokens spell a text in the fewest steps? What a token budget counts.

use std::cmp::Reverse;

use super::Vocabulary;
use crate::ids::TokenId;

/// Tokens of one byte repeated that are looked for at most.
const MAX_RUN: usize = 64;

impl Vocabulary {
    /// The fewest text tokens that spell `text`; of several ways the one whose first tokens are longest. `None` where none
    /// does. O(bytes × longest token).
    pub fn fewest_tokens(&self, text: &[u8]) -> Option<Vec<TokenId>> {
        // From each position to the end: how many tokens, and the first of them with its length.
        let mut best: Vec<Option<(u32, u32, u32)>> = vec![None; text.len() + 1];
        best[text.len()] = Some((0, 0, 0));
        for start in (0..text.len()).rev() {
            let mut node = None;
            let mut found: Option<(u32, u32, u32)> = None;
            for (n_bytes, byte) in (1..).zip(&text[start..]) {
                let Some(child) = self.trie.child(node, *byte) else { break };
                node = Some(child);
                let (Some(token), Some((n_tokens, ..))) =
                    (self.trie.values(child).first(), best[start + n_bytes as usize])
                else {
                    continue;
                };
                // Longer ones come later.
                if found.is_none_or(|(fewest, ..)| n_tokens < fewest) {
                    found = Some((n_tokens + 1, *token, n_bytes));
                }
            }
            best[start] = found;
        }
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let (_, token, n_bytes) = best[at]?;
            tokens.push(TokenId::new(token));
            at += n_bytes as usize;
        }
        Some(tokens)
    }

    /// The bytes that are tokens by themselves, those first that text is best filled up with: a quote, as it ends a string,
    /// then printable ones of which a token holds many; those that begin escapes and longer characters last.
    pub(crate) fn letters(&self) -> &[u8] {
        self.letters.get_or_init(|| {
            let is_token =
                |byte: &u8| self.trie.child(None, *byte).is_some_and(|node| !self.trie.values(node).is_empty());
            let mut letters: Vec<u8> = (0..=u8::MAX).filter(is_token).collect();
            letters.sort_by_key(|byte| {
                let kind = match byte {
                    b'"' => 0,
                    b'\\' => 3,
                    _ if byte.is_ascii_graphic() => 1,
                    _ if byte.is_ascii() => 2,
                    _ => 4,
                };
                (kind, Reverse(self.longest_run(*byte)))
            });
            letters.into()
        })
    }

    /// Bytes of the longest token that is this byte again and again.
    fn longest_run(&self, byte: u8) -> usize {
        let (mut node, mut longest) = (None, 0);
        for length in 1..=MAX_RUN {
            let Some(child) = self.trie.child(node, byte) else { break };
            node = Some(child);
            if !self.trie.values(child).is_empty() {
                longest = length;
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_tokens_may_begin_with_a_short_one() {
        let tokens = ["a", "b", "c", "ab", "bcd", "d", "xxxx", "x", "\"", "</s>"];
        let vocabulary = Vocabulary::from_tokens(tokens, &[TokenId::new(9)]).unwrap();
        let spelled = |text: &str| {
            let tokens = vocabulary.fewest_tokens(text.as_bytes())?;
            Some(tokens.into_iter().map(TokenId::get).collect::<Vec<_>>())
        };
        // Greedy takes `ab`, `c`, `d`.
        assert_eq!(spelled("abcd"), Some(vec![0, 4]));
        assert_eq!(spelled(""), Some(vec![]));
        assert_eq!(spelled("xxxxx"), Some(vec![6, 7]));
        assert_eq!(spelled("abe"), None);
        assert_eq!(vocabulary.letters(), b"\"xabcd");
    }
}
