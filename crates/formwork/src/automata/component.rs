//! How does one constraint on a string's content step? A component of the machine of all of them.
//!
//! Where there are several, the states of each are numbered and its steps kept: there are far more combinations of states
//! than states.

use std::sync::Arc;

use regex_syntax::hir::Hir;

use super::alphabet::Alphabet;
use super::content::refuse;
use super::formula::TooLarge;
use super::host_name::HostState;
use super::json_text::JsonState;
use super::look_around::{LookState, Program};
use super::nfa::{Closure, Nfa, Targets, compile, to_classes, too_large};
use super::overflow::{self, OverflowWatch};
use super::regex_text::RegexState;
use super::spec::{ContentConstraint, ContentLanguage};
use crate::error::GrammarError;
use crate::hash::Numbered;
use crate::limits::Limits;

/// Bytes of memory that stand for one instruction of a program, for a limit that counts bytes.
const INSTRUCTION_BYTES: usize = 64;

#[derive(Debug)]
pub(super) struct Component {
    pub(super) automaton: ComponentAutomaton,
    pub(super) negated: bool,
}

#[derive(Debug)]
pub(super) enum ComponentAutomaton {
    Nfa {
        nfa: Nfa,
        /// Whether a match anywhere decides, whatever comes after it.
        search: bool,
    },
    OneOf(Arc<[Arc<str>]>),
    /// An expression with look-around.
    Look(Program),
    HostName,
    JsonText,
    RegexText,
    /// At least and at most so many characters.
    Length(u32, u32),
}

/// State of one component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ComponentState {
    /// Can match no more.
    Dead,
    /// Has matched, whatever follows.
    Done,
    /// NFA states after closure; whether the content may end here.
    Nfa {
        states: Box<[u32]>,
        accepting: bool,
    },
    /// The strings `lo..hi` of the sorted list agree on the first `depth` bytes.
    Range {
        lo: u32,
        hi: u32,
        depth: u32,
    },
    Look(Arc<LookState>),
    Host(HostState),
    Json(JsonState),
    Regex(Box<RegexState>),
    /// Characters read, as far as that makes a difference.
    Length(u32),
}

impl ComponentState {
    /// Bytes held beside itself.
    pub(super) fn n_bytes(&self) -> usize {
        match self {
            ComponentState::Nfa { states, .. } => 4 * states.len(),
            ComponentState::Look(state) => state.n_bytes(),
            ComponentState::Json(state) => state.n_bytes(),
            ComponentState::Regex(state) => size_of::<RegexState>() + state.n_bytes(),
            _ => 0,
        }
    }

    /// Whether it is decided already that the content matches, or that it does not.
    pub(super) fn decided(&self) -> Option<bool> {
        match self {
            ComponentState::Done => Some(true),
            ComponentState::Dead => Some(false),
            _ => None,
        }
    }

    /// Of texts that can be completed in any number of characters from one on: that number, and the room for what tokens
    /// may add, see [`RegexState::room`].
    pub(super) fn shortest_rest(&self) -> Option<(u32, u32)> {
        match self {
            ComponentState::Json(state) => Some((state.distance(), state.room())),
            ComponentState::Regex(state) => Some((state.distance(), state.room())),
            _ => None,
        }
    }

    /// A text of that number of characters, or of more where something stands between and behind some of them.
    pub(super) fn shortest_text(&self, between: &str) -> Option<String> {
        match self {
            ComponentState::Json(state) => state.shortest_text().filter(|_| between.is_empty()),
            ComponentState::Regex(state) => state.shortest_text(between),
            _ => None,
        }
    }

    /// Whether a character may follow such a text, again and again.
    pub(super) fn may_follow(&self, text: &str, char: char) -> bool {
        match self {
            ComponentState::Json(_) => matches!(char, ' ' | '\t' | '\n' | '\r'),
            ComponentState::Regex(state) => state.may_follow(text, char),
            _ => false,
        }
    }

    /// Steps of a mask that a step from here counts as.
    pub(super) fn cost(&self) -> usize {
        match self {
            ComponentState::Dead | ComponentState::Done => 0,
            ComponentState::Length(_) | ComponentState::Range { .. } => 2,
            ComponentState::Nfa { states, .. } => 10 + 2 * states.len(),
            ComponentState::Look(state) => 20 + state.n_bytes() / 2,
            ComponentState::Json(state) => 10 + state.n_bytes() / 2,
            ComponentState::Regex(state) => 20 + state.n_bytes() / 2,
            ComponentState::Host(_) => 20,
        }
    }

