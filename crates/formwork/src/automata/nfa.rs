//! How does the NFA of a regular expression step over character classes? Thompson construction by `regex-automata`.
//!
//! Expressions are compiled over the classes of an [`Alphabet`] instead of bytes.

use std::collections::VecDeque;

use fixedbitset::FixedBitSet;
use regex_automata::nfa::thompson::{self, NFA, State as NfaState, WhichCaptures};
use regex_automata::util::alphabet::ByteClasses;
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID as NfaStateId;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look as HirLook, Repetition};
use smallvec::SmallVec;

use super::alphabet::{Alphabet, AlphabetBuilder};
use crate::error::{GrammarError, LimitError};
use crate::limits::Limits;

/// A Thompson NFA without the states from which no match is reached.
#[derive(Debug)]
pub(crate) struct Nfa {
    thompson: NFA,
    /// By state: letters to the nearest match, [`NEVER`] where none can be reached, behind the start of the text.
    distances: Vec<u32>,
}

const NEVER: u32 = u32::MAX;

/// What is reached without input.
#[derive(Debug)]
pub(crate) struct Closure {
    /// Live states that read input, sorted.
    pub(crate) kept: Vec<u32>,
    /// A match was reached, wherever the text ends.
    pub(super) matched: bool,
    /// The text may end here.
    pub(crate) accepting: bool,
}

/// Letters that one state reads, from `lo` to `hi`, and what is reached behind them.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) lo: u8,
    pub(super) hi: u8,
    pub(super) behind: Closure,
}

/// Odd, and with its bits well mixed: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Where letters lead from some states: to tell apart those that lead somewhere else.
pub(super) struct Targets {
    n_letters: usize,
    /// For each state that was added, by letter.
    of_states: Vec<u32>,
}

impl Targets {
    pub(super) fn new(n_letters: usize) -> Targets {
        Targets { n_letters, of_states: Vec::new() }
    }

    /// Adds where all letters lead, by numbers of any kind.
    pub(super) fn add(&mut self, leads: impl Iterator<Item = u32>) {
        self.of_states.extend(leads);
    }

    /// For each letter, the first one that leads where it does.
    pub(super) fn group(&self, alike: &mut Vec<u8>) {
        let column = |letter: usize| self.of_states.iter().skip(letter).step_by(self.n_letters);
        // Nearly all columns that differ differ in this.
        let mut sums = vec![0u64; self.n_letters];
        for row in self.of_states.chunks_exact(self.n_letters) {
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, target)| *sum = (*sum ^ u64::from(*target)).wrapping_mul(MULTIPLIER));
        }
        let mut firsts: SmallVec<[u8; 16]> = SmallVec::new();
        for letter in 0..self.n_letters {
            let are_alike = |first: usize| sums[first] == sums[letter] && column(first).eq(column(letter));
            let first = firsts.iter().copied().find(|first| are_alike(usize::from(*first)));
            alike.push(first.unwrap_or_else(|| {
                firsts.push(letter as u8);
                letter as u8
            }));
        }
    }
}

/// Edges against their direction: for each state, where they come from.
#[derive(Default)]
pub(super) struct Sources {
    starts: Vec<u32>,
    sources: Vec<u32>,
}

impl Nfa {
    pub(crate) fn new(thompson: NFA) -> Nfa {
        let mut nfa = Nfa { distances: vec![NEVER; thompson.states().len()], thompson };
        let (reads, empties) = (nfa.reading_edges(false), nfa.empty_edges());
        let mut pending: VecDeque<(usize, u32)> = nfa.accepting().ones().map(|state| (state, 0)).collect();
        while let Some((state, distance)) = pending.pop_front() {
            if nfa.distances[state] != NEVER {
                continue;
            }
            nfa.distances[state] = distance;
            empties.of(state).iter().for_each(|source| pending.push_front((*source as usize, distance)));
            reads.of(state).iter().for_each(|source| pending.push_back((*source as usize, distance + 1)));
        }
        nfa
    }

    pub(super) fn n_states(&self) -> usize {
        self.thompson.states().len()
    }

    /// Whether it looks for the start or the end of the text.
    pub(super) fn looks(&self) -> bool {
        !self.thompson.look_set_any().is_empty()
    }

    pub(crate) fn byte_classes(&self) -> &ByteClasses {
        self.thompson.byte_classes()
    }

    /// Before the first letter; with `search`, a match may begin anywhere.
    pub(crate) fn start(&self, search: bool) -> Closure {
        let start = if search { self.thompson.start_unanchored() } else { self.thompson.start_anchored() };
        self.close(true, [start])
    }

