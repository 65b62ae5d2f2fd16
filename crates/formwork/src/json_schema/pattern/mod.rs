//! Which strings does an ECMA-262 pattern allow? Patterns as content languages, with the cheap cases set apart.

mod class;
mod shortcut;
mod translate;

use std::sync::Arc;

use self::translate::{Outline, translate};
use super::Profile;
use super::document::NodeId;
use super::fault::{Result, limit, refusal};
use super::keyword::Keyword;
use super::reduce::Reducer;
use super::shape::PatternId;
use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
use crate::error::ViolationKind;

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
    /// Why it cannot be enforced; the strings are then all strings.
    pub(super) unsupported: Option<&'static str>,
}

impl<'a> Pattern<'a> {
    /// Reads `source`. With `whole`, it must match the string as a whole and not just somewhere.
    fn read(source: &'a str, whole: bool, max_size: u64) -> std::result::Result<Pattern<'a>, PatternFault> {
        let mut pattern = Pattern { source, spec: StringSpec::default(), words: None, single: None, unsupported: None };
        if let Some(words) = shortcut::words(source, whole) {
            let mut words: Vec<Arc<str>> = words.into_iter().map(Into::into).collect();
            words.sort_unstable();
            words.dedup();
            let language = ContentLanguage::OneOf(words.clone().into());
            pattern.spec.content.push(ContentConstraint { language: language.clone(), negated: false });
            (pattern.words, pattern.single) = (Some(words), Some(language));
            return Ok(pattern);
        }
        if whole {
            let translated = translate(source, max_size)?;
            pattern.set_single(ContentLanguage::Match(translated.regex.into()));
            return Ok(pattern);
        }
        let (conditions, rest) = shortcut::leading_conditions(source)?;
        for condition in &conditions {
            let translated = translate(&format!("^(?:{})", condition.source), max_size)?;
            let language = ContentLanguage::Search(translated.regex.into());
            pattern.spec.content.push(ContentConstraint { language, negated: condition.negated });
        }
        let translated = translate(&rest, max_size)?;
        let language = ContentLanguage::Search(translated.regex.into());
        match translated.outline {
            Outline::Everything => {}
            Outline::Counted { class, min, max } => {
                if !class.is_empty() {
                    let language = ContentLanguage::Search(format!("^{class}*$").into());
                    pattern.spec.content.push(ContentConstraint { language, negated: false });
                }
                (pattern.spec.min_chars, pattern.spec.max_chars) = (min, max);
                pattern.single = Some(language);
            }
            Outline::Other => {
                pattern.spec.content.push(ContentConstraint { language: language.clone(), negated: false });
                pattern.single = Some(language);
            }
        }
        if !conditions.is_empty() {
            // Several constraints are no one language; `unsupported_as_key` tells.
            pattern.single = None;
        }
        Ok(pattern)
    }

    fn set_single(&mut self, language: ContentLanguage) {
        self.spec.content.push(ContentConstraint { language: language.clone(), negated: false });
        self.single = Some(language);
    }

    /// Why it cannot tell keys apart, or be negated.
    pub(super) fn unsupported_as_key(&self) -> Option<&'static str> {
        let several = self.single.is_none() && self.spec != StringSpec::default();
        self.unsupported.or(several.then_some("look-ahead is not enforced here yet"))
    }

    /// Whether every string is in it.
    pub(super) fn is_everything(&self) -> bool {
        self.single.is_none() && self.unsupported.is_none() && self.spec == StringSpec::default()
    }
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
            Ok(pattern) => pattern,
            Err(PatternFault::Unsupported(reason)) => {
                Pattern { source, spec: StringSpec::default(), words: None, single: None, unsupported: Some(reason) }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Pattern<'_> {
        Pattern::read(source, false, 100_000).unwrap()
    }

    #[test]
    fn literals_between_anchors_are_words() {
        let words =
            |source| read(source).words.map(|words| words.iter().map(|word| word.to_string()).collect::<Vec<_>>());
        assert_eq!(words("^abc$"), Some(vec!["abc".to_owned()]));
        assert_eq!(words(r"^(b\.c|a)$"), Some(vec!["a".to_owned(), "b.c".to_owned()]));
        assert_eq!(words("^(?:a|)$"), Some(vec![String::new(), "a".to_owned()]));
        for source in ["abc", "^a|b$", "^a.c$", "^(a|b)+$", "^a+$", r"^\d$", r"^a\$"] {
            assert_eq!(words(source), None, "{source}");
        }
    }

    #[test]
    fn a_counted_class_is_a_length() {
        let pattern = read("^[a-z]{2,2000}$");
        assert_eq!((pattern.spec.min_chars, pattern.spec.max_chars), (2, Some(2000)));
        assert_eq!(pattern.spec.content[0].language, ContentLanguage::Search("^[a-z]*$".into()));
        assert_eq!(read(r"^[\s\S]{1,5}$").spec.content, []);
        assert!(read(".*").is_everything());
        assert!(read("").is_everything());
        assert!(!read("^.*$").is_everything());
    }

    #[test]
    fn leading_look_ahead_is_a_constraint_of_its_own() {
        let pattern = read("^(?!foo)[a-z]+$");
        assert!(pattern.spec.content[0].negated);
        assert_eq!(pattern.spec.min_chars, 1);
        assert!(pattern.unsupported_as_key().is_some());
    }
}
