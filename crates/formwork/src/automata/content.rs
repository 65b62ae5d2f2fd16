//! Is a string's decoded content in all these languages, and outside those? One machine over character classes.
//!
//! Each constraint runs as a component of its own: a regular expression as the set of its NFA's states (Thompson
//! construction by `regex-automata`, compiled over the classes of an [`Alphabet`] instead of bytes), a set of strings as
//! a range in their sorted list. A state of the machine is the tuple of its components' states; products and
//! complements need no further construction, and [`LazyDfa`](super::lazy_dfa::LazyDfa) keeps what is live exact.

use std::sync::Arc;

use regex_automata::nfa::thompson::{self, NFA, State as NfaState, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID as NfaStateId;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look as HirLook, Repetition};
use smallvec::SmallVec;

use super::alphabet::{Alphabet, AlphabetBuilder};
use super::lazy_dfa::Machine;
use super::spec::{ContentConstraint, ContentLanguage};
use crate::error::GrammarError;
use crate::limits::Limits;

/// The conjunction of content constraints.
#[derive(Debug)]
pub(crate) struct ContentMachine {
    alphabet: Alphabet,
    representatives: Vec<Option<char>>,
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    automaton: ComponentAutomaton,
    negated: bool,
}

#[derive(Debug)]
enum ComponentAutomaton {
    Nfa {
        nfa: NFA,
        /// Whether a match anywhere decides, whatever comes after it.
        search: bool,
    },
    OneOf(Arc<[Arc<str>]>),
}

/// State of one component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ComponentState {
    /// Can match no more.
    Dead,
    /// Has matched, whatever follows.
    Done,
    /// NFA states after closure; whether the content may end here.
    Nfa { states: Box<[u32]>, accepting: bool },
    /// The strings `lo..hi` of the sorted list agree on the first `depth` bytes.
    Range { lo: u32, hi: u32, depth: u32 },
}

pub(crate) type ContentState = SmallVec<[ComponentState; 1]>;

impl ContentMachine {
    pub(crate) fn new(constraints: &[ContentConstraint], limits: &Limits) -> Result<ContentMachine, GrammarError> {
        let parsed = constraints.iter().map(|constraint| parse(&constraint.language)).collect::<Result<Vec<_>, _>>()?;
        let mut builder = AlphabetBuilder::default();
        for (constraint, hir) in constraints.iter().zip(&parsed) {
            match (&constraint.language, hir) {
                (_, Some(hir)) => collect_sets(hir, &mut builder),
                (ContentLanguage::OneOf(strings), None) => collect_chars(strings, &mut builder),
                _ => {}
            }
        }
        let alphabet =
            builder.build().ok_or_else(|| refuse(constraints, "it tells more than 256 classes of characters apart"))?;
        let mut components = Vec::new();
        for (constraint, hir) in constraints.iter().zip(parsed) {
            let automaton = match (&constraint.language, hir) {
                (ContentLanguage::OneOf(strings), _) => ComponentAutomaton::OneOf(Arc::clone(strings)),
                (language, Some(hir)) => {
                    let search = matches!(language, ContentLanguage::Search(_));
                    let nfa = compile(&to_classes(&hir, &alphabet), limits)
                        .map_err(|reason| refuse(std::slice::from_ref(constraint), reason))?;
                    ComponentAutomaton::Nfa { nfa, search }
                }
                (_, None) => continue,
            };
            components.push(Component { automaton, negated: constraint.negated });
        }
        Ok(ContentMachine { representatives: alphabet.representatives(), alphabet, components })
    }

    pub(crate) fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// Whether every content can be gone on with by any character: matches that are looked for anywhere can still come, and
    /// finitely many excluded strings can be avoided.
    pub(crate) fn never_dies(&self) -> bool {
        self.components.iter().all(|component| match &component.automaton {
            ComponentAutomaton::Nfa { nfa, search } => *search && !component.negated && nfa.look_set_any().is_empty(),
            ComponentAutomaton::OneOf(_) => component.negated,
        })
    }
}

impl Machine for ContentMachine {
    type State = ContentState;

    fn n_classes(&self) -> usize {
        self.alphabet.n_classes()
    }

    fn start(&self) -> ContentState {
        self.components.iter().map(Component::start).collect()
    }