    /// Behind one more letter.
    pub(crate) fn step(&self, states: &[u32], letter: u8) -> Closure {
        let target = |state: &u32| match self.thompson.state(NfaStateId::new_unchecked(*state as usize)) {
            NfaState::ByteRange { trans } => trans.matches_byte(letter).then_some(trans.next),
            NfaState::Sparse(sparse) => sparse.matches_byte(letter),
            NfaState::Dense(dense) => dense.matches_byte(letter),
            _ => None,
        };
        self.close(false, states.iter().filter_map(target))
    }

    /// Where a state leads by itself.
    pub(super) fn edges_from(&self, state: u32) -> Vec<Edge> {
        let mut edges = Vec::new();
        transitions(self.thompson.state(NfaStateId::new_unchecked(state as usize)), |lo, hi, next| {
            edges.push(Edge { lo, hi, behind: self.close(false, [next]) });
        });
        edges
    }

    /// Adds where letters lead from `states`.
    pub(super) fn add_targets(&self, states: &[u32], targets: &mut Targets) {
        for state in states {
            let from = targets.of_states.len();
            targets.of_states.resize(from + targets.n_letters, NEVER);
            let row = &mut targets.of_states[from..];
            let mut add = |start: u8, end: u8, next: NfaStateId| {
                let letters = usize::from(start)..(usize::from(end) + 1).min(row.len());
                row[letters].fill(next.as_u32());
            };
            transitions(self.thompson.state(NfaStateId::new_unchecked(*state as usize)), &mut add);
        }
    }

    fn close(&self, at_start: bool, from: impl IntoIterator<Item = NfaStateId>) -> Closure {
        let mut matched = false;
        let mut kept = Vec::new();
        let mut at_end = Vec::new();
        self.walk_closure(at_start, false, from, |id, state| match state {
            NfaState::Match { .. } => matched = true,
            NfaState::Look { look: Look::End, next } => at_end.push(*next),
            _ if reads(state) => kept.push(id.as_u32()),
            _ => {}
        });
        let mut accepting = matched;
        if !accepting && !at_end.is_empty() {
            self.walk_closure(at_start, true, at_end, |_, state| accepting |= matches!(state, NfaState::Match { .. }));
        }
        kept.retain(|state| self.is_live(*state as usize));
        kept.sort_unstable();
        Closure { kept, matched, accepting }
    }

    /// Visits every state that is reached without input, once.
    fn walk_closure(
        &self,
        at_start: bool,
        at_end: bool,
        from: impl IntoIterator<Item = NfaStateId>,
        mut visit: impl FnMut(NfaStateId, &NfaState),
    ) {
        let mut seen = FixedBitSet::with_capacity(self.n_states());
        let mut stack: SmallVec<[NfaStateId; 16]> = from.into_iter().collect();
        while let Some(id) = stack.pop() {
            if seen.put(id.as_usize()) {
                continue;
            }
            let state = self.thompson.state(id);
            visit(id, state);
            match state {
                NfaState::Look { look: Look::Start, next } if at_start => stack.push(*next),
                NfaState::Look { look: Look::End, next } if at_end => stack.push(*next),
                NfaState::Look { .. } => {}
                _ => empty_targets(state, |next| stack.push(next)),
            }
        }
    }

    /// States that say that there is a match, here or where the text ends, at a place that is not its start.
    pub(super) fn accepting(&self) -> FixedBitSet {
        let mut accepting = self.matches();
        for (index, state) in self.thompson.states().iter().enumerate() {
            if let NfaState::Look { look: Look::End, next } = state {
                self.walk_closure(false, true, [*next], |_, state| {
                    accepting.set(index, accepting.contains(index) || matches!(state, NfaState::Match { .. }));
                });
            }
        }
        accepting
    }

    /// States that say that there is a match.
    pub(super) fn matches(&self) -> FixedBitSet {
        let mut matches = FixedBitSet::with_capacity(self.n_states());
        let states = self.thompson.states().iter().enumerate();
        matches.extend(states.filter(|(_, state)| matches!(state, NfaState::Match { .. })).map(|(index, _)| index));
        matches
    }

    /// Live states that read.
    pub(super) fn readers(&self) -> impl Iterator<Item = usize> {
        let states = self.thompson.states().iter().enumerate();
        states.filter(move |(index, state)| self.is_live(*index) && reads(state)).map(|(index, _)| index)
    }

    pub(super) fn is_live(&self, state: usize) -> bool {
        self.distances[state] != NEVER
    }

    /// Letters to the nearest match from one of these states.
    pub(super) fn distance(&self, states: &[u32]) -> u32 {
        states.iter().map(|state| self.distances[*state as usize]).min().unwrap_or(NEVER)
    }