    /// Steps of a mask that finding out something new about it counts as, beside those that asking does: an NFA is in many
    /// states at once.
    pub(super) fn extra_cost(&self) -> usize {
        match self {
            ComponentState::Nfa { states, .. } => 2 * states.len(),
            _ => 0,
        }
    }
}

impl ComponentAutomaton {
    pub(super) fn new(
        constraint: &ContentConstraint,
        hir: Option<Hir>,
        alphabet: &Alphabet,
        limits: &Limits,
    ) -> Result<ComponentAutomaton, GrammarError> {
        let refused = |reason: String| refuse(std::slice::from_ref(constraint), reason);
        if let Some(hir) = hir {
            let nfa = compile(&to_classes(&hir, alphabet), false, limits).map_err(|fault| fault.or_refused(refused))?;
            return Ok(ComponentAutomaton::Nfa { nfa, search: constraint.language.is_search() });
        }
        match &constraint.language {
            ContentLanguage::OneOf(strings) => Ok(ComponentAutomaton::OneOf(Arc::clone(strings))),
            ContentLanguage::Expression(expression) => {
                let max = limits.max_regex_bytes / INSTRUCTION_BYTES;
                let program = Program::new(&expression.node, expression.whole, alphabet, max);
                program.map(ComponentAutomaton::Look).ok_or_else(|| too_large(limits))
            }
            ContentLanguage::JsonText => Ok(ComponentAutomaton::JsonText),
            ContentLanguage::RegexText => Ok(ComponentAutomaton::RegexText),
            ContentLanguage::HostName { international: false } => Ok(ComponentAutomaton::HostName),
            ContentLanguage::HostName { international: true } => {
                Err(refused("international host names cannot be combined with other constraints".into()))
            }
            ContentLanguage::Search(_) | ContentLanguage::Match(_) => Err(refused("it is malformed".into())),
            ContentLanguage::Combination(_) => Err(refused("it must stand alone".into())),
        }
    }
}

impl Component {
    pub(super) fn start(&self) -> Result<ComponentState, TooLarge> {
        Ok(match &self.automaton {
            ComponentAutomaton::Nfa { nfa, search } => nfa_state(nfa.start(*search), *search),
            ComponentAutomaton::OneOf(strings) => ComponentState::Range { lo: 0, hi: strings.len() as u32, depth: 0 },
            ComponentAutomaton::Look(program) => look_state(program.start()?),
            ComponentAutomaton::HostName => ComponentState::Host(HostState::START),
            ComponentAutomaton::JsonText => ComponentState::Json(JsonState::start()),
            ComponentAutomaton::RegexText => ComponentState::Regex(Box::new(RegexState::start())),
            ComponentAutomaton::Length(..) => ComponentState::Length(0),
        })
    }

    pub(super) fn step(
        &self,
        state: &ComponentState,
        class: usize,
        representative: char,
    ) -> Result<ComponentState, TooLarge> {
        Ok(match (&self.automaton, state) {
            (_, ComponentState::Dead | ComponentState::Done) => state.clone(),
            (ComponentAutomaton::Nfa { nfa, search }, ComponentState::Nfa { states, .. }) => {
                nfa_state(nfa.step(states, class as u8), *search)
            }
            (ComponentAutomaton::OneOf(strings), ComponentState::Range { lo, hi, depth }) => {
                narrow(strings, (*lo, *hi, *depth), representative)
            }
            (ComponentAutomaton::Look(program), ComponentState::Look(state)) => look_state(program.step(state, class)?),
            (ComponentAutomaton::HostName, ComponentState::Host(state)) => {
                state.step(representative).map_or(ComponentState::Dead, ComponentState::Host)
            }
            (ComponentAutomaton::JsonText, ComponentState::Json(state)) => {
                state.step(representative).map_or(ComponentState::Dead, ComponentState::Json)
            }
            (ComponentAutomaton::RegexText, ComponentState::Regex(state)) => {
                state.step(representative).map_or(ComponentState::Dead, |next| ComponentState::Regex(Box::new(next)))
            }
            (ComponentAutomaton::Length(_, max), ComponentState::Length(count)) if count >= max => ComponentState::Dead,
            (ComponentAutomaton::Length(min, u32::MAX), ComponentState::Length(count)) => {
                ComponentState::Length((count + 1).min(*min))
            }
            (ComponentAutomaton::Length(..), ComponentState::Length(count)) => ComponentState::Length(count + 1),
            _ => ComponentState::Dead,
        })
    }

