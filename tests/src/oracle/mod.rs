//! Which tokens may come next, found the slow and obvious way? The twin that the engine's masks are compared with.
//!
//! A language is an expression over bytes. What can follow a text is found by taking the derivative of the expression by
//! each byte (Brzozowski: Derivatives of Regular Expressions, 1964; rules that refer to each other are unfolded when a
//! derivative meets them), and a text can be completed when the derivative is not empty. A mask tries every token.
//! Nothing here is shared with the engine.

mod builder;
mod expression;
pub mod json;
mod shape;

pub use self::builder::{Body, to_grammar};
pub use self::expression::{ExprId, Language, RuleId};
pub use self::shape::{Key, PATTERNS, PatternPart, Shape, ShapeSet};

use crate::vocabulary::SmallVocabulary;

/// The twin of a matcher.
#[derive(Clone, Debug)]
pub struct Twin {
    language: Language,
    tokens: Vec<Vec<u8>>,
    /// What may follow, after each accepted token; never empty.
    history: Vec<ExprId>,
}

impl Twin {
    /// At the start of the texts of `start`.
    pub fn new(mut language: Language, start: ExprId, vocabulary: &SmallVocabulary) -> Twin {
        language.finish();
        Twin { language, tokens: vocabulary.tokens.clone(), history: vec![start] }
    }

    fn rest(&self) -> ExprId {
        *self.history.last().expect("the history begins with the start")
    }

    /// Whether any text can be completed from here; false only for a language without texts.
    pub fn is_alive(&mut self) -> bool {
        let rest = self.rest();
        self.language.is_productive(rest)
    }

    /// Whether the text so far is complete.
    pub fn is_accepting(&mut self) -> bool {
        let rest = self.rest();
        self.language.is_nullable(rest)
    }

    /// For each token, whether some complete text goes on with it; the last entry is the stop token.
    pub fn mask(&mut self) -> Vec<bool> {
        let rest = self.rest();
        let mut mask: Vec<bool> =
            self.tokens.iter().map(|token| self.language.advance(rest, token).is_some()).collect();
        mask.push(self.is_accepting());
        mask
    }

    /// Takes a text token; false, and no change, where it is not allowed.
    pub fn accept(&mut self, token_idx: usize) -> bool {
        let rest = self.rest();
        let next = self.language.advance(rest, &self.tokens[token_idx]);
        self.history.extend(next);
        next.is_some()
    }

    /// Takes bytes as one step; false, and no change, where they are not allowed.
    pub fn accept_bytes(&mut self, bytes: &[u8]) -> bool {
        let rest = self.rest();
        let next = self.language.advance(rest, bytes);
        self.history.extend(next);
        next.is_some()
    }

    /// Undoes the last steps.
    pub fn rollback(&mut self, n_steps: usize) {
        self.history.truncate(self.history.len() - n_steps);
    }

    /// The text that is the only possible continuation, cut at `max_bytes`.
    pub fn forced(&mut self, max_bytes: usize) -> Vec<u8> {
        let mut forced = Vec::new();
        let mut rest = self.rest();
        while forced.len() < max_bytes && !self.language.is_nullable(rest) {
            let mut next = (0..=u8::MAX).filter_map(|byte| Some((byte, self.language.advance(rest, &[byte])?)));
            let (Some((byte, after)), None) = (next.next(), next.next()) else { break };
            forced.push(byte);
            rest = after;
        }
        forced
    }
}
