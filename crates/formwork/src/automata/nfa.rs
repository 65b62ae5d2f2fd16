//! How does the NFA of a regular expression step over character classes? Thompson construction by `regex-automata`.
//!
//! Expressions are compiled over the classes of an [`Alphabet`] instead of bytes.

use regex_automata::nfa::thompson::{self, NFA, State as NfaState, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID as NfaStateId;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look as HirLook, Repetition};

use super::alphabet::{Alphabet, AlphabetBuilder};
use crate::error::GrammarError;
use crate::limits::Limits;

pub(super) fn transition(nfa: &NFA, state: u32, class: u8) -> Option<NfaStateId> {
    match nfa.state(NfaStateId::new_unchecked(state as usize)) {
        NfaState::ByteRange { trans } => trans.matches_byte(class).then_some(trans.next),
        NfaState::Sparse(sparse) => sparse.matches_byte(class),
        NfaState::Dense(dense) => dense.matches_byte(class),
        _ => None,
    }
}

/// What is reached without input.
pub(crate) struct Closure {
    /// States that read input, sorted.
    pub(crate) kept: Vec<u32>,
    /// A match was reached, wherever the text ends.
    pub(super) matched: bool,
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

pub(super) fn compile(hir: &Hir, limits: &Limits) -> Result<NFA, String> {
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
