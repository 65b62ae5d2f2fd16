//! Does a matcher forget nothing and remember nothing else? Steps in any order against a fresh replay of those that count.
//!
//! The matcher's grammar has caches that are full at all times; the replay has a compiler, a grammar and caches of its own.

use std::sync::Arc;

use formwork::json_schema::SchemaOptions;
use formwork::{CompiledGrammar, Grammar, Limits, MatchError, Matcher, TokenId};
use serde_json::json;

use super::engine::{allowed, compile, compiler};
use super::{Counters, draw};
use crate::oracle::{N_SPECIAL, to_grammar_in_order};
use crate::universe::{Dice, Domain, RandomSchema};
use crate::vocabulary::SmallVocabulary;

const N_RANDOM_TOKENS: usize = 50;
const N_ACTIONS: usize = 24;
const MAX_VALUES: usize = 60;

/// A step that was taken.
#[derive(Clone, Debug)]
enum Step {
    Token(TokenId),
    Bytes(Vec<u8>),
}

/// A matcher, and the steps that it should be behind.
#[derive(Clone)]
struct Sequence {
    matcher: Matcher,
    steps: Vec<Step>,
}

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let mut dice = Dice::from_bytes(input);
    let (grammar, n_special) = grammar(&mut dice);
    let vocabulary = SmallVocabulary::complete(N_RANDOM_TOKENS, dice.below(1 << 16) as u64).with_special(n_special);
    let max_cache_bytes = *dice.pick(&[20_000, 60_000, 64 << 20]);
    let max_history = *dice.pick(&[1_000_000, 1_000_000, 6]);
    let limits = Limits { max_schema_steps: 200_000, ..Limits::default() };
    let tight = compiler(&vocabulary, Limits { max_cache_bytes, max_history, ..limits.clone() });
    let Some(compiled) = compile(&tight, &grammar, counters) else { return };
    let fresh = compiler(&vocabulary, limits).compile(&grammar).expect("it was compiled a moment ago");
    let mut sequences = vec![Sequence { matcher: compiled.matcher(), steps: Vec::new() }];
    for _ in 0..N_ACTIONS {
        let index = dice.below(sequences.len());
        if sequences.len() < 3 && dice.one_in(6) {
            let fork = Sequence { matcher: sequences[index].matcher.fork(), steps: sequences[index].steps.clone() };
            sequences.push(fork);
        }
        let sequence = &mut sequences[index];
        if sequence.act(&vocabulary, &mut dice).is_none() || sequence.check(&fresh, counters).is_none() {
            return counters.count("masks over a limit", 1);
        }
    }
}

fn grammar(dice: &mut Dice) -> (Grammar, u32) {
    let options = |dice: &mut Dice| SchemaOptions { key_order: draw::key_order(dice), ..SchemaOptions::default() };
    match dice.below(4) {
        0 => (Grammar::json_schema(draw::shape_set(dice).to_schema()).with_options(options(dice)), 0),
        1 => {
            let rules = draw::rules(dice);
            (to_grammar_in_order(&rules, draw::key_order(dice)).0, 0)
        }
        2 => {
            let n_special = N_SPECIAL;
            let vocabulary = SmallVocabulary::complete(N_RANDOM_TOKENS, 0).with_special(n_special);
            (Grammar::structure(draw::piece(dice).to_structure(&vocabulary)), n_special)
        }
        _ => {
            let domain = Domain::draw(dice, MAX_VALUES);
            let schema = RandomSchema::draw(dice, &domain).document(&json!({}), false);
            (Grammar::json_schema(schema).with_options(options(dice)), 0)
        }
    }
}

impl Sequence {
    /// Does something; `None` where a limit was met.
    ///
    /// # Panics
    /// Where the matcher contradicts its own mask, or its count of steps.
    fn act(&mut self, vocabulary: &SmallVocabulary, dice: &mut Dice) -> Option<()> {
        let mask = if self.matcher.is_stopped() { Vec::new() } else { allowed(&mut self.matcher)? };
        match dice.below(8) {
            0..=3 if !mask.is_empty() => self.accept(*dice.pick(&mask), &mask),
            4 => self.accept(TokenId::new(dice.below(vocabulary.n_ids()) as u32), &mask),
            5 => self.accept_bytes(&vocabulary.tokens[dice.below(vocabulary.tokens.len())]),
            6 => {
                let n_steps = dice.below(self.matcher.n_steps() + 2);
                let available = self.matcher.n_steps();
                let is_rolled_back = self.matcher.rollback(n_steps).is_ok();
                assert_eq!(is_rolled_back, n_steps <= available, "rollback by {n_steps} of {available}");
                if is_rolled_back {
                    self.steps.truncate(self.steps.len() - n_steps);
                }
                Some(())
            }
            7 if dice.one_in(6) => {
                self.matcher.reset();
                self.steps.clear();
                Some(())
            }
            _ => {
                let forced = self.forced()?;
                if forced.is_empty() { Some(()) } else { self.accept_bytes(&forced) }
            }
        }
    }

    fn forced(&mut self) -> Option<Vec<u8>> {
        match self.matcher.fast_forward_bytes() {
            Ok(forced) => Some(forced),
            Err(MatchError::Limit(_)) => None,
            Err(error) => panic!("{error} after {:?}", self.steps),
        }
    }

    fn accept(&mut self, token: TokenId, mask: &[TokenId]) -> Option<()> {
        match self.matcher.accept_token(token) {
            Ok(()) => {
                assert!(mask.contains(&token), "{token} is taken and not in the mask after {:?}", self.steps);
                self.steps.push(Step::Token(token));
            }
            Err(MatchError::Limit(_)) => return None,
            Err(error) => assert!(!mask.contains(&token), "{error} after {:?}", self.steps),
        }
        Some(())
    }

    fn accept_bytes(&mut self, bytes: &[u8]) -> Option<()> {
        match self.matcher.accept_bytes(bytes) {
            Ok(()) => self.steps.push(Step::Bytes(bytes.to_vec())),
            Err(MatchError::Limit(_)) => return None,
            Err(_) => {}
        }
        Some(())
    }

    /// Replays the steps elsewhere and compares; `None` where a limit was met.
    ///
    /// # Panics
    /// Where the two differ.
    fn check(&mut self, fresh: &Arc<CompiledGrammar>, counters: &mut Counters) -> Option<()> {
        let mut replay = fresh.matcher();
        for step in &self.steps {
            let result = match step {
                Step::Token(token) => replay.accept_token(*token),
                Step::Bytes(bytes) => replay.accept_bytes(bytes),
            };
            match result {
                Ok(()) => {}
                Err(MatchError::Limit(_)) => return None,
                Err(error) => panic!("{error}: {step:?} of {:?}", self.steps),
            }
        }
        let state = |matcher: &Matcher| (matcher.is_accepting(), matcher.is_finished(), matcher.is_stopped());
        assert_eq!(state(&self.matcher), state(&replay), "after {:?}", self.steps);
        if !self.matcher.is_stopped() {
            let (actual, expected) = (allowed(&mut self.matcher)?, allowed(&mut replay)?);
            assert_eq!(actual, expected, "masks after {:?}", self.steps);
            assert!(!actual.is_empty(), "a dead end after {:?}", self.steps);
            counters.count("masks compared", 1);
        }
        Some(())
    }
}