    /// The least number of characters until it can match, as far as that is known. Of a component that must not match
    /// nothing is.
    pub(super) fn distance(&self, state: &ComponentState) -> u32 {
        match (&self.automaton, state) {
            _ if self.negated => 0,
            (ComponentAutomaton::Nfa { nfa, .. }, ComponentState::Nfa { states, accepting: false }) => {
                nfa.distance(states)
            }
            (ComponentAutomaton::Length(min, _), ComponentState::Length(count)) => min.saturating_sub(*count),
            (_, state) => state.shortest_rest().map_or(0, |(distance, _)| distance),
        }
    }

    /// For each letter, the first one that leads where it does, as far as that is easy to tell; else nothing.
    pub(super) fn alike(&self, state: &ComponentState, representatives: &[char], alike: &mut Vec<u8>) {
        alike.clear();
        match (&self.automaton, state) {
            (_, ComponentState::Dead | ComponentState::Done) | (ComponentAutomaton::Length(..), _) => {
                alike.resize(representatives.len(), 0);
            }
            (ComponentAutomaton::Nfa { nfa, .. }, ComponentState::Nfa { states, .. }) => {
                let mut targets = Targets::new(representatives.len());
                nfa.add_targets(states, &mut targets);
                targets.group(alike);
            }
            (_, ComponentState::Regex(state)) => state.alike(representatives, alike),
            _ => {}
        }
    }

    pub(super) fn is_accepting(&self, state: &ComponentState) -> bool {
        match (&self.automaton, state) {
            (_, ComponentState::Done) => true,
            (_, ComponentState::Nfa { accepting, .. }) => *accepting,
            (_, ComponentState::Look(state)) => state.is_accepting(),
            (_, ComponentState::Host(state)) => state.is_accepting(),
            (_, ComponentState::Json(state)) => state.is_accepting(),
            (_, ComponentState::Regex(state)) => state.is_accepting(),
            (ComponentAutomaton::Length(min, _), ComponentState::Length(count)) => count >= min,
            (ComponentAutomaton::OneOf(strings), ComponentState::Range { lo, hi, depth }) => {
                lo < hi && strings[*lo as usize].len() == *depth as usize
            }
            _ => false,
        }
    }
}

/// Number of a component's state among those that were met.
pub(super) type KnownId = u32;

/// The number of [`ComponentState::Dead`].
pub(super) const DEAD: KnownId = 0;
/// The number of [`ComponentState::Done`].
pub(super) const DONE: KnownId = 1;
/// The first of other states.
const FIRST: usize = 2;

/// [`ComponentState::decided`] of a state by its number.
pub(super) fn decided(number: KnownId) -> Option<bool> {
    match number {
        DONE => Some(true),
        DEAD => Some(false),
        _ => None,
    }
}

/// What was asked of a state.
#[derive(Debug, Default)]
struct Facts {
    distance: Option<u32>,
    /// Nothing within where all letters are alike.
    alike: Option<Option<Box<[u8]>>>,
}

/// The states of one component that were met, and where they lead.
#[derive(Debug)]
pub(super) struct KnownStates {
    states: Numbered<ComponentState>,
    /// By state, from the first that can step, and class: one above where it leads; 0 where that was not asked.
    next: Vec<u32>,
    /// By state that can step.
    facts: Vec<Facts>,
    n_classes: usize,
    /// Bytes that states hold.
    n_bytes: usize,
    max_states: usize,
}

impl KnownStates {
    pub(super) fn new(n_classes: usize, max_states: usize) -> KnownStates {
        let states = Numbered::from_iter([ComponentState::Dead, ComponentState::Done]);
        // There is always a start state.
        KnownStates {
            states,
            next: Vec::new(),
            facts: Vec::new(),
            n_classes,
            n_bytes: 0,
            max_states: max_states.max(1),
        }
    }

    pub(super) fn get(&self, number: KnownId) -> &ComponentState {
        &self.states[number as usize]
    }

    pub(super) fn n_bytes(&self) -> usize {
        let of_rows = 4 * self.next.capacity() + size_of::<Facts>() * self.facts.capacity();
        self.n_bytes + of_rows + 2 * size_of::<ComponentState>() * self.states.capacity()
    }