    fn step(&self, state: &ContentState, class: usize) -> Option<ContentState> {
        let mut next = ContentState::new();
        for (component, state) in self.components.iter().zip(state) {
            let stepped = component.step(state, class, self.representatives[class]);
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
}

impl Component {
    fn start(&self) -> ComponentState {
        match &self.automaton {
            ComponentAutomaton::Nfa { nfa, search } => {
                let start = if *search { nfa.start_unanchored() } else { nfa.start_anchored() };
                close(nfa, *search, true, [start])
            }
            ComponentAutomaton::OneOf(strings) => ComponentState::Range { lo: 0, hi: strings.len() as u32, depth: 0 },
        }
    }

    fn step(&self, state: &ComponentState, class: usize, representative: Option<char>) -> ComponentState {
        match (&self.automaton, state) {
            (_, ComponentState::Dead | ComponentState::Done) => state.clone(),
            (ComponentAutomaton::Nfa { nfa, search }, ComponentState::Nfa { states, .. }) => {
                let targets = states.iter().filter_map(|state| transition(nfa, *state, class as u8));
                close(nfa, *search, false, targets)
            }
            (ComponentAutomaton::OneOf(strings), ComponentState::Range { lo, hi, depth }) => {
                narrow(strings, (*lo, *hi, *depth), representative)
            }
            _ => ComponentState::Dead,
        }
    }

    fn is_accepting(&self, state: &ComponentState) -> bool {
        match (&self.automaton, state) {
            (_, ComponentState::Done) => true,
            (_, ComponentState::Nfa { accepting, .. }) => *accepting,
            (ComponentAutomaton::OneOf(strings), ComponentState::Range { lo, hi, depth }) => {
                lo < hi && strings[*lo as usize].len() == *depth as usize
            }
            _ => false,
        }
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

fn transition(nfa: &NFA, state: u32, class: u8) -> Option<NfaStateId> {
    match nfa.state(NfaStateId::new_unchecked(state as usize)) {
        NfaState::ByteRange { trans } => trans.matches_byte(class).then_some(trans.next),
        NfaState::Sparse(sparse) => sparse.matches_byte(class),
        NfaState::Dense(dense) => dense.matches_byte(class),
        _ => None,
    }
}

/// States of one component after `from`, closed.
fn close(nfa: &NFA, search: bool, at_start: bool, from: impl IntoIterator<Item = NfaStateId>) -> ComponentState {
    let closure = close_over(nfa, at_start, from);
    if closure.matched && search {
        return ComponentState::Done;
    }
    if closure.kept.is_empty() && !closure.accepting {
        return ComponentState::Dead;
    }
    ComponentState::Nfa { states: closure.kept.into_boxed_slice(), accepting: closure.accepting }
}

/// What is reached without input.
pub(crate) struct Closure {
    /// States that read input, sorted.
    pub(crate) kept: Vec<u32>,
    /// A match was reached, wherever the text ends.
    matched: bool,
    /// The text may end here.
    pub(crate) accepting: bool,
}

/// The states reached without input, and whether the text may end there.
pub(crate) fn close_over(nfa: &NFA, at_start: bool, from: impl IntoIterator<Item = NfaStateId>) -> Closure {
    let mut matched = false;
    let mut kept = Vec::new();
    let mut at_end = Vec::new();
    walk_closure(nfa, at_start, false, from, |id, state| match state {
        NfaState::Match { .. } => matched = true,
        NfaState::Look { look: Look::End, next } => at_end.push(*next),
        NfaState::ByteRange { .. } | NfaState::Sparse(_) | NfaState::Dense(_) => kept.push(id.as_u32()),
        _ => {}
    });
    let mut accepting = matched;
    if !accepting && !at_end.is_empty() {
        walk_closure(nfa, at_start, true, at_end, |_, state| accepting |= matches!(state, NfaState::Match { .. }));
    }
    kept.sort_unstable();
    Closure { kept, matched, accepting }
}

/// Visits every state that is reached without input, once.
fn walk_closure(
    nfa: &NFA,
    at_start: bool,
    at_end: bool,
    from: impl IntoIterator<Item = NfaStateId>,
    mut visit: impl FnMut(NfaStateId, &NfaState),
) {
    let mut seen = ahash::AHashSet::new();
    let mut stack: Vec<NfaStateId> = from.into_iter().collect();
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        let state = nfa.state(id);
        visit(id, state);
        match state {
            NfaState::Look { look: Look::Start, next } if at_start => stack.push(*next),
            NfaState::Look { look: Look::End, next } if at_end => stack.push(*next),
            NfaState::Union { alternates } => stack.extend(alternates.iter().copied()),
            NfaState::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            NfaState::Capture { next, .. } => stack.push(*next),
            _ => {}
        }
    }
}

/// The syntax tree of a regular expression; `None` for a set of strings.
fn parse(language: &ContentLanguage) -> Result<Option<Hir>, GrammarError> {
    let (ContentLanguage::Search(pattern) | ContentLanguage::Match(pattern)) = language else { return Ok(None) };
    let hir = parse_regex(pattern)?;
    Ok(Some(hir))
}

/// Parses Rust `regex` syntax with Unicode on; bounded by the parser's own nest limit.
pub(crate) fn parse_regex(pattern: &str) -> Result<Hir, GrammarError> {
    let error = |reason: String| GrammarError::Regex { pattern: shorten(pattern), reason };
    let hir = regex_syntax::ParserBuilder::new()
        .nest_limit(100)
        .build()
        .parse(pattern)
        .map_err(|parse_error| error(first_line(&parse_error)))?;
    match hir.properties().look_set().iter().find(|look| !matches!(look, HirLook::Start | HirLook::End)) {
        Some(_) => Err(error("word and line boundaries are not supported".into())),
        None => Ok(hir),
    }
}

/// What is wrong, without the parser's drawing of the place.
fn first_line(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "malformed".into(),
    }
}

/// Cuts a pattern to a length that fits into one line.
pub(crate) fn shorten(pattern: &str) -> String {
    match pattern.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &pattern[..at]),
        None => pattern.to_owned(),
    }
}

