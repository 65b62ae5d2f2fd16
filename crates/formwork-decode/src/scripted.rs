//! What do the tests of the loop run on? A model that recites a script, and a grammar that is one regular shape.

use std::sync::Arc;

use formwork::{MatchError, TokenId, TokenMask, Vocabulary};

use crate::backend::{Backend, Logits};
use crate::constraint::Constraint;
use crate::error::BackendError;
use crate::forced::ForcedText;
use crate::host::HostLogits;
use crate::tokenizer::TextTokenizer;

/// One token per byte from 0 to 127, `ab` (128), a part of `€` (129, 130), an unused id (131), and a stop token (132).
#[derive(Debug)]
pub(crate) struct ByteTokenizer(Arc<Vocabulary>);

pub(crate) const AB: TokenId = TokenId::new(128);
pub(crate) const EURO_START: TokenId = TokenId::new(129);
pub(crate) const EURO_END: TokenId = TokenId::new(130);
pub(crate) const STOP: TokenId = TokenId::new(132);

impl ByteTokenizer {
    pub(crate) fn new() -> ByteTokenizer {
        let mut tokens: Vec<Vec<u8>> = (0..128).map(|byte| vec![byte]).collect();
        tokens.extend([b"ab".to_vec(), b"\xE2\x82".to_vec(), b"\xAC".to_vec(), b"".to_vec(), b"<end>".to_vec()]);
        ByteTokenizer(Arc::new(Vocabulary::from_tokens(tokens, &[STOP]).unwrap()))
    }
}

impl TextTokenizer for ByteTokenizer {
    fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.0
    }

    fn encode(&self, text: &str) -> Vec<TokenId> {
        text.bytes().map(|byte| TokenId::new(byte.into())).collect()
    }

    fn encode_with_special(&self, text: &str) -> Vec<TokenId> {
        self.encode(text)
    }
}

/// After `n` tokens it prefers token `script[n]`, whatever the tokens were; after the end, the stop token.
#[derive(Debug, Default)]
pub(crate) struct ScriptedBackend {
    pub(crate) script: Vec<TokenId>,
    pub(crate) cached: Vec<TokenId>,
    /// Lengths of the passes made.
    pub(crate) passes: Vec<usize>,
    /// The pass, by index, that fails once.
    pub(crate) fails_at: Option<usize>,
    /// The pass, by index, that panics, however often it is tried.
    pub(crate) panics_at: Option<usize>,
    pub(crate) is_nan: bool,
}

pub(crate) const WIDTH: usize = 160;
pub(crate) const CONTEXT_LENGTH: usize = 64;

impl ScriptedBackend {
    /// Prefers the bytes of `text` as the output after a prompt of `n_prompt` tokens.
    pub(crate) fn reciting(n_prompt: usize, text: &str) -> ScriptedBackend {
        let mut script = vec![STOP; n_prompt];
        script.extend(text.bytes().map(|byte| TokenId::new(byte.into())));
        ScriptedBackend { script, ..ScriptedBackend::default() }
    }
}

impl Backend for ScriptedBackend {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        if self.fails_at == Some(self.passes.len()) {
            self.fails_at = None;
            return Err(BackendError::runtime("scripted failure"));
        }
        assert!(self.panics_at != Some(self.passes.len()), "scripted panic");
        let needed = self.cached.len() + tokens.len();
        if needed > CONTEXT_LENGTH {
            return Err(BackendError::ContextFull { needed, context_length: CONTEXT_LENGTH });
        }
        self.cached.extend_from_slice(tokens);
        self.passes.push(tokens.len());
        let preferred = self.script.get(needed).copied().unwrap_or(STOP);
        let mut logits = vec![if self.is_nan { f32::NAN } else { 0.0 }; WIDTH];
        // Padding beyond the vocabulary tempts every sampler that does not mask.
        logits[WIDTH - 1] = 100.0;
        if !self.is_nan {
            logits[preferred.index()] = 50.0;
        }
        Ok(Box::new(HostLogits(logits)))
    }

    fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        if n_positions > self.cached.len() {
            return Err(BackendError::Truncate { asked: n_positions, cached: self.cached.len() });
        }
        self.cached.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        WIDTH
    }

    fn context_length(&self) -> usize {
        CONTEXT_LENGTH
    }
}

/// A template: `_` stands for any ASCII letter, every other character for itself. Tokens of one byte only.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) shape: &'static [u8],
    pub(crate) at: usize,
}

impl Template {
    pub(crate) fn new(shape: &'static str) -> Template {
        Template { shape: shape.as_bytes(), at: 0 }
    }

    fn allows(&self, token: u32) -> bool {
        match self.shape.get(self.at) {
            Some(b'_') => u8::try_from(token).is_ok_and(|byte| byte.is_ascii_alphabetic()),
            Some(&byte) => token == u32::from(byte),
            None => token == STOP.get(),
        }
    }
}

impl Constraint for Template {
    fn mask(&mut self) -> Result<TokenMask, MatchError> {
        let mut words = [0; WIDTH / 32];
        for id in (0..=STOP.get()).filter(|&id| self.allows(id)) {
            words[id as usize / 32] |= 1 << (id % 32);
        }
        Ok(TokenMask::from_words(&words))
    }

    fn fork(&self) -> Box<dyn Constraint + '_> {
        Box::new(self.clone())
    }

    fn accept_token(&mut self, token: TokenId) -> Result<(), MatchError> {
        if !self.allows(token.get()) {
            return Err(MatchError::TokenNotAllowed { token, offset: 0 });
        }
        self.at += 1;
        Ok(())
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<(), MatchError> {
        self.at -= n_tokens;
        Ok(())
    }

    fn completion(&mut self) -> Result<std::sync::Arc<[TokenId]>, MatchError> {
        let letters = self.shape[self.at..].iter().map(|&byte| if byte == b'_' { b'a' } else { byte });
        Ok(letters.map(|byte| TokenId::new(byte.into())).collect())
    }

    fn is_finished(&self) -> bool {
        self.at >= self.shape.len()
    }

    fn forced_text(&mut self) -> Result<ForcedText, MatchError> {
        let rest = &self.shape[self.at..];
        let n_forced = rest.iter().position(|&byte| byte == b'_').unwrap_or(rest.len());
        Ok(ForcedText { bytes: rest[..n_forced].to_vec(), is_last: n_forced == rest.len() })
    }
}

/// Draws `a`, `b` or `c` with weights that depend on the token before.
#[derive(Debug)]
pub(crate) struct MarkovBackend {
    weights: [[f32; 3]; 3],
    cached: Vec<TokenId>,
}

impl MarkovBackend {
    pub(crate) fn new(weights: [[f32; 3]; 3]) -> MarkovBackend {
        MarkovBackend { weights, cached: Vec::new() }
    }
}

impl Backend for MarkovBackend {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        let last = tokens.last().ok_or(BackendError::NoTokens)?;
        self.cached.extend_from_slice(tokens);
        let mut logits = vec![f32::NEG_INFINITY; WIDTH];
        let row = self.weights[last.index() - usize::from(b'a')];
        for (letter, weight) in row.iter().enumerate() {
            logits[usize::from(b'a') + letter] = weight.ln();
        }
        logits[STOP.index()] = 0.0;
        Ok(Box::new(HostLogits(logits)))
    }

    fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        self.cached.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        WIDTH
    }

    fn context_length(&self) -> usize {
        CONTEXT_LENGTH
    }
}
