//! How does a terminal's lexeme go on? One interface over all kinds of automata.

use std::sync::Arc;

use super::byte_regex::ByteRegexMachine;
use super::decoder::DecodeState;
use super::free_text::FreeText;
use super::json_string::{StringAutomaton, StringState};
use super::lazy_dfa::LazyDfa;
use super::literals::{MAX_BYTES, MAX_STRINGS, Range};
use super::number::{NumberAutomaton, number_class};
use super::spec::Terminal;
use crate::error::GrammarError;
use crate::ids::TokenId;
use crate::limits::Limits;

/// The automaton of one terminal. A state is one word; strings also count characters beside it. Small, as most terminals
/// of a grammar are literals.
#[derive(Debug)]
pub(crate) enum Automaton {
    Literal(Arc<[u8]>),
    OneOf(Arc<[Box<[u8]>]>),
    Regex(Box<LazyDfa<ByteRegexMachine>>),
    Number(NumberAutomaton),
    String(StringAutomaton),
    FreeText(Box<FreeText>),
    /// One token that has no bytes: no byte is a step of it.
    Special(TokenId),
}

impl Automaton {
    pub(crate) fn new(terminal: &Terminal, limits: &Limits) -> Result<Automaton, GrammarError> {
        let max_states = limits.max_automaton_states;
        Ok(match terminal {
            Terminal::Literal(bytes) => {
                check_literal(bytes)?;
                Automaton::Literal(Arc::clone(bytes))
            }
            Terminal::OneOf(strings) => {
                if strings.len() >= MAX_STRINGS {
                    return Err(GrammarError::Invalid(format!("more than {MAX_STRINGS} alternatives")));
                }
                strings.iter().try_for_each(|bytes| check_literal(bytes))?;
                Automaton::OneOf(Arc::clone(strings))
            }
            Terminal::Regex(pattern) => {
                let dfa = LazyDfa::new(ByteRegexMachine::new(pattern, limits)?, max_states);
                Automaton::Regex(Box::new(dfa))
            }
            Terminal::Number(spec) => Automaton::Number(NumberAutomaton::new(spec, limits)?),
            Terminal::String(spec) => Automaton::String(StringAutomaton::new(spec, limits)?),
            Terminal::FreeText(without) => Automaton::FreeText(Box::new(FreeText::new(without)?)),
            Terminal::Special(token) => Automaton::Special(*token),
        })
    }

