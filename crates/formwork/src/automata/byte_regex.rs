//! Which byte strings does a regular expression match as a whole? Lexemes of grammars that are not JSON.

use super::lazy_dfa::Machine;
use super::nfa::{Closure, Nfa, compile, parse_regex, shorten};
use crate::error::GrammarError;
use crate::limits::Limits;

/// A regular expression over bytes, matched as a whole.
#[derive(Debug)]
pub(crate) struct ByteRegexMachine {
    nfa: Nfa,
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
        let refused = |reason| GrammarError::Regex { pattern: shorten(pattern), reason };
        let nfa = compile(&hir, true, limits).map_err(|fault| fault.or_refused(refused))?;
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
}

fn state(closure: Closure) -> RegexState {
    RegexState { states: closure.kept.into_boxed_slice(), accepting: closure.accepting }
}

impl Machine for ByteRegexMachine {
    type State = RegexState;

    fn n_classes(&self) -> usize {
        self.representatives.len()
    }

    fn start(&self) -> RegexState {
        state(self.nfa.start(false))
    }

    fn step(&self, before: &RegexState, class: usize) -> Option<RegexState> {
        let next = state(self.nfa.step(&before.states, self.representatives[class]));
        (next.accepting || !next.states.is_empty()).then_some(next)
    }

    /// States of the NFA are kept only where they are live.
    fn liveness(&self, state: &RegexState) -> Option<bool> {
        Some(state.accepting || !state.states.is_empty())
    }

    fn is_accepting(&self, state: &RegexState) -> bool {
        state.accepting
    }
}
