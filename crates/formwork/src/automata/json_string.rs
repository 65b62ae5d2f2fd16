//! Which byte strings are JSON strings with this content? The string decoder, a content automaton and a counter.
//!
//! A state is one word: the content automaton's state and the decoder's. The number of characters begun so far is kept
//! beside it by the caller, so that `maxLength` 10 and 1,000,000 make the same states.

use std::sync::{Arc, OnceLock};

use super::content::{ContentDfa, ContentMachine};
use super::decoder::{DecodeState, Decoded, Escapes};
use super::host_name::ends_within;
use super::lazy_dfa::{LazyDfa, Machine, StateId};
use super::lengths::{Lengths, ODD_ROOM, Room};
use super::names::{MAX_NAME, NameAutomaton, NameState};
use super::spec::{ContentConstraint, ContentLanguage, StringSpec};
use crate::error::GrammarError;
use crate::limits::Limits;
use crate::vocabulary::TokenTrie;

/// Automaton of one [`StringSpec`].
#[derive(Debug)]
pub(crate) struct StringAutomaton {
    content: Content,
    lengths: Lengths,
    min_chars: u32,
    max_chars: u32,
    escapes: Escapes,
}

/// The language of the decoded content, lengths left aside; shared by strings that differ in their bounds.
#[derive(Clone, Debug)]
enum Content {
    /// Any content will do.
    Free,
    /// Anything but a few strings, as a trie: a state is a node and one more, 0 before the first character, [`DIVERGED`]
    /// when no string of the trie can be met any more.
    Excluding(Arc<Excluded>),
    Dfa(Arc<SharedDfa>),
    /// International host names.
    Names(Arc<NameAutomaton>),
}

#[derive(Debug)]
struct SharedDfa {
    dfa: ContentDfa,
    /// The lengths of its texts, where they can be told and somebody asked.
    lengths: OnceLock<Option<Lengths>>,
}

/// Strings that a content is none of, and their trie, which is made when it is first asked for: most records hold names
/// that nobody ever comes near.
#[derive(Debug)]
struct Excluded {
    strings: Arc<[Arc<str>]>,
    trie: OnceLock<TokenTrie>,
}

impl Excluded {
    fn trie(&self) -> &TokenTrie {
        let entries = || self.strings.iter().map(|string| (string.as_bytes(), 0)).collect();
        self.trie.get_or_init(|| TokenTrie::new(entries()))
    }

    fn has_empty(&self) -> bool {
        self.strings.first().is_some_and(|first| first.is_empty())
    }

    fn n_bytes(&self) -> usize {
        self.trie.get().map_or(0, TokenTrie::n_bytes)
    }
}

/// See [`Content::Excluding`].
const DIVERGED: StateId = StateId::MAX;

impl Content {
    fn new(spec: &StringSpec, limits: &Limits) -> Result<Content, GrammarError> {
        match &*spec.content {
            [] => Ok(Content::Free),
            [ContentConstraint { language: ContentLanguage::OneOf(strings), negated: true }] => {
                Ok(Content::Excluding(Arc::new(Excluded { strings: Arc::clone(strings), trie: OnceLock::new() })))
            }
            [ContentConstraint { language: ContentLanguage::HostName { international: true }, negated }] => {
                let names = NameAutomaton::new(*negated, limits.max_automaton_states);
                Ok(Content::Names(Arc::new(names)))
            }
            constraints => Content::dfa(constraints, None, limits),
        }
    }

    fn dfa(
        constraints: &[ContentConstraint],
        length: Option<(u32, u32)>,
        limits: &Limits,
    ) -> Result<Content, GrammarError> {
        let machine = ContentMachine::new(constraints, length, limits)?;
        let dfa = LazyDfa::new(machine, limits.max_automaton_states);
        Ok(Content::Dfa(Arc::new(SharedDfa { dfa, lengths: OnceLock::new() })))
    }
}

impl SharedDfa {
    fn lengths(&self) -> Option<&Lengths> {
        let find = || match &self.dfa.machine().measure().of_states {
            Some(lengths) => Some(Lengths::in_parts(lengths)),
            None if self.dfa.machine().is_from_distance() => Some(Lengths::FromDistance),
            None if self.dfa.machine().is_endless() => None,
            None => Lengths::new(&self.dfa),
        };
        self.lengths.get_or_init(find).as_ref()
    }
}

