//! How does a text get complete before its budget ends? Tokens are taken only if a completion is known that fits behind them.
//!
//! A completion of the text so far is always known, and never longer than what is left of the budget. A token that the model
//! chooses is checked when it is chosen: the one that the known completion begins with always fits, any other if a completion
//! from behind it does. Nothing is asked of tokens that are not chosen, so the vocabulary may be of any size.

use std::sync::Arc;

use formwork::{MatchError, TokenId};

use crate::constraint::Constraint;

/// What is known of the end of one output.
#[derive(Debug)]
pub(crate) struct Steering {
    /// Completes the text so far.
    known: Arc<[TokenId]>,
    /// Completes it behind the token that was admitted last.
    behind: Option<(TokenId, Arc<[TokenId]>)>,
}

impl Steering {
    /// Tokens that are drawn at one place before the known completion is followed.
    pub(crate) const MAX_REFUSED: usize = 16;

    pub(crate) fn new(constraint: &mut dyn Constraint) -> Result<Steering, MatchError> {
        Ok(Steering { known: constraint.completion()?, behind: None })
    }

    /// Tokens that the known completion takes.
    pub(crate) fn n_needed(&self) -> usize {
        self.known.len()
    }

    /// The token that surely leads to the end; none where the text is complete.
    pub(crate) fn next(&mut self) -> Option<TokenId> {
        let (first, rest) = self.known.split_first()?;
        self.behind = Some((*first, rest.into()));
        Some(*first)
    }

