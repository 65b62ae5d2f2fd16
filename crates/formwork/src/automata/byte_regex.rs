//! Which byte strings does a regular expression match as a whole? Lexemes of grammars that are not JSON.

use regex_automata::nfa::thompson::{self, NFA, State as NfaState, WhichCaptures};
use regex_automata::util::primitives::StateID as NfaStateId;

use super::lazy_dfa::Machine;
use super::nfa::{close_over, parse_regex, shorten};
use crate::error::GrammarError;
use crate::limits::Limits;

/// A regular expression over bytes, matched as a whole.
#[derive(Debug)]
pub(crate) struct ByteRegexMachine {
    nfa: NFA,
    /// One byte of each class.
    representatives: Vec<u8>,
    classes: [u8; 256],
}

/// NFA states that read input, and whether the text may end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RegexState {
    states: Box<[u32]>,
    accepting: bool,
}

impl ByteRegexMachine {
    pub(crate) fn new(pattern: &str, limits: &Limits) -> Result<ByteRegexMachine, GrammarError> {
        let hir = parse_regex(pattern)?;
        let config = thompson::Config::new()
            .utf8(true)
            .shrink(false)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(limits.max_regex_bytes));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir).map_err(|error| {
            let reason = match error.size_limit() {
                Some(limit) => format!("the compiled expression exceeds max_regex_bytes, which is {limit}"),
                None => error.to_string(),
            };
            GrammarError::Regex { pattern: shorten(pattern), reason }
        })?;
        let byte_classes = nfa.byte_classes();
        let mut classes = [0; 256];
        for (byte, class) in classes.iter_mut().enumerate() {
            *class = byte_classes.get(byte as u8);
        }
        let mut representatives = Vec::new();
        for byte in 0..=255u8 {
            if usize::from(classes[usize::from(byte)]) == representatives.len() {
                representatives.push(byte);
            }
        }
        Ok(ByteRegexMachine { nfa, representatives, classes })
    }

    pub(crate) fn class(&self, byte: u8) -> usize {
        usize::from(self.classes[usize::from(byte)])
    }

    fn close(&self, at_start: bool, from: impl IntoIterator<Item = NfaStateId>) -> Option<RegexState> {
        let closure = close_over(&self.nfa, at_start, from);
        (!closure.kept.is_empty() || closure.accepting)
            .then(|| RegexState { states: closure.kept.into_boxed_slice(), accepting: closure.accepting })
    }
}

impl Machine for ByteRegexMachine {
    type State = RegexState;

    fn n_classes(&self) -> usize {
        self.representatives.len()
    }

    fn start(&self) -> RegexState {
        self.close(true, [self.nfa.start_anchored()])
            .unwrap_or_else(|| RegexState { states: Box::default(), accepting: false })
    }

    fn step(&self, state: &RegexState, class: usize) -> Option<RegexState> {
        let byte = self.representatives[class];
        let targets =
            state.states.iter().filter_map(|state| match self.nfa.state(NfaStateId::new_unchecked(*state as usize)) {
                NfaState::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
                NfaState::Sparse(sparse) => sparse.matches_byte(byte),
                NfaState::Dense(dense) => dense.matches_byte(byte),
                _ => None,
            });
        self.close(false, targets)
    }

    fn is_accepting(&self, state: &RegexState) -> bool {
        state.accepting
    }
}
