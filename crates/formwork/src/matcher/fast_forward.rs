//! Find the text that must come next.

use super::Matcher;
use crate::error::MatchError;
use crate::ids::TokenId;

/// Most bytes of one answer.
const MAX_BYTES: usize = 4_096;

impl Matcher {
    /// The text that is the only possible continuation (may be empty); at most 4,096 bytes at a time. It ends where a
    /// special token may come.
    ///
    /// # Errors
    /// A limit.
    pub fn fast_forward_bytes(&mut self) -> Result<Vec<u8>, MatchError> {
        Ok(self.forced()?.0)
    }

    /// Tokens that spell the forced text, as `tokenize` cuts it. The last token is held back where it could merge with
    /// what follows. Does not accept them.
    ///
    /// # Errors
    /// A limit.
    pub fn fast_forward_tokens(
        &mut self,
        tokenize: &mut dyn FnMut(&[u8]) -> Vec<TokenId>,
    ) -> Result<Vec<TokenId>, MatchError> {
        let (text, is_last) = self.forced()?;
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut tokens = tokenize(&text);
        if !is_last {
            tokens.pop();
        }
        // Whatever the tokenizer did, only tokens that spell the text are handed out.
        let vocabulary = self.grammar.vocabulary();
        let mut rest = text.as_slice();
        let n_spelling = tokens
            .iter()
            .take_while(|token| match vocabulary.token_bytes(**token).and_then(|bytes| rest.strip_prefix(bytes)) {
                Some(after) => {
                    rest = after;
                    true
                }
                None => false,
            })
            .count();
        tokens.truncate(n_spelling);
        Ok(tokens)
    }

    /// The forced text, and whether nothing can follow it.
    fn forced(&mut self) -> Result<(Vec<u8>, bool), MatchError> {
        if self.stopped {
            return Ok((Vec::new(), true));
        }
        self.renew()?;
        let mut generation = self.write();
        let mut configuration = generation.configuration(self.handle);
        let mut text = Vec::new();
        // A special token is no text: what is forced ends before it.
        while text.len() < MAX_BYTES && !generation.takes_special(&configuration)? {
            let accepts = generation.accepts(&configuration);
            let mut next = generation.next_bytes(&configuration)?;
            match next.pop() {
                Some((byte, after)) if next.is_empty() && !accepts => {
                    text.push(byte);
                    configuration = after;
                }
                None => return Ok((text, true)),
                _ => return Ok((text, false)),
            }
        }
        Ok((text, false))
    }
}