    /// Whether little room is left for states.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.states.len() >= overflow::nearly(self.max_states) + FIRST
    }

    /// The number of a state; `None` where there are too many.
    pub(super) fn number(&mut self, state: ComponentState) -> Option<KnownId> {
        if let Some(number) = self.states.get_index_of(&state) {
            return Some(number as KnownId);
        }
        if self.states.len() >= self.max_states + FIRST {
            return None;
        }
        self.n_bytes += state.n_bytes();
        self.next.resize(self.next.len() + self.n_classes, 0);
        self.facts.push(Facts::default());
        Some(self.states.insert_full(state).0 as KnownId)
    }

    /// Where a state leads; `step` finds it out where that is not known. What it has no answer for is not remembered, so
    /// that whoever asks next is told as well.
    pub(super) fn step(
        &mut self,
        number: KnownId,
        class: usize,
        step: impl FnOnce(&ComponentState) -> ComponentState,
    ) -> Option<KnownId> {
        let Some(row) = (number as usize).checked_sub(FIRST) else { return Some(number) };
        let slot = row * self.n_classes + class;
        if let Some(known) = self.next[slot].checked_sub(1) {
            return Some(known);
        }
        let watch = OverflowWatch::start();
        let stepped = step(&self.states[number as usize]);
        let target = self.number(stepped)?;
        if watch.is_clear() {
            self.next[slot] = target + 1;
        }
        Some(target)
    }

    /// [`Component::distance`] of a state of `component`, whose states these are.
    pub(super) fn distance(&mut self, component: &Component, number: KnownId) -> u32 {
        let Some(row) = (number as usize).checked_sub(FIRST) else { return component.distance(self.get(number)) };
        *self.facts[row].distance.get_or_insert_with(|| component.distance(&self.states[number as usize]))
    }

    /// [`Component::alike`] of a state of `component`, whose states these are; `None` where all letters are.
    pub(super) fn alike(&mut self, component: &Component, number: KnownId, representatives: &[char]) -> Option<&[u8]> {
        let row = (number as usize).checked_sub(FIRST)?;
        let (state, n_bytes) = (&self.states[number as usize], &mut self.n_bytes);
        let alike = self.facts[row].alike.get_or_insert_with(|| {
            overflow::charge(state.extra_cost());
            let mut alike = Vec::new();
            component.alike(state, representatives, &mut alike);
            if alike.iter().all(|first| *first == 0) && !alike.is_empty() {
                return None;
            }
            *n_bytes += alike.len();
            Some(alike.into_boxed_slice())
        });
        alike.as_deref()
    }
}

fn look_state(state: LookState) -> ComponentState {
    match (state.is_always(), state.is_never()) {
        (true, _) => ComponentState::Done,
        (_, true) => ComponentState::Dead,
        _ => ComponentState::Look(Arc::new(state)),
    }
}

/// The strings of a range that go on with `char`.
fn narrow(strings: &[Arc<str>], (lo, hi, depth): (u32, u32, u32), char: char) -> ComponentState {
    let mut buffer = [0; 4];
    let bytes = char.encode_utf8(&mut buffer).as_bytes();
    let range = &strings[lo as usize..hi as usize];
    fn rest(string: &str, depth: u32) -> &[u8] {
        &string.as_bytes()[depth as usize..]
    }
    let start = range.partition_point(|string| rest(string, depth) < bytes);
    let n = range[start..].partition_point(|string| rest(string, depth).starts_with(bytes));
    if n == 0 {
        return ComponentState::Dead;
    }
    let lo = lo + start as u32;
    ComponentState::Range { lo, hi: lo + n as u32, depth: depth + bytes.len() as u32 }
}

fn nfa_state(closure: Closure, search: bool) -> ComponentState {
    if closure.matched && search {
        return ComponentState::Done;
    }
    if closure.kept.is_empty() && !closure.accepting {
        return ComponentState::Dead;
    }
    ComponentState::Nfa { states: closure.kept.into_boxed_slice(), accepting: closure.accepting }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::overflow;

    #[test]
    fn only_steps_with_an_answer_are_remembered() {
        let mut known = KnownStates::new(1, 0);
        let start = known.number(ComponentState::Length(0)).expect("there is room for a start state");
        for _ in 0..2 {
            let watch = OverflowWatch::start();
            let without_answer = known.step(start, 0, |_| {
                overflow::note();
                ComponentState::Dead
            });
            assert_eq!(without_answer, Some(DEAD));
            assert!(!watch.is_clear());
        }
        assert_eq!(known.step(start, 0, |_| ComponentState::Length(1)), None, "there is no room for another one");
        assert_eq!(known.step(start, 0, |_| ComponentState::Done), Some(DONE));
        assert_eq!(known.step(start, 0, |_| ComponentState::Dead), Some(DONE), "it is not asked for again");
    }
}
