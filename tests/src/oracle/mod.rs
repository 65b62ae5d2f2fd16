//! Which tokens may come next, found the slow and obvious way? The twin that the engine's masks are compared with.
//!
//! A language is an expression over bytes. What can follow a text is found by taking the derivative of the expression by
//! each byte (Brzozowski: Derivatives of Regular Expressions, 1964; rules that refer to each other are unfolded when a
//! derivative meets them), and a text can be completed when the derivative is not empty. A mask tries every token.
//! Nothing here is shared with the engine.

mod builder;
mod entries;
mod expression;
pub mod json;
mod obliged;
mod shape;
mod structure;

pub use self::builder::{Body, to_grammar, to_grammar_in_order};
pub use self::expression::{ExprId, Language, RuleId};
pub use self::obliged::{Elements, Field, Fields, Way};
pub use self::shape::{Key, PATTERNS, PatternPart, Shape, ShapeSet};
pub use self::structure::{Bound, N_SPECIAL, Piece, TRIGGERS};

use crate::vocabulary::SmallVocabulary;

/// The twin of a matcher.
#[derive(Clone, Debug)]
pub struct Twin {
    language: Language,
    vocabulary: SmallVocabulary,
    /// What may follow, after each accepted token; never empty.
    history: Vec<ExprId>,
}

impl Twin {
    /// At the start of the texts of `start`.
    pub fn new(mut language: Language, start: ExprId, vocabulary: &SmallVocabulary) -> Twin {
        language.finish();
        Twin { language, vocabulary: vocabulary.clone(), history: vec![start] }
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

    /// For each id, whether some complete text goes on with it, or ends there.
    pub fn mask(&mut self) -> Vec<bool> {
        (0..self.vocabulary.n_ids())
            .map(|id| if id == self.vocabulary.stop().index() { self.is_accepting() } else { self.after(id).is_some() })
            .collect()
    }

    /// What is left after a text token or a special one.
    fn after(&mut self, id: usize) -> Option<ExprId> {
        let rest = self.rest();
        match self.vocabulary.tokens.get(id) {
            Some(token) => self.language.advance(rest, token),
            None => self.vocabulary.special_at(id).and_then(|token| self.language.advance_special(rest, token)),
        }
    }

    /// Takes a text token or a special one; false, and no change, where it is not allowed.
    pub fn accept(&mut self, token_idx: usize) -> bool {
        let next = self.after(token_idx);
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
            if (0..self.vocabulary.n_special).any(|token| self.language.advance_special(rest, token).is_some()) {
                break;
            }
            let mut next = (0..=u8::MAX).filter_map(|byte| Some((byte, self.language.advance(rest, &[byte])?)));
            let (Some((byte, after)), None) = (next.next(), next.next()) else { break };
            forced.push(byte);
            rest = after;
        }
        forced
    }
}
