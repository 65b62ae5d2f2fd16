//! Take a token, or bytes, into the state.

use super::Matcher;
use crate::error::MatchError;
use crate::ids::TokenId;
use crate::mask::Handle;
use crate::vocabulary::TokenKind;

impl Matcher {
    /// Takes one token into the state. O(bytes of the token), less where the step is known.
    ///
    /// # Errors
    /// When it is not allowed or outside the vocabulary; the state is unchanged then.
    pub fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError> {
        match self.target(token)? {
            Some(handle) => self.advance(handle),
            None => {
                self.advance(self.handle);
                self.stopped = true;
            }
        }
        Ok(())
    }

    /// Takes bytes into the state, as one step of the history.
    ///
    /// # Errors
    /// When they are not allowed; the state is unchanged then.
    pub fn accept_bytes(&mut self, bytes: &[u8]) -> Result<(), MatchError> {
        if self.stopped {
            return Err(MatchError::Stopped);
        }
        self.renew()?;
        let target = self.write().step_bytes(self.handle, bytes)?;
        let handle = target.map_err(|offset| MatchError::ByteNotAllowed { offset })?;
        self.advance(handle);
        Ok(())
    }

    /// Where a token leads; `None` for a stop token that is allowed here.
    pub(super) fn target(&mut self, token: TokenId) -> Result<Option<Handle>, MatchError> {
        if self.stopped {
            return Err(MatchError::Stopped);
        }
        let is_full = {
            let generation = self.read();
            if let Some(handle) = generation.known_step(self.handle, token) {
                return Ok(Some(handle));
            }
            generation.is_full()
        };
        let vocabulary = std::sync::Arc::clone(self.grammar.vocabulary());
        if token.index() >= vocabulary.len() {
            return Err(MatchError::TokenOutOfRange { token, n_tokens: vocabulary.len() });
        }
        let refused = MatchError::TokenNotAllowed { token, offset: 0 };
        match vocabulary.kind(token) {
            TokenKind::Stop if self.read().is_accepting(self.handle) => return Ok(None),
            TokenKind::Text | TokenKind::Special => {}
            _ => return Err(refused),
        }
        if is_full {
            self.renew()?;
        }
        let mut generation = self.write();
        match vocabulary.kind(token) {
            TokenKind::Special => generation.step_special(self.handle, token),
            _ => generation.step_token(self.handle, token, vocabulary.bytes_at(token.index())),
        }
        .map(Some)
    }
}
