//! outlines-core behind the harness's interface: schema to regular expression, expression to an index of all tokens by state.
//!
//! The index takes every state of the expression's automaton through every token before the first mask is there: minutes
//! and gigabytes for schemas that are not small, and it cannot be stopped. So each expression is tried first, untimed and
//! within bounds, and refused where its automaton has more states than [`MAX_STATES`].

use std::collections::HashSet;
use std::sync::Arc;

use outlines_core::index::Index;
use outlines_core::json_schema;
use outlines_core::vocabulary::Vocabulary;
use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use serde_json::Value;

use super::{Compiled, Engine, Refusal, Sequence, Usage};
use crate::vocabulary::{BenchVocabulary, Entry};

/// States of one automaton. A state in a string takes nearly all of 200,000 tokens: about 5 ms and 4 MB each.
const MAX_STATES: usize = 2_000;
/// Bytes of one expression.
const MAX_REGEX_BYTES: usize = 4 << 20;
/// Bytes of an automaton while it is tried.
const MAX_AUTOMATON_BYTES: usize = 512 << 20;

pub(super) struct OutlinesEngine {
    vocabulary: Vocabulary,
}

impl OutlinesEngine {
    pub(super) fn new(vocabulary: &BenchVocabulary) -> Result<OutlinesEngine, String> {
        let stop = *vocabulary.stop_ids().first().ok_or("the vocabulary has no stop token")?;
        let mut own = Vocabulary::new(stop);
        for (id, entry) in (0..).zip(&vocabulary.entries) {
            if let Entry::Text(bytes) = entry {
                own.try_insert(bytes.clone(), id).map_err(|error| error.to_string())?;
            }
        }
        Ok(OutlinesEngine { vocabulary: own })
    }
}

impl Engine for OutlinesEngine {
    fn name(&self) -> &str {
        "outlines"
    }

    fn check(&self, schema: &Value) -> Result<(), Refusal> {
        let regex = regex(schema)?;
        if regex.len() > MAX_REGEX_BYTES {
            return Err(too_large(format!("an expression of {} bytes", regex.len())));
        }
        let automaton = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .dfa_size_limit(Some(MAX_AUTOMATON_BYTES))
                    .determinize_size_limit(Some(MAX_AUTOMATON_BYTES)),
            )
            .thompson(thompson::Config::new().nfa_size_limit(Some(MAX_AUTOMATON_BYTES)))
            .build(&regex)
            .map_err(|error| too_large(error.to_string()))?;
        match has_more_states(&automaton, MAX_STATES) {
            true => Err(too_large(format!("more than {MAX_STATES} states"))),
            false => Ok(()),
        }
    }

    fn compile(&self, schema: Value) -> Result<Box<dyn Compiled>, Refusal> {
        let index = Index::new(&regex(&schema)?, &self.vocabulary).map_err(|error| refusal(&error))?;
        Ok(Box::new(OutlinesCompiled { index: Arc::new(index) }))
    }
}

fn regex(schema: &Value) -> Result<String, Refusal> {
    json_schema::regex_from_value(schema, None, None).map_err(|error| refusal(&error))
}

fn has_more_states(automaton: &dense::DFA<Vec<u32>>, limit: usize) -> bool {
    let Some(start) = automaton.universal_start_state(Anchored::Yes) else { return false };
    let mut seen: HashSet<StateID> = HashSet::from([start]);
    let mut to_visit = vec![start];
    while let Some(state) = to_visit.pop() {
        let next = (0..=u8::MAX).map(|byte| automaton.next_state(state, byte));
        to_visit.extend(next.filter(|next| !automaton.is_dead_state(*next) && seen.insert(*next)));
        if seen.len() > limit {
            return true;
        }
    }
    false
}

fn too_large(message: String) -> Refusal {
    Refusal { group: "the harness's bound".to_owned(), message }
}

fn refusal(error: &outlines_core::Error) -> Refusal {
    let message: String = error.to_string().chars().take(500).collect();
    Refusal { group: message.chars().take(40).collect(), message }
}

struct OutlinesCompiled {
    index: Arc<Index>,
}

impl Compiled for OutlinesCompiled {
    fn start(&self) -> Result<Box<dyn Sequence>, String> {
        Ok(Box::new(OutlinesSequence { state: self.index.initial_state(), index: Arc::clone(&self.index) }))
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

struct OutlinesSequence {
    index: Arc<Index>,
    state: u32,
}

impl Sequence for OutlinesSequence {
    /// As its own `write_mask_into` for Python: the row is cleared, and the bit of each allowed token set.
    fn fill(&mut self, row: &mut [u32]) -> Result<(), String> {
        row.fill(0);
        let allowed = self.index.allowed_tokens_iter(&self.state).ok_or("no token is allowed")?;
        allowed.for_each(|token| row[*token as usize / 32] |= 1 << (token % 32));
        Ok(())
    }

    fn accept(&mut self, token: u32) -> Result<(), String> {
        self.state = self.index.next_state(&self.state, &token).ok_or("the token is not allowed")?;
        Ok(())
    }
}
