//! Is a string's decoded content in all these languages, and outside those? One machine over character classes.
//!
//! Each constraint runs as a component of its own: a regular expression as the set of its NFA's states (Thompson
//! construction by `regex-automata`, compiled over the classes of an [`Alphabet`] instead of bytes), a set of strings as
//! a range in their sorted list. A state of the machine is the tuple of its components' states; products and
//! complements need no further construction, and [`LazyDfa`](super::lazy_dfa::LazyDfa) keeps what is live exact.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex_syntax::hir::Hir;
use smallvec::SmallVec;

use super::alphabet::{Alphabet, AlphabetBuilder};
use super::common::{CommonRests, Pattern, Place};
use super::formula::TooLarge;
use super::host_name::{self, HostState};
use super::json_text::{self, JsonState};
use super::lazy_dfa::{LazyDfa, Machine};
use super::lengths::{Intervals, NfaLengths};
use super::look_around::{LookState, Program};
use super::nfa::{Closure, Nfa, Targets, collect_sets, compile, parse_regex, shorten, to_classes, too_large};
use super::overflow;
use super::spec::{ContentConstraint, ContentLanguage};
use crate::error::GrammarError;
use crate::limits::Limits;

/// What is known of the lengths of texts.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Lengths between which those of all texts lie.
    pub(crate) extent: (u32, u32),
    /// Where an NFA is all there is: the lengths of the texts from each of its states on.
    pub(crate) of_states: Option<NfaLengths>,
}

impl Measured {
    /// Whether there are texts of every length from some length on, behind every text that is read.
    pub(crate) fn is_open_ended(&self) -> bool {
        self.of_states.as_ref().is_some_and(NfaLengths::is_open_ended)
    }
}

/// The automaton of a string's content.
pub(crate) type ContentDfa = LazyDfa<ContentMachine>;

/// The conjunction of content constraints.
#[derive(Debug)]
pub(crate) struct ContentMachine {
    alphabet: Alphabet,
    representatives: Vec<Option<char>>,
    components: Vec<Component>,
    /// What [`measure`](ContentMachine::measure) found.
    measured: OnceLock<Measured>,
    /// What the patterns have in common, two by two.
    common: Mutex<CommonRests>,
}

#[derive(Debug)]
struct Component {
    automaton: ComponentAutomaton,
    negated: bool,
}

#[derive(Debug)]
enum ComponentAutomaton {
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
    /// Characters read, as far as that makes a difference.
    Length(u32),
}

pub(crate) type ContentState = SmallVec<[ComponentState; 1]>;

/// Bytes of memory that stand for one instruction of a program, for a limit that counts bytes.
const INSTRUCTION_BYTES: usize = 64;

impl ContentMachine {
    pub(crate) fn new(
        constraints: &[ContentConstraint],
        length: Option<(u32, u32)>,
        limits: &Limits,
    ) -> Result<ContentMachine, GrammarError> {
        let parsed = constraints.iter().map(|constraint| parse(&constraint.language)).collect::<Result<Vec<_>, _>>()?;
        let mut builder = AlphabetBuilder::default();
        for (constraint, hir) in constraints.iter().zip(&parsed) {
            match (&constraint.language, hir) {
                (_, Some(hir)) => collect_sets(hir, &mut builder),
                (ContentLanguage::OneOf(strings), None) => collect_chars(strings, &mut builder),
                (ContentLanguage::Expression(expression), None) => {
                    expression.node.visit_classes(&mut |ranges| builder.add(ranges.to_vec()));
                }
                (ContentLanguage::JsonText, None) => json_text::add_classes(&mut builder),
                (ContentLanguage::HostName { international: false }, None) => host_name::add_classes(&mut builder),
                _ => {}
            }
        }
        let alphabet =
            builder.build().ok_or_else(|| refuse(constraints, "it tells more than 256 classes of characters apart"))?;
        let mut components = Vec::new();
        for (constraint, hir) in constraints.iter().zip(parsed) {
            let automaton = ComponentAutomaton::new(constraint, hir, &alphabet, limits)?;
            components.push(Component { automaton, negated: constraint.negated });
        }
        if let Some((min, max)) = length {
            components.push(Component { automaton: ComponentAutomaton::Length(min, max), negated: false });
        }
        Ok(ContentMachine {
            representatives: alphabet.representatives(),
            alphabet,
            components,
            measured: OnceLock::new(),
            common: Mutex::default(),
        })
    }

    pub(crate) fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// Whether every content can be gone on with by any character: matches that are looked for anywhere can still come, and
    /// finitely many excluded strings can be avoided.
    pub(crate) fn never_dies(&self) -> bool {
        self.components.iter().all(|component| match &component.automaton {
            ComponentAutomaton::Nfa { nfa, search } => *search && !component.negated && !nfa.looks(),
            ComponentAutomaton::OneOf(_) => component.negated,
            _ => false,
        })
    }

