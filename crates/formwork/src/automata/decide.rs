//! Is a language empty, and is this text in it? Questions that front ends ask of terminal descriptions.

use std::sync::atomic::Ordering;

use super::json_string::StringAutomaton;
use super::lazy_dfa::Overflows;
pub(crate) use super::number::{number_emptiness, number_matches};
use crate::automata::StringSpec;
use crate::error::GrammarError;
use crate::limits::Limits;

/// A three-valued answer; `Unknown` must never narrow a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// No text is in the language.
    Empty,
    /// Some text is.
    NonEmpty,
    /// The budget did not suffice to tell.
    Unknown,
}

impl Emptiness {
    fn new(is_empty: bool, overflows: &Overflows) -> Emptiness {
        match (overflows.load(Ordering::Relaxed), is_empty) {
            (0, true) => Emptiness::Empty,
            (0, false) => Emptiness::NonEmpty,
            _ => Emptiness::Unknown,
        }
    }
}

/// Whether any string satisfies `spec`; an error for a malformed pattern.
pub(crate) fn string_emptiness(spec: &StringSpec, limits: &Limits) -> Result<Emptiness, GrammarError> {
    if spec.content.is_empty() {
        let is_empty = spec.max_chars.is_some_and(|max| max < spec.min_chars);
        return Ok(if is_empty { Emptiness::Empty } else { Emptiness::NonEmpty });
    }
    let overflows = Overflows::default();
    let automaton = StringAutomaton::new(spec, limits, &overflows)?;
    Ok(Emptiness::new(automaton.is_empty(), &overflows))
}

/// Whether the string with this decoded content satisfies `spec`; an error for a malformed pattern.
#[cfg(test)]
pub(crate) fn string_matches(spec: &StringSpec, content: &str, limits: &Limits) -> Result<bool, GrammarError> {
    let n_chars = u32::try_from(content.chars().count()).unwrap_or(u32::MAX);
    if n_chars < spec.min_chars || spec.max_chars.is_some_and(|max| n_chars > max) {
        return Ok(false);
    }
    let unbounded = StringSpec { content: spec.content.clone(), ..StringSpec::default() };
    let automaton = StringAutomaton::new(&unbounded, limits, &Overflows::default())?;
    let end = content.chars().try_fold(0, |state, char| automaton.step_char(state, char as u32));
    Ok(end.is_some_and(|state| automaton.accepts_content(state, n_chars)))
}