    /// Whether no lexeme matches.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Automaton::Literal(_) | Automaton::FreeText(_) | Automaton::Special(_) => false,
            Automaton::OneOf(strings) => strings.is_empty(),
            Automaton::Regex(dfa) => dfa.is_empty(),
            Automaton::Number(number) => number.is_empty(),
            Automaton::String(string) => string.is_empty(),
        }
    }

    /// The state before the first byte.
    pub(crate) fn start(&self) -> u64 {
        match self {
            Automaton::OneOf(strings) => Range::all(strings.len()).to_bits(),
            Automaton::String(_) => StringState::START.to_bits(),
            _ => 0,
        }
    }

    /// Whether the empty text is a lexeme.
    pub(crate) fn accepts_empty(&self) -> bool {
        match self {
            Automaton::Regex(dfa) => dfa.is_accepting(0),
            Automaton::FreeText(_) => true,
            _ => false,
        }
    }

    /// One byte further; `None` where no lexeme goes on so.
    pub(crate) fn step(&self, state: u64, byte: u8, n_chars: &mut u32) -> Option<u64> {
        match self {
            Automaton::Literal(bytes) => (bytes.get(state as usize) == Some(&byte)).then_some(state + 1),
            Automaton::OneOf(strings) => Range::from_bits(state).step(strings, byte).map(Range::to_bits),
            Automaton::Regex(dfa) => dfa.next(state as u32, dfa.machine().class(byte)).map(u64::from),
            Automaton::Number(number) => number.next(state, number_class(byte)?),
            Automaton::String(string) => {
                string.step(StringState::from_bits(state), byte, n_chars).map(StringState::to_bits)
            }
            Automaton::FreeText(text) => text.step(state, byte),
            Automaton::Special(_) => None,
        }
    }

    /// Like [`step`](Automaton::step), and whether the lexeme may end there.
    pub(crate) fn step_and_accepting(&self, state: u64, byte: u8, n_chars: &mut u32) -> Option<(u64, bool)> {
        match self {
            Automaton::Regex(dfa) => {
                let (next, accepting) = dfa.next_and_accepting(state as u32, dfa.machine().class(byte))?;
                Some((next.into(), accepting))
            }
            _ => self.step(state, byte, n_chars).map(|next| (next, self.is_accepting(next))),
        }
    }

    /// The letters of the word that bytes behind `state` finish, where words are remembered: the characters of a string's
    /// content, the bytes of anything else. None behind a byte that has no place.
    pub(crate) fn letters(&self, state: u64, bytes: &[u8]) -> impl Iterator<Item = u32> {
        let decode = match self {
            Automaton::String(string) => Some((StringState::from_bits(state).decode(), string.escapes())),
            _ => None,
        };
        bytes
            .iter()
            .scan(decode, |decode, byte| {
                let Some((state, escapes)) = decode else { return Some(Some(u32::from(*byte))) };
                let decoded = state.step(*byte, *escapes)?;
                *state = decoded.state;
                Some(decoded.char)
            })
            .flatten()
    }

    /// Whether the next byte begins a letter of a string, or the string: no escape and no character is half read.
    pub(crate) fn is_between_letters(&self, state: u64) -> bool {
        match self {
            Automaton::String(_) => {
                matches!(StringState::from_bits(state).decode(), DecodeState::BODY | DecodeState::BEFORE)
            }
            _ => false,
        }
    }

    /// Whether the lexeme may end here.
    pub(crate) fn is_accepting(&self, state: u64) -> bool {
        match self {
            Automaton::Literal(bytes) => state as usize == bytes.len(),
            Automaton::OneOf(strings) => Range::from_bits(state).complete(strings).is_some(),
            Automaton::Regex(dfa) => dfa.is_accepting(state as u32),
            Automaton::Number(number) => number.is_accepting(state),
            Automaton::String(_) => StringState::from_bits(state).decode() == DecodeState::CLOSED,
            Automaton::FreeText(text) => text.is_whole(state),
            Automaton::Special(_) => false,
        }
    }

    /// Whether a longer lexeme goes on from here.
    pub(crate) fn can_go_on(&self, state: u64) -> bool {
        match self {
            Automaton::Literal(bytes) => (state as usize) < bytes.len(),
            Automaton::OneOf(strings) => Range::from_bits(state).can_go_on(strings),
            Automaton::Regex(dfa) => dfa.can_go_on(state as u32),
            Automaton::Number(number) => number.can_go_on(state),
            Automaton::String(_) => StringState::from_bits(state).decode() != DecodeState::CLOSED,
            Automaton::FreeText(_) | Automaton::Special(_) => true,
        }
    }

    /// Whether characters are counted beside the state.
    pub(crate) fn counts(&self) -> bool {
        matches!(self, Automaton::String(string) if string.counts())
    }

    /// Whether states are numbered as they are met.
    pub(crate) fn grows(&self) -> bool {
        match self {
            Automaton::Regex(_) | Automaton::Number(_) => true,
            Automaton::String(string) => string.grows(),
            Automaton::Literal(_) | Automaton::OneOf(_) | Automaton::FreeText(_) | Automaton::Special(_) => false,
        }
    }

    /// Whether it is near its limit on states: what it cannot answer then it will never answer, so that sequences which
    /// begin should be given a new one.
    pub(crate) fn is_nearly_full(&self) -> bool {
        match self {
            Automaton::Regex(dfa) => dfa.is_nearly_full(),
            Automaton::Number(number) => number.is_nearly_full(),
            Automaton::String(string) => string.is_nearly_full(),
            Automaton::Literal(_) | Automaton::OneOf(_) | Automaton::FreeText(_) | Automaton::Special(_) => false,
        }
    }

    /// Bytes held beyond the description.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Automaton::Literal(_) | Automaton::OneOf(_) | Automaton::Special(_) => 0,
            Automaton::Regex(dfa) => dfa.n_bytes(),
            Automaton::Number(number) => number.n_bytes(),
            Automaton::String(string) => string.n_bytes(),
            Automaton::FreeText(text) => text.n_bytes(),
        }
    }
}

fn check_literal(bytes: &[u8]) -> Result<(), GrammarError> {
    match bytes.len() {
        0 => Err(GrammarError::Invalid("a terminal must not be empty".into())),
        n if n >= MAX_BYTES => Err(GrammarError::Invalid(format!("a literal of {n} bytes; at most {MAX_BYTES}"))),
        _ => Ok(()),
    }
}