fn refuse(constraints: &[ContentConstraint], reason: impl Into<String>) -> GrammarError {
    let pattern = constraints.iter().find_map(|constraint| match &constraint.language {
        ContentLanguage::Search(pattern) | ContentLanguage::Match(pattern) => Some(shorten(pattern)),
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

/// Adds every set of characters that the expression names.
fn collect_sets(hir: &Hir, builder: &mut AlphabetBuilder) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            for char in String::from_utf8_lossy(&literal.0).chars() {
                builder.add(vec![(char as u32, char as u32)]);
            }
        }
        HirKind::Class(class) => builder.add(class_ranges(class)),
        HirKind::Repetition(repetition) => collect_sets(&repetition.sub, builder),
        HirKind::Capture(capture) => collect_sets(&capture.sub, builder),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_sets(part, builder));
        }
    }
}

fn class_ranges(class: &Class) -> Vec<(u32, u32)> {
    match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start() as u32, range.end() as u32)).collect(),
        // ASCII only: the parser gives byte classes beyond it in no Unicode expression.
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    }
}

/// The same expression over class numbers instead of characters.
fn to_classes(hir: &Hir, alphabet: &Alphabet) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            let classes: Vec<u8> = text.chars().map(|char| alphabet.class(char as u32) as u8).collect();
            Hir::literal(classes)
        }
        HirKind::Class(class) => {
            let ranges = class_ranges(class).into_iter().flat_map(|(lo, hi)| alphabet.classes_in(lo, hi));
            let bytes = ClassBytes::new(ranges.map(|class| ClassBytesRange::new(class as u8, class as u8)));
            Hir::class(Class::Bytes(bytes))
        }
        HirKind::Repetition(repetition) => {
            let sub = Box::new(to_classes(&repetition.sub, alphabet));
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        HirKind::Capture(capture) => to_classes(&capture.sub, alphabet),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| to_classes(part, alphabet)).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(|part| to_classes(part, alphabet)).collect()),
    }
}

fn compile(hir: &Hir, limits: &Limits) -> Result<NFA, String> {
    let config = thompson::Config::new()
        .utf8(false)
        .shrink(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(limits.max_regex_bytes));
    thompson::Compiler::new().configure(config).build_from_hir(hir).map_err(|error| match error.size_limit() {
        Some(limit) => format!("the compiled expression exceeds max_regex_bytes, which is {limit}"),
        None => error.to_string(),
    })
}
