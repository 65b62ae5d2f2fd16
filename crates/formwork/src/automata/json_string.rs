//! Which byte strings are JSON strings with this content? The string decoder, a content automaton and a counter.
//!
//! A state is one word: the content automaton's state and the decoder's. The number of characters begun so far is kept
//! beside it by the caller, so that `maxLength` 10 and 1,000,000 make the same states.

use super::content::ContentMachine;
use super::decoder::{DecodeState, Decoded};
use super::lazy_dfa::{LazyDfa, Overflows, StateId};
use super::lengths::Lengths;
use super::spec::StringSpec;
use crate::error::GrammarError;
use crate::limits::Limits;

/// Automaton of one [`StringSpec`].
#[derive(Debug)]
pub(crate) struct StringAutomaton {
    /// `None` when any content will do.
    content: Option<LazyDfa<ContentMachine>>,
    lengths: Lengths,
    min_chars: u32,
    max_chars: u32,
}

/// A state: the content's state above the decoder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StringState(u64);

impl StringState {
    pub(crate) const START: StringState = StringState::new(0, DecodeState::BEFORE);

    pub(crate) const fn new(content: StateId, decode: DecodeState) -> StringState {
        StringState((content as u64) << 32 | decode.to_bits() as u64)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u64) -> StringState {
        StringState(bits)
    }

    pub(crate) const fn content(self) -> StateId {
        (self.0 >> 32) as u32
    }

    pub(crate) const fn decode(self) -> DecodeState {
        DecodeState::from_bits(self.0 as u32)
    }
}

impl StringAutomaton {
    pub(crate) fn new(spec: &StringSpec, limits: &Limits, overflows: &Overflows) -> Result<Self, GrammarError> {
        let content = match spec.content.is_empty() {
            true => None,
            false => {
                let machine = ContentMachine::new(&spec.content, limits)?;
                Some(LazyDfa::new(machine, limits.max_automaton_states, Overflows::clone(overflows)))
            }
        };
        let bounded = spec.min_chars > 0 || spec.max_chars.is_some();
        let lengths = match &content {
            Some(dfa) if bounded => Lengths::new(dfa).ok_or_else(|| too_complex(spec))?,
            _ => Lengths::All,
        };
        Ok(StringAutomaton {
            content,
            lengths,
            min_chars: spec.min_chars,
            max_chars: spec.max_chars.unwrap_or(u32::MAX),
        })
    }

    /// Whether no string matches.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.content {
            Some(dfa) if dfa.is_empty() => true,
            _ => !self.admits(0, 0),
        }
    }

    /// Whether the number of characters matters at all.
    pub(crate) fn counts(&self) -> bool {
        self.min_chars > 0 || self.max_chars < u32::MAX
    }

    /// Characters that must still come, and that may still come, after `n_chars`.
    pub(crate) fn bounds(&self, n_chars: u32) -> (u32, u32) {
        let max = if self.max_chars == u32::MAX { u32::MAX } else { self.max_chars.saturating_sub(n_chars) };
        (self.min_chars.saturating_sub(n_chars), max)
    }

    pub(crate) fn lengths(&self) -> &Lengths {
        &self.lengths
    }

    pub(crate) fn content(&self) -> Option<&LazyDfa<ContentMachine>> {
        self.content.as_ref()
    }

    /// One byte further; `n_chars` counts the characters begun. `None` where no string of the language goes on so.
    pub(crate) fn step(&self, state: StringState, byte: u8, n_chars: &mut u32) -> Option<StringState> {
        let Decoded { state: decode, started, char } = state.decode().step(byte)?;
        if decode == DecodeState::CLOSED {
            return self.accepts_content(state.content(), *n_chars).then(|| StringState::new(state.content(), decode));
        }
        let mut count = *n_chars;
        if started && self.counts() {
            if count >= self.max_chars {
                return None;
            }
            count += 1;
        }
        let content = self.step_content(state.content(), decode, char, count)?;
        *n_chars = count;
        Some(StringState::new(content, decode))
    }

    /// One byte further, lengths left aside.
    pub(crate) fn step_unbounded(&self, state: StringState, byte: u8) -> Option<StringState> {
        let Decoded { state: decode, char, .. } = state.decode().step(byte)?;
        let content = match (&self.content, char) {
            (Some(dfa), Some(char)) => dfa.next(state.content(), dfa.machine().alphabet().class(char))?,
            (Some(dfa), None) if decode == DecodeState::CLOSED => {
                return dfa.is_accepting(state.content()).then(|| StringState::new(state.content(), decode));
            }
            (Some(dfa), None) => self.can_become(dfa, state.content(), decode, |_| true).then_some(state.content())?,
            (None, _) => 0,
        };
        Some(StringState::new(content, decode))
    }

    fn step_content(&self, content: StateId, decode: DecodeState, char: Option<u32>, count: u32) -> Option<StateId> {
        let Some(dfa) = &self.content else { return Some(0) };
        if let Some(char) = char {
            let next = dfa.next(content, dfa.machine().alphabet().class(char))?;
            return self.admits(next, count).then_some(next);
        }
        self.can_become(dfa, content, decode, |next| self.admits(next, count)).then_some(content)
    }

    /// In the middle of a character: some character that it can become must lead to a state that is `good`.
    fn can_become(
        &self,
        dfa: &LazyDfa<ContentMachine>,
        content: StateId,
        decode: DecodeState,
        good: impl Fn(StateId) -> bool,
    ) -> bool {
        let Some(ranges) = decode.code_points() else { return true };
        let alphabet = dfa.machine().alphabet();
        let mut tried = [0u64; 4];
        for (lo, hi) in ranges {
            if lo > hi {
                continue;
            }
            for class in alphabet.classes_in(lo, hi) {
                if tried[class / 64] & (1 << (class % 64)) != 0 {
                    continue;
                }
                tried[class / 64] |= 1 << (class % 64);
                if dfa.next(content, class).is_some_and(&good) {
                    return true;
                }
            }
        }
        false
    }

    /// The content's state after one whole character.
    pub(crate) fn step_char(&self, content: StateId, char: u32) -> Option<StateId> {
        match &self.content {
            None => Some(0),
            Some(dfa) => dfa.next(content, dfa.machine().alphabet().class(char)),
        }
    }

    /// Whether the content may end here.
    pub(crate) fn accepts_content(&self, content: StateId, n_chars: u32) -> bool {
        let long_enough = !self.counts() || (self.min_chars..=self.max_chars).contains(&n_chars);
        long_enough && self.content.as_ref().is_none_or(|dfa| dfa.is_accepting(content))
    }

    /// Whether the content can be completed within the bounds, `n_chars` characters being there.
    pub(crate) fn admits(&self, content: StateId, n_chars: u32) -> bool {
        if !self.counts() {
            return true;
        }
        let (min, max) = self.bounds(n_chars);
        n_chars <= self.max_chars && self.lengths.admits(content, min, max)
    }

    /// Bytes held by the content automaton.
    pub(crate) fn n_bytes(&self) -> usize {
        self.content.as_ref().map_or(0, LazyDfa::n_bytes)
    }
}

fn too_complex(spec: &StringSpec) -> GrammarError {
    GrammarError::Regex {
        pattern: format!("{:?}", spec.content).chars().take(60).collect(),
        reason: "too complex to be combined with length bounds".into(),
    }
}