    /// Works out what can be known of lengths without listing states; once.
    pub(crate) fn measure(&self) -> &Measured {
        self.measured.get_or_init(|| {
            let mut measured = Measured { extent: (0, u32::MAX), of_states: None };
            for component in self.components.iter().filter(|component| !component.negated) {
                let ComponentAutomaton::Nfa { nfa, search } = &component.automaton else { continue };
                let Some(lengths) = NfaLengths::new(nfa, *search) else { continue };
                let start = nfa.start(*search);
                if let Some((shortest, longest)) = lengths.extent(&start.kept, start.accepting) {
                    let longest = if start.matched && *search { u32::MAX } else { longest };
                    measured.extent = (shortest.max(measured.extent.0), longest.min(measured.extent.1));
                }
                if self.components.len() == 1 {
                    measured.of_states = Some(lengths);
                }
            }
            measured
        })
    }

    /// Whether a component has matched, whatever follows.
    #[cfg(test)]
    pub(super) fn is_done(&self, state: &ComponentState) -> bool {
        *state == ComponentState::Done
    }

    /// See [`HostState::short_ends`]; nothing where a state is of another kind.
    pub(crate) fn short_ends(&self, state: &ContentState) -> u64 {
        match (&*self.components, &**state) {
            ([Component { negated: false, .. }], [ComponentState::Host(state)]) => state.short_ends(),
            _ => 0,
        }
    }

    /// A component's state; a formula that grew too large is dead and counted as an overflow.
    fn within_limit(&self, state: Result<ComponentState, TooLarge>, component: &Component) -> ComponentState {
        state.unwrap_or_else(|TooLarge| {
            overflow::note();
            if component.negated { ComponentState::Done } else { ComponentState::Dead }
        })
    }
}

impl ComponentAutomaton {
    fn new(
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
            ContentLanguage::HostName { international: false } => Ok(ComponentAutomaton::HostName),
            ContentLanguage::HostName { international: true } => {
                Err(refused("international host names cannot be combined with other constraints".into()))
            }
            ContentLanguage::Search(_) | ContentLanguage::Match(_) => Err(refused("it is malformed".into())),
        }
    }
}

impl Machine for ContentMachine {
    type State = ContentState;

    fn n_classes(&self) -> usize {
        self.alphabet.n_classes()
    }

    fn start(&self) -> ContentState {
        self.components.iter().map(|component| self.within_limit(component.start(), component)).collect()
    }

    fn step(&self, state: &ContentState, class: usize) -> Option<ContentState> {
        let mut next = ContentState::new();
        for (component, state) in self.components.iter().zip(state) {
            let stepped = component.step(state, class, self.representatives[class]);
            let stepped = self.within_limit(stepped, component);
            // A component that has decided against the whole ends the match.
            let fatal = if component.negated { ComponentState::Done } else { ComponentState::Dead };
            if stepped == fatal {
                return None;
            }
            next.push(stepped);
        }
        Some(next)
    }

    fn is_accepting(&self, state: &ContentState) -> bool {
        self.components.iter().zip(state).all(|(component, state)| component.is_accepting(state) != component.negated)
    }

    fn liveness(&self, state: &ContentState) -> Option<bool> {
        let is_live = match (&*self.components, &**state) {
            // Dead texts are not read on, and states of an NFA are kept only where they are live.
            ([Component { negated: false, .. }], [ComponentState::Json(_) | ComponentState::Nfa { .. }]) => true,
            _ => self.short_ends(state) != 0,
        };
        is_live.then_some(true)
    }

    /// Where two of the patterns have no rest in common.
    fn is_surely_dead(&self, state: &ContentState) -> bool {
        let mut places: SmallVec<[(Pattern<'_>, Place<'_>); 4]> = SmallVec::new();
        for (number, (component, state)) in self.components.iter().zip(state).enumerate() {
            if let (ComponentAutomaton::Nfa { nfa, search }, ComponentState::Nfa { states, accepting }, false) =
                (&component.automaton, state, component.negated)
            {
                let pattern = Pattern { nfa, search: *search, number };
                places.push((pattern, Place { states, accepting: *accepting }));
            }
        }
        if places.len() < 2 {
            return false;
        }
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = (1..places.len()).flat_map(|right| (0..right).map(move |left| (left, right)));
        pairs.any(|(left, right)| common.exist(places[left], places[right]) == Some(false))
    }

    /// Tells classes apart by where they lead from each state of an NFA.
    fn alike(&self, state: &ContentState, alike: &mut Vec<u8>) {
        alike.clear();
        let mut targets = Targets::new(self.alphabet.n_classes());
        for (component, state) in self.components.iter().zip(state) {
            match (&component.automaton, state) {
                (_, ComponentState::Dead | ComponentState::Done) | (ComponentAutomaton::Length(..), _) => {}
                (ComponentAutomaton::Nfa { nfa, .. }, ComponentState::Nfa { states, .. }) => {
                    nfa.add_targets(states, &mut targets);
                }
                _ => return,
            }
        }
        targets.group(alike);
    }

    fn distance(&self, state: &ContentState) -> u32 {
        let of_component = |(component, state): (&Component, &ComponentState)| match (&component.automaton, state) {
            (ComponentAutomaton::Nfa { nfa, .. }, ComponentState::Nfa { states, accepting: false })
                if !component.negated =>
            {
                nfa.distance(states)
            }
            _ => 0,
        };
        self.components.iter().zip(state).map(of_component).max().unwrap_or(0)
    }

