//! Is a language empty, and is this text in it? Questions that front ends ask of terminal descriptions.

use super::content::ContentMachine;
use super::json_string::StringAutomaton;
use super::lazy_dfa::{LazyDfa, Machine};
pub(crate) use super::number::{number_emptiness, number_matches};
use super::overflow::OverflowWatch;
use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
use crate::error::GrammarError;
use crate::limits::Limits;

/// An expression of this size owes little enough, wherever it looks around.
const MAX_OWED: u64 = 512;

/// Characters of the text on which a large expression is tried.
const SAMPLE_CHARS: usize = 256;

/// States that this may take, with those that are looked at to tell which are live.
const SAMPLE_STATES: usize = 10_000;

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
    fn new(is_empty: bool, watch: OverflowWatch) -> Emptiness {
        match (watch.is_clear(), is_empty) {
            (true, true) => Emptiness::Empty,
            (true, false) => Emptiness::NonEmpty,
            (false, _) => Emptiness::Unknown,
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
        && let Some(content) = without_endless_states(&spec.content)
    {
        let wider = StringSpec { content, ..spec.clone() };
        // Beside other constraints only what their characters tell is asked.
        let answer = string_emptiness(&wider, limits)?;
        return Ok(if answer == Emptiness::Empty { answer } else { Emptiness::Unknown });
    }
    let watch = OverflowWatch::start();
    let automaton = StringAutomaton::new(spec, limits)?;
    Ok(Emptiness::new(automaton.is_empty(), watch))
}

/// Whether an expression that looks around can be run over a text: within large repetitions, what is owed can grow
/// beyond all bounds. A sample text is tried on one whose `size`, when unrolled, is large.
pub(crate) fn look_around_is_bearable(
    constraint: &ContentConstraint,
    size: u64,
    limits: &Limits,
) -> Result<bool, GrammarError> {
    let ContentLanguage::Expression(expression) = &constraint.language else { return Ok(true) };
    if size <= MAX_OWED || !expression.node.looks_around() {
        return Ok(true);
    }
    let watch = OverflowWatch::start();
    let dfa = LazyDfa::new(ContentMachine::new(std::slice::from_ref(constraint), None, limits)?, SAMPLE_STATES);
    let (mut state, mut random) = (0, 1u64);
    for _ in 0..SAMPLE_CHARS {
        random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        let class = (random >> 33) as usize % dfa.machine().n_classes();
        state = dfa.next(state, class).unwrap_or(state);
    }
    Ok(watch.is_clear())
}

/// The same with host names widened to all strings of their characters, and regular expressions to all strings, or outside
/// them to those with a character that can be out of place; `None` where there are none.
pub(super) fn without_endless_states(content: &[ContentConstraint]) -> Option<Vec<ContentConstraint>> {
    let is_endless = |constraint: &&ContentConstraint| {
        matches!(constraint.language, ContentLanguage::HostName { .. } | ContentLanguage::RegexText)
    };
    content.iter().find(is_endless)?;
    let mut wider = Vec::new();
    for constraint in content {
        let language = match (&constraint.language, constraint.negated) {
            (ContentLanguage::HostName { .. }, true) | (ContentLanguage::RegexText, false) => continue,
            (ContentLanguage::RegexText, true) => ContentLanguage::Search(r"[\\*+?()\[\]{}]".into()),
            (ContentLanguage::HostName { international }, false) => {
                let more = if *international { "\\x{80}-\\x{10FFFF}" } else { "" };
                ContentLanguage::Match(format!("[0-9A-Za-z.\\x2D{more}]*").into())
            }
            _ => {
                wider.push(constraint.clone());
                continue;
            }
        };
        wider.push(ContentConstraint { language, negated: false });
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
    let automaton = StringAutomaton::new(&unbounded, limits)?;
    let end = content.chars().try_fold(0, |state, char| automaton.step_char(state, char as u32));
    Ok(end.is_some_and(|state| automaton.accepts_content(state, n_chars)))
}
