//! Is a language empty, and is this text in it? Questions that front ends ask of terminal descriptions.

use std::sync::atomic::Ordering;

use super::json_string::StringAutomaton;
use super::lazy_dfa::Overflows;
pub(crate) use super::number::{number_emptiness, number_matches};
use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
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
    if spec.content.len() > 1
        && let Some(wider) = without_host_names(spec)
    {
        // The states of host names are without end: beside others only what their characters tell is asked.
        let answer = string_emptiness(&wider, limits)?;
        return Ok(if answer == Emptiness::Empty { answer } else { Emptiness::Unknown });
    }
    let overflows = Overflows::default();
    let automaton = StringAutomaton::new(spec, limits, &overflows)?;
    Ok(Emptiness::new(automaton.is_empty(), &overflows))
}

/// The same with host names widened to all strings of their characters; `None` where there are none.
fn without_host_names(spec: &StringSpec) -> Option<StringSpec> {
    let is_host = |constraint: &&ContentConstraint| matches!(constraint.language, ContentLanguage::HostName { .. });
    spec.content.iter().find(is_host)?;
    let mut wider = StringSpec { content: Vec::new(), ..spec.clone() };
    for constraint in &spec.content {
        match (&constraint.language, constraint.negated) {
            (ContentLanguage::HostName { .. }, true) => {}
            (ContentLanguage::HostName { international }, false) => {
                let more = if *international { "\\x{80}-\\x{10FFFF}" } else { "" };
                let language = ContentLanguage::Match(format!("[0-9A-Za-z.\\x2D{more}]*").into());
                wider.content.push(ContentConstraint { language, negated: false });
            }
            _ => wider.content.push(constraint.clone()),
        }
    }
    Some(wider)
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
