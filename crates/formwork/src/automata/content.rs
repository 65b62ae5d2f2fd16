//! Is a string's decoded content in all these languages, and outside those? One machine over character classes.
//!
//! Each constraint runs as a component of its own: a regular expression as the set of its NFA's states (Thompson
//! construction by `regex-automata`, compiled over the classes of an [`Alphabet`] instead of bytes), a set of strings as
//! a range in their sorted list. A state of the machine is the tuple of its components' states; products and
//! complements need no further construction, and [`LazyDfa`](super::lazy_dfa::LazyDfa) keeps what is live exact.

mod cases;
mod rests;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use regex_syntax::hir::Hir;
use smallvec::SmallVec;

use self::cases::Cases;
use super::alphabet::{Alphabet, AlphabetBuilder};
use super::common::{CommonRests, Pattern, Place};
use super::component::{Component, ComponentAutomaton, ComponentState, KnownId, KnownStates, decided};
use super::decide::without_endless_states;
use super::formula::TooLarge;
use super::host_name;
use super::json_text;
use super::lazy_dfa::{LazyDfa, Machine};
use super::lengths::{Intervals, NfaLengths};
use super::nfa::{Targets, collect_sets, parse_regex, shorten};
use super::overflow::{self, OverflowWatch};
use super::regex_text;
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
    representatives: Vec<char>,
    components: Vec<Component>,
    /// Where one of several combinations will do.
    cases: Option<Cases>,
    /// Whether it is known that nothing fits.
    is_nothing: bool,
    /// What [`measure`](ContentMachine::measure) found.
    measured: OnceLock<Measured>,
    /// What the patterns have in common, two by two.
    common: Mutex<CommonRests>,
    /// By component, where there is not just one.
    known: Mutex<Vec<KnownStates>>,
}

/// A state of all components together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ContentState {
    /// Of the only one.
    One(ComponentState),
    /// Of each, by its number.
    Many(SmallVec<[KnownId; 8]>),
}

/// Steps that making a state of any components counts as.
const STEP_COST: usize = 6;
/// Steps that one of several components adds.
const NUMBER_COST: usize = 4;
/// Combinations that are looked at in the time of one step.
const CASES_PER_STEP: usize = 4;
/// Steps that looking at two patterns counts as, where it is known of all their states whether they have a rest in common.
const STEPS_PER_PAIR: usize = 4;