    /// A host name alone: beside other constraints its states must all be looked at.
    fn is_opaque(&self, state: &ContentState) -> bool {
        match (&*self.components, &**state) {
            ([Component { negated: false, .. }], [ComponentState::Host(state)]) => state.is_opaque(),
            _ => false,
        }
    }

    fn lengths(&self, state: &ContentState) -> Intervals {
        match (&self.measure().of_states, &**state) {
            (Some(lengths), [ComponentState::Nfa { states, accepting }]) => lengths.of(states, *accepting),
            (_, [ComponentState::Done]) => Intervals::from_slice(&[(0, u32::MAX)]),
            _ => Intervals::new(),
        }
    }

    fn n_bytes(&self, state: &ContentState) -> usize {
        let of_component = |state: &ComponentState| match state {
            ComponentState::Nfa { states, .. } => 4 * states.len(),
            ComponentState::Look(state) => state.n_bytes(),
            ComponentState::Json(state) => state.n_bytes(),
            _ => 0,
        };
        state.iter().map(of_component).sum()
    }
}

impl Component {
    fn start(&self) -> Result<ComponentState, TooLarge> {
        Ok(match &self.automaton {
            ComponentAutomaton::Nfa { nfa, search } => nfa_state(nfa.start(*search), *search),
            ComponentAutomaton::OneOf(strings) => ComponentState::Range { lo: 0, hi: strings.len() as u32, depth: 0 },
            ComponentAutomaton::Look(program) => look_state(program.start()?),
            ComponentAutomaton::HostName => ComponentState::Host(HostState::START),
            ComponentAutomaton::JsonText => ComponentState::Json(JsonState::start()),
            ComponentAutomaton::Length(..) => ComponentState::Length(0),
        })
    }

    fn step(
        &self,
        state: &ComponentState,
        class: usize,
        representative: Option<char>,
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
                representative.and_then(|char| state.step(char)).map_or(ComponentState::Dead, ComponentState::Host)
            }
            (ComponentAutomaton::JsonText, ComponentState::Json(state)) => {
                representative.and_then(|char| state.step(char)).map_or(ComponentState::Dead, ComponentState::Json)
            }
            (ComponentAutomaton::Length(_, max), ComponentState::Length(count)) if count >= max => ComponentState::Dead,
            (ComponentAutomaton::Length(min, u32::MAX), ComponentState::Length(count)) => {
                ComponentState::Length((count + 1).min(*min))
            }
            (ComponentAutomaton::Length(..), ComponentState::Length(count)) => ComponentState::Length(count + 1),
            _ => ComponentState::Dead,
        })
    }

    fn is_accepting(&self, state: &ComponentState) -> bool {
        match (&self.automaton, state) {
            (_, ComponentState::Done) => true,
            (_, ComponentState::Nfa { accepting, .. }) => *accepting,
            (_, ComponentState::Look(state)) => state.is_accepting(),
            (_, ComponentState::Host(state)) => state.is_accepting(),
            (_, ComponentState::Json(state)) => state.is_accepting(),
            (ComponentAutomaton::Length(min, _), ComponentState::Length(count)) => count >= min,
            (ComponentAutomaton::OneOf(strings), ComponentState::Range { lo, hi, depth }) => {
                lo < hi && strings[*lo as usize].len() == *depth as usize
            }
            _ => false,
        }
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
fn narrow(strings: &[Arc<str>], (lo, hi, depth): (u32, u32, u32), char: Option<char>) -> ComponentState {
    let Some(char) = char else { return ComponentState::Dead };
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

/// The syntax tree of a regular expression; `None` for a set of strings and for what looks around.
fn parse(language: &ContentLanguage) -> Result<Option<Hir>, GrammarError> {
    match language {
        ContentLanguage::Search(pattern) | ContentLanguage::Match(pattern) => parse_regex(pattern).map(Some),
        ContentLanguage::Expression(expression) => Ok(expression.to_hir()),
        _ => Ok(None),
    }
}

fn refuse(constraints: &[ContentConstraint], reason: impl Into<String>) -> GrammarError {
    let pattern = constraints.iter().find_map(|constraint| match &constraint.language {
        ContentLanguage::Search(pattern) | ContentLanguage::Match(pattern) => Some(shorten(pattern)),
        ContentLanguage::Expression(expression) => Some(shorten(&expression.source)),
        ContentLanguage::HostName { .. } => Some("a host name".to_owned()),
        ContentLanguage::JsonText => Some("a JSON text".to_owned()),
        ContentLanguage::OneOf(_) => None,
    });
    GrammarError::Regex { pattern: pattern.unwrap_or_default(), reason: reason.into() }
}

fn collect_chars(strings: &[Arc<str>], builder: &mut AlphabetBuilder) {
    let mut chars: Vec<char> = strings.iter().flat_map(|string| string.chars()).collect();
    chars.sort_unstable();
    chars.dedup();
    for char in chars {
        builder.add(vec![(char as u32, char as u32)]);
    }
}
