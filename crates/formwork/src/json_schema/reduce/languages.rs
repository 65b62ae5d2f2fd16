//! Is this string in that language, and is anything? Answers that are remembered, as automata are dear to build.

use std::rc::Rc;
use std::sync::Arc;

use super::Reducer;
use crate::automata::decide::{Emptiness, string_emptiness};
use crate::automata::{ContentConstraint, ContentLanguage, OverflowWatch, Relation, StringAutomaton, StringSpec};
use crate::error::GrammarError;
use crate::hash::HashMap;
use crate::json_schema::fault::Result;

/// Most strings of a language that are listed.
const MAX_LISTED: usize = 1_024;
/// The same where listing them is no need.
const MAX_VERY_FEW: usize = 16;

/// Automata and answers of one reduction.
#[derive(Default)]
pub(super) struct Languages {
    automata: HashMap<ContentLanguage, Rc<StringAutomaton>>,
    /// Of these automata.
    emptiness: HashMap<StringSpec, Emptiness>,
    pub(super) relations: HashMap<(ContentLanguage, ContentLanguage), Option<Relation>>,
}

/// Strings that are tried before a set is looked at as a whole.
const WITNESSES: [&str; 4] = ["", "a", "0", "é~"];

impl Reducer<'_> {
    /// Whether `content` fits `spec`.
    pub(in crate::json_schema) fn string_fits(&mut self, spec: &StringSpec, content: &str) -> Result<bool> {
        if spec.is_bounded() {
            let n_chars = content.chars().count() as u64;
            if n_chars < u64::from(spec.min_chars) || spec.max_chars.is_some_and(|max| n_chars > u64::from(max)) {
                return Ok(false);
            }
        }
        for constraint in &spec.content {
            if self.is_in(&constraint.language, content)? == constraint.negated {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The strings that fit `spec`, where it lists them.
    pub(in crate::json_schema) fn words_of(&mut self, spec: &StringSpec) -> Result<Option<Vec<Arc<str>>>> {
        let listed = spec.content.iter().find_map(|constraint| match (&constraint.language, constraint.negated) {
            (ContentLanguage::OneOf(words), false) => Some(Arc::clone(words)),
            _ => None,
        });
        let Some(words) = listed else { return Ok(None) };
        let mut fitting = Vec::with_capacity(words.len());
        for word in words.iter() {
            if self.string_fits(spec, word)? {
                fitting.push(Arc::clone(word));
            }
        }
        Ok(Some(fitting))
    }

    /// The strings that fit `spec`, where it lists them or is a pattern of a few words.
    pub(in crate::json_schema) fn very_few_words(&mut self, spec: &StringSpec) -> Result<Option<Vec<Arc<str>>>> {
        if let Some(words) = self.words_of(spec)? {
            return Ok(Some(words));
        }
        let Some(pattern) = spec.content.iter().find(|constraint| !constraint.negated) else { return Ok(None) };
        let automaton = self.automaton(&pattern.language)?;
        let Some(words) = automaton.list_words(MAX_VERY_FEW) else { return Ok(None) };
        let mut fitting: Vec<Arc<str>> = Vec::with_capacity(words.len());
        for word in words {
            if self.string_fits(spec, &word)? {
                fitting.push(word.into());
            }
        }
        fitting.sort_unstable();
        Ok(Some(fitting))
    }

    /// The strings that fit `spec`, in order, where they are few.
    pub(in crate::json_schema) fn few_words(&mut self, spec: &StringSpec) -> Result<Option<Vec<Arc<str>>>> {
        if let Some(words) = self.words_of(spec)? {
            return Ok(Some(words));
        }
        self.spend(1_000)?;
        let automaton = StringAutomaton::new(spec, self.limits).map_err(|error| self.language_fault(&error))?;
        let Some(mut words) = automaton.list_words(MAX_LISTED) else { return Ok(None) };
        words.sort_unstable();
        Ok(Some(words.into_iter().map(Into::into).collect()))
    }

    pub(super) fn is_in(&mut self, language: &ContentLanguage, content: &str) -> Result<bool> {
        if let ContentLanguage::OneOf(words) = language {
            return Ok(words.binary_search_by(|word| (**word).cmp(content)).is_ok());
        }
        self.spend(1 + content.len() / 8)?;
        let automaton = self.automaton(language)?;
        let watch = OverflowWatch::start();
        let end = content.chars().try_fold(0, |state, character| automaton.step_char(state, character as u32));
        watch.check(self.limits).map_err(|limit| self.language_fault(&GrammarError::Limit(limit)))?;
        Ok(end.is_some_and(|state| automaton.accepts_content(state, 0)))
    }

    pub(super) fn automaton(&mut self, language: &ContentLanguage) -> Result<Rc<StringAutomaton>> {
        if let Some(automaton) = self.languages.automata.get(language) {
            return Ok(Rc::clone(automaton));
        }
        self.spend(100)?;
        let content = vec![ContentConstraint { language: language.clone(), negated: false }];
        let spec = StringSpec { content, ..StringSpec::default() };
        let automaton = StringAutomaton::new(&spec, self.limits).map_err(|error| self.language_fault(&error))?;
        let automaton = Rc::new(automaton);
        self.languages.automata.insert(language.clone(), Rc::clone(&automaton));
        Ok(automaton)
    }

    /// Whether any string fits `spec`. One constraint alone is taken for satisfiable: nothing is narrowed by that.
    pub(in crate::json_schema) fn string_emptiness(&mut self, spec: &StringSpec) -> Result<Emptiness> {
        let is_bounded = spec.is_bounded();
        if spec.content.is_empty() || (spec.content.len() == 1 && !is_bounded) {
            return Ok(Emptiness::NonEmpty);
        }
        if let Some(known) = self.languages.emptiness.get(spec) {
            return Ok(*known);
        }
        if let ([left, right], false) = (&*spec.content, is_bounded)
            && let Some(emptiness) = self.pair_emptiness(left, right)?
        {
            return Ok(emptiness);
        }
        for word in WITNESSES.iter().filter(|_| spec.content.iter().all(|constraint| constraint.negated)) {
            if self.string_fits(spec, word)? {
                self.languages.emptiness.insert(spec.clone(), Emptiness::NonEmpty);
                return Ok(Emptiness::NonEmpty);
            }
        }
        self.spend(1_000)?;
        let emptiness = string_emptiness(spec, self.limits).map_err(|error| self.language_fault(&error))?;
        self.languages.emptiness.insert(spec.clone(), emptiness);
        Ok(emptiness)
    }
}