impl ContentMachine {
    pub(crate) fn new(
        constraints: &[ContentConstraint],
        length: Option<(u32, u32)>,
        limits: &Limits,
    ) -> Result<ContentMachine, GrammarError> {
        let alternatives = match constraints {
            [ContentConstraint { language: ContentLanguage::Combination(alternatives), negated: false }] => {
                Some(alternatives)
            }
            _ => None,
        };
        let languages = alternatives.map(|alternatives| {
            let languages = alternatives.languages().iter().cloned();
            languages.map(|language| ContentConstraint { language, negated: false }).collect::<Vec<_>>()
        });
        let constraints = languages.as_deref().unwrap_or(constraints);
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
                (ContentLanguage::RegexText, None) => regex_text::add_classes(&mut builder),
                (ContentLanguage::HostName { international: false }, None) => host_name::add_classes(&mut builder),
                _ => {}
            }
        }
        let alphabet =
            builder.build().ok_or_else(|| refuse(constraints, "it tells more than 256 classes of characters apart"))?;
        let cases = alternatives.map(|alternatives| Cases::new(alternatives.cases()));
        let mut components = Vec::new();
        for (constraint, hir) in constraints.iter().zip(parsed) {
            let automaton = ComponentAutomaton::new(constraint, hir, &alphabet, limits)?;
            components.push(Component { automaton, negated: constraint.negated });
        }
        if let Some((min, max)) = length {
            components.push(Component { automaton: ComponentAutomaton::Length(min, max), negated: false });
        }
        let is_nothing = components.len() > 1 && cases.is_none() && wider_is_empty(constraints, length, limits)?;
        let n_known = if components.len() == 1 { 0 } else { components.len() };
        let known = || KnownStates::new(alphabet.n_classes(), limits.max_automaton_states);
        let known = std::iter::repeat_with(known).take(n_known).collect();
        Ok(ContentMachine {
            representatives: alphabet.representatives(),
            alphabet,
            components,
            cases,
            is_nothing,
            measured: OnceLock::new(),
            common: Mutex::default(),
            known: Mutex::new(known),
        })
    }

    pub(crate) fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// Whether every content can be gone on with by any character: matches that are looked for anywhere can still come, and
    /// finitely many excluded strings can be avoided.
    pub(crate) fn never_dies(&self) -> bool {
        let never_dies = |component: &Component| match &component.automaton {
            ComponentAutomaton::Nfa { nfa, search } => *search && !component.negated && !nfa.looks(),
            ComponentAutomaton::OneOf(_) => component.negated,
            _ => false,
        };
        self.cases.is_none() && self.components.iter().all(never_dies)
    }

    /// Whether states are without end, so that they are not to be listed. Those of a host name alone have an end, but for
    /// the opaque ones.
    pub(crate) fn is_endless(&self) -> bool {
        self.components.iter().any(|component| match component.automaton {
            ComponentAutomaton::JsonText | ComponentAutomaton::RegexText => true,
            ComponentAutomaton::HostName => self.components.len() > 1,
            _ => false,
        })
    }

    /// Whether states may have others by which it is tried what comes next.
    pub(crate) fn has_trials(&self) -> bool {
        self.components.iter().any(|component| matches!(component.automaton, ComponentAutomaton::RegexText))
    }

    /// Whether texts of all lengths from a state's distance on are accepted from it.
    pub(crate) fn is_from_distance(&self) -> bool {
        use ComponentAutomaton::{JsonText, RegexText};
        self.cases.is_none()
            && matches!(&*self.components, [Component { automaton: JsonText | RegexText, negated: false }])
    }

    /// See [`RegexState::room`](super::regex_text::RegexState::room); nothing where a state is of another kind.
    pub(crate) fn room(&self, state: &ContentState) -> u32 {
        match state {
            ContentState::One(state) => state.shortest_rest().map_or(0, |(_, room)| room),
            ContentState::Many(_) => 0,
        }
    }

    /// Works out what can be known of lengths without listing states; once.
    pub(crate) fn measure(&self) -> &Measured {
        self.measured.get_or_init(|| {
            let mut measured = Measured { extent: (0, u32::MAX), of_states: None };
            if self.cases.is_some() {
                return measured;
            }
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

    /// By component, see [`Component::distance`].
    fn distances(&self, state: &ContentState) -> SmallVec<[u32; 8]> {
        let numbers = match state {
            ContentState::One(state) => {
                return self.components.iter().map(|component| component.distance(state)).collect();
            }
            ContentState::Many(numbers) => numbers,
        };
        let mut known = self.known();
        let components = self.components.iter().zip(known.iter_mut()).zip(numbers);
        components.map(|((component, known), number)| known.distance(component, *number)).collect()
    }

    /// At least so many characters must come; where one of several combinations will do, nothing is known.
    pub(crate) fn distance(&self, state: &ContentState) -> u32 {
        if self.cases.is_some() {
            return 0;
        }
        self.distances(state).into_iter().max().unwrap_or(0)
    }

    /// Whether a component has matched, whatever follows.
    #[cfg(test)]
    pub(super) fn any_is_done(&self, state: &ContentState) -> bool {
        match state {
            ContentState::One(state) => *state == ComponentState::Done,
            ContentState::Many(numbers) => numbers.contains(&super::component::DONE),
        }
    }

    /// See [`HostState::short_ends`](super::host_name::HostState::short_ends); nothing where a state is of another kind.
    pub(crate) fn short_ends(&self, state: &ContentState) -> u64 {
        match (&*self.components, state) {
            ([Component { negated: false, .. }], ContentState::One(ComponentState::Host(state))) => state.short_ends(),
            _ => 0,
        }
    }

    /// Whether what is wanted can still be had; where one of several combinations will do, what none of them asks for any
    /// longer is not followed.
    fn settle(&self, state: &mut ContentState) -> bool {
        match (&self.cases, state) {
            (None, _) => true,
            (Some(cases), ContentState::One(state)) => cases.may_hold(std::iter::once(state.decided())),
            (Some(cases), ContentState::Many(numbers)) => cases.settle(numbers),
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<KnownStates>> {
        // Every change leaves what is known true.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step_component(&self, component: &Component, state: &ComponentState, class: usize) -> ComponentState {
        self.within_limit(component.step(state, class, self.representatives[class]), component)
    }

    /// The same by number, at an extra charge where it is not known; `None` where there is no room for another state.
    fn step_known(&self, at: usize, known: &mut KnownStates, number: KnownId, class: usize) -> Option<KnownId> {
        known.step(number, class, |state| {
            overflow::charge(state.extra_cost());
            self.step_component(&self.components[at], state, class)
        })
    }

    /// A component's state; a formula that grew too large is dead and counted as an overflow.
    fn within_limit(&self, state: Result<ComponentState, TooLarge>, component: &Component) -> ComponentState {
        state.unwrap_or_else(|TooLarge| {
            overflow::note();
            if component.negated { ComponentState::Done } else { ComponentState::Dead }
        })
    }
}

impl Machine for ContentMachine {
    type State = ContentState;

    fn n_classes(&self) -> usize {
        self.alphabet.n_classes()
    }

    fn start(&self) -> ContentState {
        let start = |component: &Component| self.within_limit(component.start(), component);
        if let [component] = &*self.components {
            return ContentState::One(start(component));
        }
        let numbered = |(component, known): (&Component, &mut KnownStates)| known.number(start(component));
        // There is room for one state.
        let numbers = self.components.iter().zip(self.known().iter_mut()).filter_map(numbered).collect();
        let mut start = ContentState::Many(numbers);
        self.settle(&mut start);
        start
    }

    fn step(&self, state: &ContentState, class: usize) -> Option<ContentState> {
        // A component that has decided against the whole ends the match.
        let is_fatal =
            |component: &Component, decided: Option<bool>| self.cases.is_none() && decided == Some(component.negated);
        let mut next = match (&*self.components, state) {
            ([component], ContentState::One(state)) => {
                let stepped = self.step_component(component, state, class);
                if is_fatal(component, stepped.decided()) {
                    return None;
                }
                ContentState::One(stepped)
            }
            (components, ContentState::Many(numbers)) => {
                let mut next = SmallVec::with_capacity(numbers.len());
                for (at, (known, number)) in self.known().iter_mut().zip(numbers).enumerate() {
                    let Some(stepped) = self.step_known(at, known, *number, class) else {
                        overflow::note();
                        return None;
                    };
                    if is_fatal(&components[at], decided(stepped)) {
                        return None;
                    }
                    next.push(stepped);
                }
                ContentState::Many(next)
            }
            _ => return None,
        };
        self.settle(&mut next).then_some(next)
    }

    fn is_accepting(&self, state: &ContentState) -> bool {
        let known = self.known();
        let mut components = self.components.iter().zip(resolved(&known, state));
        let Some(cases) = &self.cases else {
            return components.all(|(component, state)| component.is_accepting(state) != component.negated);
        };
        let matches: SmallVec<[bool; 8]> = components.map(|(component, state)| component.is_accepting(state)).collect();
        cases.may_hold(matches.iter().map(|matches| Some(*matches)))
    }

    fn liveness(&self, state: &ContentState) -> Option<bool> {
        if self.is_nothing {
            return Some(false);
        }
        let is_live = match (&*self.components, state) {
            // Dead texts are not read on, and states of an NFA are kept only where they are live.
            (
                [Component { negated: false, .. }],
                ContentState::One(ComponentState::Json(_) | ComponentState::Nfa { .. }),
            ) => self.cases.is_none(),
            // An expression can be completed, and spoilt: by a parenthesis too many, if need be.
            (_, ContentState::One(ComponentState::Regex(_))) => self.cases.is_none(),
            (_, ContentState::One(_)) => self.short_ends(state) != 0,
            (_, ContentState::Many(_)) if self.cases.is_none() => {
                return self.can_end(state).or_else(|| self.ends_soon(state));
            }
            _ => false,
        };
        is_live.then_some(true)
    }

    /// Where two of the patterns have no rest in common, or there is no room for what must come.
    fn is_surely_dead(&self, state: &ContentState) -> bool {
        if self.cases.is_some() {
            return false;
        }
        let distance = self.distance(state);
        let known = self.known();
        let is_too_long = |(component, state): (&Component, &ComponentState)| match (&component.automaton, state) {
            (ComponentAutomaton::Length(_, max), ComponentState::Length(count)) => distance > max - count,
            _ => false,
        };
        if self.components.iter().zip(resolved(&known, state)).any(is_too_long) {
            return true;
        }
        let mut places: SmallVec<[(Pattern<'_>, Place<'_>); 4]> = SmallVec::new();
        for (number, (component, state)) in self.components.iter().zip(resolved(&known, state)).enumerate() {
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
        // Without steps to look there is no answer, and whoever searches on is told so.
        if !overflow::spend(places.len() * places.len() * STEPS_PER_PAIR / 2) {
            return false;
        }
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = (1..places.len()).flat_map(|right| (0..right).map(move |left| (left, right)));
        pairs.any(|(left, right)| common.exist(places[left], places[right]) == Some(false))
    }

    /// Tells classes apart where each of the constraints can.
    fn alike(&self, state: &ContentState, alike: &mut Vec<u8>) {
        alike.clear();
        let numbers = match (&*self.components, state) {
            ([component], ContentState::One(state)) => return component.alike(state, &self.representatives, alike),
            (_, ContentState::One(_)) => return,
            (_, ContentState::Many(numbers)) => numbers,
        };
        let mut targets = Targets::new(self.alphabet.n_classes());
        let mut known = self.known();
        for ((component, known), number) in self.components.iter().zip(known.iter_mut()).zip(numbers) {
            let Some(of_component) = known.alike(component, *number, &self.representatives) else { continue };
            if of_component.is_empty() {
                return;
            }
            targets.add(of_component.iter().copied().map(u32::from));
        }
        targets.group(alike);
    }

    /// Beside others, which read the same, it is the one expression's.
    fn model(&self, state: &ContentState) -> Option<(ContentState, usize)> {
        let model = |state: &ComponentState| match state {
            ComponentState::Regex(state) => {
                state.model().map(|(model, other)| (ComponentState::Regex(model.into()), other))
            }
            _ => None,
        };
        let class = |other: char| self.alphabet.class(other.into());
        let numbers = match state {
            ContentState::One(state) => {
                return model(state).map(|(model, other)| (ContentState::One(model), class(other)));
            }
            ContentState::Many(_) if !self.has_trials() => return None,
            ContentState::Many(numbers) => numbers,
        };
        let known = &mut *self.known();
        let models = numbers.iter().enumerate().filter_map(|(at, number)| Some((at, model(known[at].get(*number))?)));
        let [(at, (model, other))] = <[_; 1]>::try_from(models.take(2).collect::<Vec<_>>()).ok()?;
        let mut numbers = numbers.clone();
        numbers[at] = known[at].number(model)?;
        Some((ContentState::Many(numbers), class(other)))
    }

    fn trial(&self, state: &ContentState) -> Option<ContentState> {
        let trial = |state: &ComponentState| match state {
            ComponentState::Regex(state) => Some(ComponentState::Regex(state.trial()?.into())),
            _ => None,
        };
        let numbers = match state {
            ContentState::One(state) => return trial(state).map(ContentState::One),
            ContentState::Many(numbers) => numbers,
        };
        let mut numbers = numbers.clone();
        let mut is_other = false;
        for (number, known) in numbers.iter_mut().zip(self.known().iter_mut()) {
            if let Some(trial) = trial(known.get(*number)) {
                *number = known.number(trial)?;
                is_other = true;
            }
        }
        is_other.then_some(ContentState::Many(numbers))
    }

    /// The nearest combination's constraints one after the other: one letter seldom serves two of them.
    fn guess(&self, state: &ContentState) -> u32 {
        let distances = self.distances(state);
        let Some(cases) = &self.cases else { return distances.into_iter().fold(0, u32::saturating_add) };
        let decided: SmallVec<[_; 8]> = resolved(&self.known(), state).map(ComponentState::decided).collect();
        cases.nearest(decided.iter().copied(), &distances)
    }

    /// A host name alone: beside other constraints its states must all be looked at.
    fn is_opaque(&self, state: &ContentState) -> bool {
        match (&*self.components, state) {
            ([Component { negated: false, .. }], ContentState::One(ComponentState::Host(state))) => state.is_opaque(),
            _ => false,
        }
    }

    fn lengths(&self, state: &ContentState) -> Intervals {
        match (&self.measure().of_states, state) {
            (Some(lengths), ContentState::One(ComponentState::Nfa { states, accepting })) => {
                lengths.of(states, *accepting)
            }
            (_, state) if self.is_from_distance() => Intervals::from_slice(&[(self.distance(state), u32::MAX)]),
            (_, ContentState::One(ComponentState::Done)) if self.cases.is_none() => {
                Intervals::from_slice(&[(0, u32::MAX)])
            }
            _ => Intervals::new(),
        }
    }

    /// Each constraint that is not decided yet steps by itself.
    fn cost(&self, state: &ContentState) -> usize {
        match state {
            ContentState::One(state) => STEP_COST + state.cost(),
            ContentState::Many(numbers) => {
                let n_cases = self.cases.as_ref().map_or(0, |cases| cases.len() / CASES_PER_STEP);
                STEP_COST + n_cases + NUMBER_COST * numbers.iter().filter(|number| decided(**number).is_none()).count()
            }
        }
    }

    fn n_own_bytes(&self) -> usize {
        let cases = self.cases.as_ref().map_or(0, Cases::n_bytes);
        cases + self.known().iter().map(KnownStates::n_bytes).sum::<usize>()
    }

    fn is_nearly_full(&self) -> bool {
        self.known().iter().any(KnownStates::is_nearly_full)
    }

    fn n_bytes(&self, state: &ContentState) -> usize {
        match state {
            ContentState::One(state) => state.n_bytes(),
            ContentState::Many(numbers) if numbers.spilled() => 4 * numbers.len(),
            ContentState::Many(_) => 0,
        }
    }
}

/// Whether nothing fits constraints even where those whose states are without end ask less: a search would not come to that.
fn wider_is_empty(
    constraints: &[ContentConstraint],
    length: Option<(u32, u32)>,
    limits: &Limits,
) -> Result<bool, GrammarError> {
    let Some(wider) = without_endless_states(constraints).filter(|wider| !wider.is_empty()) else { return Ok(false) };
    let watch = OverflowWatch::start();
    let dfa = LazyDfa::new(ContentMachine::new(&wider, length, limits)?, limits.max_automaton_states);
    let is_empty = watch.is_clear() && dfa.is_empty();
    watch.forget();
    Ok(is_empty)
}

/// The components' states, in their order.
fn resolved<'s>(known: &'s [KnownStates], state: &'s ContentState) -> impl Iterator<Item = &'s ComponentState> {
    let (one, many) = match state {
        ContentState::One(state) => (Some(state), &[][..]),
        ContentState::Many(numbers) => (None, &numbers[..]),
    };
    one.into_iter().chain(many.iter().zip(known).map(|(number, known)| known.get(*number)))
}

/// The syntax tree of a regular expression; `None` for a set of strings and for what looks around.
fn parse(language: &ContentLanguage) -> Result<Option<Hir>, GrammarError> {
    match language {
        ContentLanguage::Search(pattern) | ContentLanguage::Match(pattern) => parse_regex(pattern).map(Some),
        ContentLanguage::Expression(expression) => Ok(expression.to_hir()),
        _ => Ok(None),
    }
}

pub(super) fn refuse(constraints: &[ContentConstraint], reason: impl Into<String>) -> GrammarError {
    let pattern = constraints.iter().find_map(|constraint| match &constraint.language {
        ContentLanguage::Search(pattern) | ContentLanguage::Match(pattern) => Some(shorten(pattern)),
        ContentLanguage::Expression(expression) => Some(shorten(&expression.source)),
        ContentLanguage::HostName { .. } => Some("a host name".to_owned()),
        ContentLanguage::JsonText => Some("a JSON text".to_owned()),
        ContentLanguage::RegexText => Some("a regular expression".to_owned()),
        ContentLanguage::Combination(_) => Some("a combination".to_owned()),
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