    /// Whether a token that the constraint allows leaves enough of `n_left` tokens to complete the text.
    pub(crate) fn admits(
        &mut self,
        constraint: &dyn Constraint,
        token: TokenId,
        n_left: usize,
    ) -> Result<bool, MatchError> {
        if self.known.first() == Some(&token) {
            return Ok(self.next().is_some());
        }
        let mut after = constraint.fork();
        let completion = after.accept_token(token).and_then(|()| after.completion());
        match completion {
            Ok(completion) if completion.len() < n_left => {
                self.behind = Some((token, completion));
                Ok(true)
            }
            // What cannot be found within the engine's limits is not known to be there; nor is a token taken that is refused.
            Ok(_) | Err(MatchError::Limit(_) | MatchError::TokenNotAllowed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The token was accepted: it was admitted before.
    pub(crate) fn follow(&mut self, token: TokenId) {
        if let Some((_, completion)) = self.behind.take_if(|(admitted, _)| *admitted == token) {
            self.known = completion;
        }
    }

    /// Another token was accepted in the place of the last one; whether it leaves enough of `n_left` tokens, itself included.
    pub(crate) fn replace(&mut self, constraint: &mut dyn Constraint, n_left: usize) -> bool {
        match constraint.completion() {
            Ok(completion) if completion.len() < n_left => {
                self.known = completion;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use formwork::{CompiledGrammar, Compiler, Grammar};

    use super::*;
    use crate::batch::Batch;
    use crate::config::GenerationConfig;
    use crate::error::DecodeError;
    use crate::generate::{Generation, generate};
    use crate::sampling::Sampling;
    use crate::scripted::{ByteTokenizer, CONTEXT_LENGTH, ScriptedBackend};
    use crate::sequence::{FinishReason, Sequence};
    use crate::speculative::{PromptLookup, generate_speculative};
    use crate::tokenizer::TextTokenizer;

    const PROMPT: &str = "say:";
    const SHAPE: &str = r#"\{"k": "[a-z]*"(, "l": (1|22|\[1(,1)*\]))?\}"#;
    /// Of `SHAPE`; `ab` is a token.
    const LEAST: usize = r#"{"k": ""}"#.len();

    fn compiled(pattern: &str) -> Arc<CompiledGrammar> {
        let tokenizer = ByteTokenizer::new();
        Compiler::new(tokenizer.vocabulary().clone()).compile(&Grammar::regex(pattern)).unwrap()
    }

    /// Wants to go on for ever, in whatever it begins with.
    fn babbling(text: &str) -> ScriptedBackend {
        ScriptedBackend::reciting(PROMPT.len(), &(text.to_owned() + &"abzy".repeat(100)))
    }

    fn check(compiled: &Arc<CompiledGrammar>, generation: &Generation, budget: usize) {
        assert!(generation.tokens.len() <= budget, "{budget}: {generation:?}");
        let mut matcher = compiled.matcher();
        matcher.accept_bytes(generation.text.as_bytes()).unwrap();
        assert!(matcher.is_accepting(), "{budget}: {generation:?}");
    }

    #[test]
    fn every_budget_from_the_least_ends_with_a_complete_text() {
        let (tokenizer, compiled) = (ByteTokenizer::new(), compiled(SHAPE));
        let prompt = tokenizer.encode(PROMPT);
        for fast_forward in [true, false] {
            for sampling in [Sampling::greedy(), Sampling::with_temperature(1.0, 3)] {
                let config = |max_tokens| GenerationConfig {
                    max_tokens,
                    fast_forward,
                    sampling: sampling.clone(),
                    always_complete: true,
                    ..GenerationConfig::default()
                };
                let new = |budget| Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config(budget));
                for budget in LEAST..LEAST + 30 {
                    for begun in [r#"{"k": ""#, r#"{"k": "x", "l": ["#, "[["] {
                        let generation = generate(&mut babbling(begun), new(budget).unwrap()).unwrap();
                        check(&compiled, &generation, budget);
                        let mut drafter = PromptLookup::default();
                        let drafted = generate_speculative(&mut babbling(begun), &mut drafter, new(budget).unwrap(), 3);
                        check(&compiled, &drafted.unwrap().0, budget);
                    }
                }
                let refused = new(LEAST - 1);
                assert!(matches!(refused, Err(DecodeError::BudgetTooSmall { least: LEAST, budget }) if budget < LEAST));
            }
        }
    }

    #[test]
    fn what_fits_is_the_models() {
        let (tokenizer, compiled) = (ByteTokenizer::new(), compiled(SHAPE));
        let text = r#"{"k": "xy", "l": 22}"#;
        let prompt = tokenizer.encode(PROMPT);
        for (budget, is_steered) in [(text.len(), false), (text.len() - 1, true)] {
            let config = GenerationConfig { max_tokens: budget, always_complete: true, ..GenerationConfig::default() };
            let sequence = Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
            let generation = generate(&mut ScriptedBackend::reciting(PROMPT.len(), text), sequence).unwrap();
            assert_eq!((generation.text == text, generation.stats.steered_tokens > 0), (!is_steered, is_steered));
            check(&compiled, &generation, budget);
        }
    }

    #[test]
    fn a_complete_text_may_be_cut_where_it_could_go_on() {
        let (tokenizer, compiled) = (ByteTokenizer::new(), compiled("[0-9]{2}(:[0-9]{2})*"));
        let prompt = tokenizer.encode(PROMPT);
        for (budget, text, finish) in
            [(2, "12", FinishReason::Length), (4, "12", FinishReason::Stop), (5, "12:34", FinishReason::Length)]
        {
            let config = GenerationConfig { max_tokens: budget, always_complete: true, ..GenerationConfig::default() };
            let sequence = Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
            let generation = generate(&mut babbling("12:34:56:78"), sequence).unwrap();
            assert_eq!((generation.text.as_str(), generation.finish), (text, finish));
        }
    }

    #[test]
    fn the_room_in_the_context_is_a_budget_too() {
        let (tokenizer, compiled) = (ByteTokenizer::new(), compiled("x{0,3}[c-z]{30}"));
        let config = GenerationConfig { always_complete: true, ..GenerationConfig::default() };
        for (room, fits) in [(33, true), (30, true), (29, false), (8, false)] {
            let prompt = tokenizer.encode(&"p".repeat(CONTEXT_LENGTH - room));
            let new = || Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
            let mut backend = vec![babbling("")];
            let mut batch = Batch::new(&backend, 1);
            let joined = batch.join(&mut backend, new());
            assert_eq!(joined.is_ok(), fits);
            match generate(&mut babbling(""), new()) {
                Ok(generation) if fits => check(&compiled, &generation, room),
                Err(DecodeError::BudgetTooSmall { least: 30, budget }) if !fits => assert_eq!(budget, room),
                other => panic!("{room}: {other:?}"),
            }
        }
    }
}