/// The state of [`Content::Excluding`] after one more character.
fn step_excluding(strings: &TokenTrie, state: StateId, char: u32) -> StateId {
    let Some(char) = char::from_u32(char).filter(|_| state != DIVERGED) else { return DIVERGED };
    let mut node = (state as usize).checked_sub(1);
    for byte in char.encode_utf8(&mut [0; 4]).bytes() {
        match strings.child(node, byte) {
            Some(child) => node = Some(child),
            None => return DIVERGED,
        }
    }
    node.map_or(0, |node| node as StateId + 1)
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
    pub(crate) fn new(spec: &StringSpec, limits: &Limits) -> Result<Self, GrammarError> {
        StringAutomaton::bounded(Content::new(spec, limits)?, spec, limits)
    }

    /// The automaton of `spec`, whose content is that of this one.
    pub(crate) fn with_bounds(&self, spec: &StringSpec, limits: &Limits) -> Result<Self, GrammarError> {
        StringAutomaton::bounded(self.content.clone(), spec, limits)
    }

    fn bounded(content: Content, spec: &StringSpec, limits: &Limits) -> Result<Self, GrammarError> {
        let StringSpec { min_chars, max_chars, escapes, .. } = *spec;
        let mut automaton = StringAutomaton {
            content,
            lengths: Lengths::All,
            min_chars,
            max_chars: max_chars.unwrap_or(u32::MAX),
            escapes,
        };
        if !automaton.counts() {
            return Ok(automaton);
        }
        match &automaton.content {
            Content::Dfa(content) => {
                // What the content implies need not be counted.
                let (shortest, longest) = content.dfa.machine().measure().extent;
                automaton.min_chars = if min_chars <= shortest { 0 } else { min_chars };
                automaton.max_chars = max_chars.filter(|max| *max < longest).unwrap_or(u32::MAX);
                if !automaton.counts() {
                    return Ok(automaton);
                }
                match content.lengths() {
                    Some(lengths) => automaton.lengths = lengths.clone(),
                    None => {
                        // The possible lengths are no few intervals, or too many states have them: then the content counts.
                        let bounds = Some((automaton.min_chars, automaton.max_chars));
                        automaton.content = Content::dfa(&spec.content, bounds, limits)?;
                        (automaton.min_chars, automaton.max_chars) = (0, u32::MAX);
                    }
                }
            }
            Content::Names(names) => {
                if !names.is_negated() {
                    // No name is longer than its ASCII form.
                    automaton.max_chars = max_chars.filter(|max| (*max as usize) < MAX_NAME).unwrap_or(u32::MAX);
                    automaton.min_chars = if min_chars <= 1 { 0 } else { min_chars };
                }
                automaton.lengths = if automaton.counts() { Lengths::unknown() } else { Lengths::All };
            }
            Content::Free | Content::Excluding(_) => {}
        }
        Ok(automaton)
    }

    /// Whether content states of both are the same.
    pub(crate) fn shares_content_with(&self, other: &StringAutomaton) -> bool {
        match (&self.content, &other.content) {
            (Content::Dfa(own), Content::Dfa(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }

    /// Whether no string matches.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Dfa(content) if content.dfa.is_empty() => true,
            // Of finitely many strings, those of bounded length may be all that there are: of length 0 there is one.
            Content::Excluding(excluded) if self.max_chars == 0 => excluded.has_empty(),
            _ => !self.admits(0, 0),
        }
    }

    /// How characters may be spelled.
    pub(crate) fn escapes(&self) -> Escapes {
        self.escapes
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

    /// Characters that must and may still come after `n_chars`, cut off where more make no difference to a token of at most
    /// `max_token_chars`: masks are equal where these are.
    pub(crate) fn length_key(&self, content: StateId, n_chars: u32, max_token_chars: u32) -> (u32, u32) {
        if !self.counts() {
            return (0, 0);
        }
        let reach = self.room(content).of_any(max_token_chars);
        let (min, max) = self.bounds(n_chars);
        (min.min(reach), max.min(reach))
    }

    /// Whether there are contents by which tokens may be tried instead of others.
    pub(crate) fn has_trials(&self) -> bool {
        self.dfa().is_some_and(|dfa| dfa.machine().has_trials())
    }

    /// The content by which tokens may be tried, see [`Machine::trial`]; for vocabularies of which no token
    /// holds two names or two numbers of an expression.
    pub(crate) fn trial_of(&self, content: StateId) -> StateId {
        self.dfa().map_or(content, |dfa| dfa.trial_of(content))
    }

    /// The room that tokens need behind `content`.
    pub(crate) fn room(&self, content: StateId) -> Room {
        match (&self.lengths, self.dfa()) {
            (Lengths::FromDistance, Some(dfa)) => {
                Room { base: dfa.ask(content, ContentMachine::room), per_char: 2, odd: ODD_ROOM }
            }
            (lengths, _) => Room { base: lengths.settled(), per_char: 1, odd: 0 },
        }
    }

    pub(crate) fn lengths(&self) -> &Lengths {
        &self.lengths
    }

    /// Whether any content will do.
    pub(crate) fn is_free(&self) -> bool {
        matches!(self.content, Content::Free)
    }

    /// Whether any content will do but for a few strings, lengths left aside.
    pub(crate) fn is_nearly_any(&self) -> bool {
        matches!(self.content, Content::Free | Content::Excluding(_))
    }

    /// The same, of any length.
    pub(crate) fn is_nearly_free(&self) -> bool {
        !self.counts() && self.is_nearly_any()
    }

    /// Where the content is anything but a few strings: their trie and the node that was read so far, or that no such string
    /// can be met any more.
    pub(crate) fn excluded(&self, content: StateId) -> Option<Option<(&TokenTrie, Option<usize>)>> {
        match &self.content {
            Content::Excluding(_) if content == DIVERGED => Some(None),
            Content::Excluding(excluded) => Some(Some((excluded.trie(), (content as usize).checked_sub(1)))),
            _ => None,
        }
    }

    /// The automaton of the content, where it takes one.
    pub(crate) fn dfa(&self) -> Option<&ContentDfa> {
        match &self.content {
            Content::Dfa(content) => Some(&content.dfa),
            _ => None,
        }
    }

    /// Whether whatever follows is taken, in any number of characters, as behind a match that was looked for.
    pub(crate) fn takes_all(&self, content: StateId) -> bool {
        let Some(dfa) = self.dfa() else { return false };
        let is_any_length = !self.counts()
            || !self.lengths.is_unknown(content) && matches!(self.lengths.of(dfa, content), [(0, u32::MAX)]);
        is_any_length && (0..dfa.machine().n_classes()).all(|class| dfa.next(content, class) == Some(content))
    }

    /// Whether every character may follow, here and ever after, lengths left aside. `false` when more than `cap` states would
    /// have to be looked at.
    pub(crate) fn never_dies(&self, content: StateId, cap: usize) -> bool {
        match &self.content {
            Content::Dfa(shared) => shared.dfa.machine().never_dies() || shared.dfa.never_dies(content, cap),
            Content::Free | Content::Excluding(_) => true,
            Content::Names(names) => names.is_negated(),
        }
    }

    /// One byte further; `n_chars` counts the characters begun. `None` where no string of the language goes on so.
    pub(crate) fn step(&self, state: StringState, byte: u8, n_chars: &mut u32) -> Option<StringState> {
        let Decoded { state: decode, started, char } = state.decode().step(byte, self.escapes)?;
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
        let Decoded { state: decode, char, .. } = state.decode().step(byte, self.escapes)?;
        let content = state.content();
        let next = match (&self.content, char) {
            _ if decode == DecodeState::CLOSED => self.is_accepting(content).then_some(content)?,
            (_, Some(char)) => self.step_char(content, char)?,
            (_, None) if !self.can_become(content, decode, None) => return None,
            (_, None) => content,
        };
        Some(StringState::new(next, decode))
    }

    fn step_content(&self, content: StateId, decode: DecodeState, char: Option<u32>, count: u32) -> Option<StateId> {
        if let Some(char) = char {
            let next = self.step_char(content, char)?;
            return self.admits(next, count).then_some(next);
        }
        self.can_become(content, decode, Some(count)).then_some(content)
    }

    /// In the middle of a character: some character that it can become must lead on, and to where the content can be completed
    /// within its bounds if it is the `count`th.
    fn can_become(&self, content: StateId, decode: DecodeState, count: Option<u32>) -> bool {
        let Some(ranges) = decode.code_points(self.escapes) else { return true };
        let dfa = match &self.content {
            Content::Free | Content::Excluding(_) => return true,
            Content::Names(names) => return self.name_can_become(&names.look(content), decode, count),
            Content::Dfa(shared) => &shared.dfa,
        };
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
                let next = dfa.next(content, class);
                if next.is_some_and(|next| count.is_none_or(|count| self.admits(next, count))) {
                    return true;
                }
            }
        }
        false
    }

    /// The state of a content of international host names, by which may be tried what comes next without keeping it.
    pub(crate) fn name_state(&self, content: StateId) -> Option<NameState> {
        match &self.content {
            Content::Names(names) => Some(names.look(content)),
            _ => None,
        }
    }

    /// Like [`step`](StringAutomaton::step), for a byte that does not close the string.
    pub(crate) fn step_name(
        &self,
        name: &NameState,
        decode: DecodeState,
        byte: u8,
        n_chars: &mut u32,
    ) -> Option<(NameState, DecodeState)> {
        let Decoded { state: decode, started, char } = decode.step(byte, self.escapes)?;
        let count = n_chars.saturating_add(u32::from(started));
        if self.counts() && count > self.max_chars {
            return None;
        }
        let next = match char {
            Some(char) => name.step(char).filter(|next| self.admits_name(next, count))?,
            None => self.name_can_become(name, decode, Some(count)).then(|| name.clone())?,
        };
        *n_chars = count;
        Some((next, decode))
    }

    fn name_can_become(&self, name: &NameState, decode: DecodeState, count: Option<u32>) -> bool {
        let Some(mut ranges) = decode.code_points(self.escapes).map(IntoIterator::into_iter) else { return true };
        match count.filter(|_| self.counts()) {
            Some(count) => ranges.any(|range| name.any_in(range, |next| self.admits_name(next, count))),
            None => ranges.any(|range| name.goes_on_in(range)),
        }
    }

    /// See [`admits`](StringAutomaton::admits).
    pub(crate) fn admits_name(&self, name: &NameState, n_chars: u32) -> bool {
        let (min, max) = self.bounds(n_chars);
        !self.counts() || n_chars <= self.max_chars && name.admits(min, max)
    }

    /// The content's state after one whole character.
    pub(crate) fn step_char(&self, content: StateId, char: u32) -> Option<StateId> {
        match &self.content {
            Content::Free => Some(0),
            Content::Excluding(excluded) => Some(step_excluding(excluded.trie(), content, char)),
            Content::Dfa(shared) => shared.dfa.next(content, shared.dfa.machine().alphabet().class(char)),
            Content::Names(names) => names.step(content, char),
        }
    }

    /// Whether the content may end here, lengths left aside.
    fn is_accepting(&self, content: StateId) -> bool {
        match (&self.content, content) {
            (Content::Free, _) | (Content::Excluding(_), DIVERGED) => true,
            (Content::Excluding(excluded), 0) => !excluded.has_empty(),
            (Content::Excluding(excluded), state) => excluded.trie().values(state as usize - 1).is_empty(),
            (Content::Dfa(shared), _) => shared.dfa.is_accepting(content),
            (Content::Names(names), _) => names.is_accepting(content),
        }
    }

    /// Whether the content may end here.
    pub(crate) fn accepts_content(&self, content: StateId, n_chars: u32) -> bool {
        self.is_within_bounds(n_chars) && self.is_accepting(content)
    }

    /// Whether so many characters are neither too few nor too many.
    pub(crate) fn is_within_bounds(&self, n_chars: u32) -> bool {
        !self.counts() || (self.min_chars..=self.max_chars).contains(&n_chars)
    }

    /// Whether the content can be completed within the bounds, `n_chars` characters being there.
    pub(crate) fn admits(&self, content: StateId, n_chars: u32) -> bool {
        if !self.counts() {
            return true;
        }
        let (min, max) = self.bounds(n_chars);
        if n_chars > self.max_chars {
            return false;
        }
        match &self.content {
            Content::Dfa(shared) if self.lengths.is_unknown(content) => {
                ends_within(shared.dfa.ask(content, ContentMachine::short_ends), min, max)
            }
            Content::Names(names) => names.admits(content, min, max),
            Content::Dfa(shared) => {
                self.lengths.of(&shared.dfa, content).iter().any(|(lo, hi)| (*lo).max(min) <= (*hi).min(max))
            }
            _ => min <= max,
        }
    }

    /// No string of the language ends within fewer characters; exact where lengths were worked out already.
    pub(crate) fn chars_to_end(&self, content: StateId, n_chars: u32) -> u32 {
        let (min, max) = self.bounds(n_chars);
        let Content::Dfa(shared) = &self.content else { return min };
        let dfa = &shared.dfa;
        let intervals = match &self.lengths {
            Lengths::ByState { .. } | Lengths::InParts { .. } | Lengths::FromDistance
                if self.counts() && !self.lengths.is_unknown(content) =>
            {
                self.lengths.of(dfa, content)
            }
            _ if dfa.machine().measure().of_states.is_some() => dfa.lengths(content),
            _ => &[],
        };
        let fitting = intervals.iter().map(|(lo, hi)| ((*lo).max(min), (*hi).min(max))).find(|(lo, hi)| lo <= hi);
        fitting.map_or_else(|| min.max(dfa.ask(content, ContentMachine::distance)), |(lo, _)| lo)
    }

    /// Whether states of the content are numbered as they are met.
    pub(crate) fn grows(&self) -> bool {
        matches!(self.content, Content::Dfa(_) | Content::Names(_))
    }

    /// Whether little room is left for states of the content.
    pub(crate) fn is_nearly_full(&self) -> bool {
        match &self.content {
            Content::Free | Content::Excluding(_) => false,
            Content::Dfa(shared) => shared.dfa.is_nearly_full(),
            Content::Names(names) => names.is_nearly_full(),
        }
    }

    /// Bytes held by the content automaton.
    pub(crate) fn n_bytes(&self) -> usize {
        match &self.content {
            Content::Free => 0,
            Content::Excluding(excluded) => excluded.n_bytes(),
            Content::Dfa(shared) => shared.dfa.n_bytes(),
            Content::Names(names) => names.n_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::decide::{Emptiness, string_emptiness};

    fn matched(regex: &str, min_chars: u32, max_chars: Option<u32>) -> StringSpec {
        let language = ContentLanguage::Match(regex.into());
        StringSpec {
            content: vec![ContentConstraint { language, negated: false }],
            min_chars,
            max_chars,
            ..StringSpec::default()
        }
    }

    /// Whether the text is a JSON string of the language; every step on the way must be one that can be completed.
    fn accepts(automaton: &StringAutomaton, text: &str) -> bool {
        let mut n_chars = 0;
        let start = Some(StringState::START);
        let end = text.bytes().fold(start, |state, byte| automaton.step(state?, byte, &mut n_chars));
        end.is_some_and(|state| state.decode() == DecodeState::CLOSED)
    }

    #[test]
    fn lengths_that_come_in_steps_are_counted_in_the_automaton() {
        let limits = Limits::default();
        let spec = matched("(?:[a-z][0-9])+", 3, Some(7));
        let automaton = StringAutomaton::new(&spec, &limits).unwrap();
        for (content, is_in) in [("a1", false), ("a1b2", true), ("a1b2c3", true), ("a1b", false), ("a1b2c3d4", false)] {
            assert_eq!(accepts(&automaton, &format!("\"{content}\"")), is_in, "{content}");
        }
        assert!(automaton.step_text("\"a1b2c3").is_some());
        assert!(automaton.step_text("\"a1b2c3d").is_none(), "an eighth character would have to follow");
        assert_eq!(string_emptiness(&matched("(?:..)+", 3, Some(3)), &limits), Ok(Emptiness::Empty));
        assert_eq!(string_emptiness(&matched("(?:...|.....)+", 4, Some(4)), &limits), Ok(Emptiness::Empty));
        assert_eq!(string_emptiness(&matched("(?:...|.....)+", 4, Some(5)), &limits), Ok(Emptiness::NonEmpty));
    }

    impl StringAutomaton {
        fn step_text(&self, text: &str) -> Option<StringState> {
            let mut n_chars = 0;
            text.bytes().try_fold(StringState::START, |state, byte| self.step(state, byte, &mut n_chars))
        }
    }
}
