//! Which strings does an ECMA-262 pattern allow? Patterns as content languages, with the cheap cases set apart.

mod class;
mod outline;
mod parse;
mod property;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use self::outline::{Outline, conditions, outline, size};
use super::Profile;
use super::document::NodeId;
use super::fault::{Result, limit, refusal};
use super::keyword::Keyword;
use super::reduce::{Reducer, complements};
use super::shape::PatternId;
use crate::automata::decide::look_around_is_bearable;
use crate::automata::{ContentConstraint, ContentLanguage, Expression, ExpressionNode as Node, StringSpec};
use crate::error::ViolationKind;

/// So many conditions beside a pattern make parts of its complement: what looks around has more states, and more steps.
const MAX_APART: usize = 2;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PatternFault {
    /// It is no ECMA-262 regular expression.
    Malformed(&'static str),
    /// We cannot enforce it.
    Unsupported(&'static str),
    /// Its repetitions multiply to more than an automaton may have.
    TooLarge,
}

/// A pattern, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern<'a> {
    /// As it stands in the schema.
    pub(super) source: &'a str,
    /// The strings in which it is found.
    pub(super) spec: StringSpec,
    /// The same, where they are finitely many.
    pub(super) words: Option<Vec<Arc<str>>>,
    /// The same as one language, where one can say it; `None` with neither words nor fault is every string.
    pub(super) single: Option<ContentLanguage>,
    /// Whether `single` looks around and `spec`, which says the same, does not.
    is_plain_apart: bool,
    /// Why it cannot be enforced; the strings are then all strings.
    pub(super) unsupported: Option<&'static str>,
}

impl<'a> Pattern<'a> {
    /// One that says nothing yet.
    fn of_all(source: &'a str) -> Pattern<'a> {
        Pattern {
            source,
            spec: StringSpec::default(),
            words: None,
            single: None,
            is_plain_apart: false,
            unsupported: None,
        }
    }

    /// Reads `source`. With `whole`, it must match the string as a whole and not just somewhere.
    fn read(source: &'a str, whole: bool, max_size: u64) -> std::result::Result<Pattern<'a>, PatternFault> {
        let mut pattern = Pattern::of_all(source);
        if let Some(words) = words::words(source, whole) {
            let mut words: Vec<Arc<str>> = words.into_iter().map(Into::into).collect();
            words.sort_unstable();
            words.dedup();
            pattern.set_single(ContentLanguage::OneOf(words.clone().into()));
            pattern.words = Some(words);
            return Ok(pattern);
        }
        let node = parse::parse(source)?;
        let outline = if whole { Outline::Other } else { outline(&node) };
        match outline {
            Outline::Everything => return Ok(pattern),
            // Whatever its size: it becomes a length.
            Outline::Counted { .. } => {}
            Outline::Other if size(&node) > max_size => return Err(PatternFault::TooLarge),
            Outline::Other => {}
        }
        let single = expression(source, whole, node.clone());
        match outline {
            Outline::Counted { .. } => pattern.narrow(outline, source, node),
            _ if whole => pattern.constrain(single.clone(), false),
            _ => {
                let (conditions, rest) = conditions(node);
                pattern.is_plain_apart = (1..=MAX_APART).contains(&conditions.len())
                    && !conditions.iter().any(|condition| condition.node.looks_around())
                    && !rest.looks_around();
                for (index, condition) in conditions.into_iter().enumerate() {
                    let language = match words::words_of(&condition.node) {
                        Some(words) => ContentLanguage::OneOf(words.into_iter().map(Into::into).collect()),
                        None => expression(&format!("{source} (condition {index})"), false, condition.node),
                    };
                    pattern.constrain(language, condition.negated);
                }
                pattern.narrow(self::outline::outline(&rest), source, rest);
            }
        }
        pattern.single = Some(single);
        Ok(pattern)
    }

    /// Adds what a pattern without conditions says.
    fn narrow(&mut self, outline: Outline, source: &str, node: Node) {
        match outline {
            Outline::Everything => {}
            Outline::Counted { class, min, max } => {
                if let Some(class) = class {
                    let sub = Box::new(Node::Class(class));
                    let all = Node::Repeat { sub, min: 0, max: None };
                    let node = Node::Concat(vec![Node::Start, all, Node::End]);
                    self.constrain(expression(&format!("{source} (its class)"), false, node), false);
                }
                (self.spec.min_chars, self.spec.max_chars) = (min, max);
            }
            Outline::Other => {
                let source = if self.spec.content.is_empty() { source.to_owned() } else { format!("{source} (rest)") };
                self.constrain(expression(&source, false, node), false);
            }
        }
    }

    fn constrain(&mut self, language: ContentLanguage, negated: bool) {
        self.spec.content.push(ContentConstraint { language, negated });
    }

    fn set_single(&mut self, language: ContentLanguage) {
        self.constrain(language.clone(), false);
        self.single = Some(language);
    }

    /// The strings in which it is not found, in parts that do not overlap.
    pub(super) fn complements(&self) -> Vec<StringSpec> {
        match &self.single {
            Some(language) if !self.is_plain_apart => {
                let content = vec![ContentConstraint { language: language.clone(), negated: true }];
                vec![StringSpec { content, ..StringSpec::default() }]
            }
            _ => complements(&self.spec),
        }
    }

    /// Whether every string is in it.
    pub(super) fn is_everything(&self) -> bool {
        self.single.is_none() && self.unsupported.is_none() && self.spec == StringSpec::default()
    }
}

fn expression(source: &str, whole: bool, node: Node) -> ContentLanguage {
    ContentLanguage::Expression(Arc::new(Expression { source: source.into(), whole, node }))
}

impl<'a> Reducer<'a> {
    /// Reads the pattern that stands under `keyword` at `node`, once.
    pub(super) fn pattern(&mut self, node: NodeId, keyword: Keyword, source: &'a str) -> Result<PatternId> {
        if let Some(id) = self.pattern_ids.get(source) {
            return Ok(*id);
        }
        self.step(node, 8 + source.len())?;
        let whole = matches!(self.options.profile, Profile::CohereJson | Profile::CohereTools);
        let max_size = self.limits.max_regex_bytes as u64 / 32;
        let pattern = match Pattern::read(source, whole, max_size) {
            Ok(pattern) if self.is_bearable(&pattern)? => pattern,
            Ok(_) => Pattern {
                unsupported: Some("it looks around within repetitions that are too large"),
                ..Pattern::of_all(source)
            },
            Err(PatternFault::Unsupported(reason)) => Pattern { unsupported: Some(reason), ..Pattern::of_all(source) },
            Err(PatternFault::Malformed(reason)) => {
                let shown: String = source.chars().take(120).collect();
                let reason = format!("{shown:?} is no regular expression: {reason}");
                return Err(refusal(&self.document, ViolationKind::Malformed, node, keyword.name(), reason));
            }
            Err(PatternFault::TooLarge) => {
                return Err(limit(&self.document, node, "max_regex_bytes", self.limits.max_regex_bytes));
            }
        };
        let id = PatternId(self.patterns.len() as u32);
        self.patterns.push(pattern);
        self.pattern_ids.insert(source, id);
        Ok(id)
    }

    fn is_bearable(&mut self, pattern: &Pattern<'_>) -> Result<bool> {
        for constraint in &pattern.spec.content {
            if let ContentLanguage::Expression(expression) = &constraint.language {
                let bearable = look_around_is_bearable(constraint, size(&expression.node), self.limits);
                if !bearable.map_err(|error| self.language_fault(&error))? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the pattern is found in `key`.
    pub(super) fn pattern_holds(&mut self, id: PatternId, key: &'a str) -> Result<bool> {
        if let Some(holds) = self.pattern_holds.get(&(id, key)) {
            return Ok(*holds);
        }
        let pattern = &self.patterns[id.0 as usize];
        let holds = if pattern.is_everything() {
            true
        } else if pattern.unsupported.is_some() {
            // The shape carries a residue; what is said here decides nothing.
            false
        } else if let Some(words) = &pattern.words {
            words.iter().any(|word| **word == *key)
        } else {
            let spec = pattern.spec.clone();
            self.string_fits(&spec, key)?
        };
        self.pattern_holds.insert((id, key), holds);
        Ok(holds)
    }
}