    /// From the states behind a letter to those before it. With `search`, anything may follow a match.
    pub(super) fn reading_edges(&self, search: bool) -> Sources {
        self.edges(|id, state, visit| match state {
            NfaState::Match { .. } if search => visit(id),
            _ => transitions(state, |_, _, next| visit(next)),
        })
    }

    /// The same for edges without a letter, but for those that hold only at the start or the end of the text.
    pub(super) fn empty_edges(&self) -> Sources {
        self.edges(|_, state, visit| empty_targets(state, visit))
    }

    fn edges(&self, targets: impl Fn(NfaStateId, &NfaState, &mut dyn FnMut(NfaStateId))) -> Sources {
        let mut edges = Vec::new();
        for (source, state) in self.thompson.states().iter().enumerate() {
            let add = &mut |target: NfaStateId| edges.push((target.as_u32(), source as u32));
            targets(NfaStateId::new_unchecked(source), state, add);
        }
        Sources::new(self.n_states(), edges)
    }
}

/// Calls `visit` with the letters that a state reads, as ranges with both ends inside, and where they lead.
fn transitions(state: &NfaState, mut visit: impl FnMut(u8, u8, NfaStateId)) {
    match state {
        NfaState::ByteRange { trans } => visit(trans.start, trans.end, trans.next),
        NfaState::Sparse(sparse) => {
            sparse.transitions.iter().for_each(|trans| visit(trans.start, trans.end, trans.next));
        }
        NfaState::Dense(dense) => {
            for letter in 0..=u8::MAX {
                dense.matches_byte(letter).into_iter().for_each(|next| visit(letter, letter, next));
            }
        }
        _ => {}
    }
}

fn reads(state: &NfaState) -> bool {
    matches!(state, NfaState::ByteRange { .. } | NfaState::Sparse(_) | NfaState::Dense(_))
}

fn empty_targets(state: &NfaState, visit: impl FnMut(NfaStateId)) {
    match state {
        NfaState::Union { alternates } => alternates.iter().copied().for_each(visit),
        NfaState::BinaryUnion { alt1, alt2 } => [*alt1, *alt2].into_iter().for_each(visit),
        NfaState::Capture { next, .. } => [*next].into_iter().for_each(visit),
        _ => {}
    }
}

impl Sources {
    /// Of edges, each as where it leads and where it comes from.
    pub(super) fn new(n_states: usize, mut edges: Vec<(u32, u32)>) -> Sources {
        edges.sort_unstable();
        edges.dedup();
        let mut starts = vec![0; n_states + 1];
        edges.iter().for_each(|(target, _)| starts[*target as usize + 1] += 1);
        for index in 0..n_states {
            starts[index + 1] += starts[index];
        }
        Sources { starts, sources: edges.into_iter().map(|(_, source)| source).collect() }
    }

    pub(super) fn of(&self, target: usize) -> &[u32] {
        &self.sources[self.starts[target] as usize..self.starts[target + 1] as usize]
    }
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

/// Adds every set of characters that the expression names.
pub(super) fn collect_sets(hir: &Hir, builder: &mut AlphabetBuilder) {
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
pub(super) fn to_classes(hir: &Hir, alphabet: &Alphabet) -> Hir {
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

/// Compiles an expression over letters: classes, or with `utf8` bytes.
pub(super) fn compile(hir: &Hir, utf8: bool, limits: &Limits) -> Result<Nfa, CompileFault> {
    let config = thompson::Config::new()
        .utf8(utf8)
        .shrink(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(limits.max_regex_bytes));
    let thompson = thompson::Compiler::new().configure(config).build_from_hir(hir);
    thompson.map(Nfa::new).map_err(|error| match error.size_limit() {
        Some(_) => CompileFault::TooLarge(too_large(limits)),
        None => CompileFault::Refused(error.to_string()),
    })
}

/// Why an expression has no NFA.
pub(super) enum CompileFault {
    /// It takes more than [`Limits::max_regex_bytes`].
    TooLarge(GrammarError),
    /// It cannot be expressed.
    Refused(String),
}

impl CompileFault {
    /// As an error; `refused` says of what.
    pub(super) fn or_refused(self, refused: impl FnOnce(String) -> GrammarError) -> GrammarError {
        match self {
            CompileFault::TooLarge(error) => error,
            CompileFault::Refused(reason) => refused(reason),
        }
    }
}

/// The error of an expression that takes more than [`Limits::max_regex_bytes`].
pub(super) fn too_large(limits: &Limits) -> GrammarError {
    LimitError { setting: "max_regex_bytes", limit: limits.max_regex_bytes }.into()
}
