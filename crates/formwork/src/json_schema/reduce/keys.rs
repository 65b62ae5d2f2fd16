//! Into which classes do keys without a name fall? Key languages, and the partition of keys by all that a shape says.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Reducer;
use crate::automata::decide::Emptiness;
use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::Keyword;
use crate::json_schema::shape::{
    Alternatives, ConjId, KeyClass, KeyLanguageId, ObjectShape, PatternId, Residues, StringSet, StringShape,
};

/// Most sets that the keys without a name may fall into.
const MAX_SETS: usize = 64;

/// Keys without a name that a shape does not tell apart.
#[derive(Clone, Debug)]
pub(in crate::json_schema) struct KeySet {
    pub(in crate::json_schema) spec: StringSpec,
    /// The classes of the shape that hold these keys.
    classes: SmallVec<[KeyClass; 4]>,
}

impl KeySet {
    /// Whether `class`, one of the shape's, holds these keys.
    pub(in crate::json_schema) fn is_in(&self, class: KeyClass) -> bool {
        class == KeyClass::All || self.classes.contains(&class)
    }
}

/// What splits keys in two: those in which a pattern is found, or those of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Splitter {
    Pattern(PatternId),
    Language(KeyLanguageId),
}

/// A set that is being split, and the splitters that hold it.
type Part = (StringSpec, SmallVec<[Splitter; 4]>);

impl<'a> Reducer<'a> {
    /// The language of keys that fit `strings`, as alternatives; residues are added to `residues`.
    pub(super) fn key_language(
        &mut self,
        strings: &Alternatives<StringShape<'a>>,
        residues: &mut Residues,
    ) -> KeyLanguageId {
        let mut language = Vec::with_capacity(strings.count());
        if strings.is_any() {
            language.push(StringSpec::default());
        }
        for shape in strings.shapes() {
            residues.extend_from_slice(&shape.residues);
            language.push(match &shape.set {
                StringSet::Spec(spec) => spec.clone(),
                StringSet::Finite(words) => one_of(words.iter().map(|word| word.as_ref().into()), false),
            });
        }
        if let Some(known) = self.key_languages.iter().position(|other| *other == language) {
            return KeyLanguageId(known as u32);
        }
        self.key_languages.push(language);
        KeyLanguageId(self.key_languages.len() as u32 - 1)
    }

    /// Whether a class holds a named key.
    pub(in crate::json_schema) fn class_holds(&mut self, class: KeyClass, key: &'a str) -> Result<bool> {
        match class {
            KeyClass::All => Ok(true),
            KeyClass::Pattern(pattern) => self.pattern_holds(pattern, key),
            KeyClass::Except(owner) => {
                let owner = &self.owners[owner.0 as usize];
                if owner.names.iter().any(|names| names.contains_key(key)) {
                    return Ok(false);
                }
                for pattern in owner.patterns.clone() {
                    if self.pattern_holds(pattern, key)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            KeyClass::Outside(language) => {
                for spec in self.key_languages[language.0 as usize].clone() {
                    if self.string_fits(&spec, key)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// What splits the keys of a class from others.
    fn splitters(&self, class: KeyClass, found: &mut Vec<Splitter>) {
        match class {
            KeyClass::All => {}
            KeyClass::Pattern(pattern) => found.push(Splitter::Pattern(pattern)),
            KeyClass::Except(owner) => {
                found.extend(self.owners[owner.0 as usize].patterns.iter().map(|pattern| Splitter::Pattern(*pattern)));
            }
            KeyClass::Outside(language) => found.push(Splitter::Language(language)),
        }
    }

    /// Splits the keys without a name by the classes that `shape` speaks of, as far as there are any.
    pub(in crate::json_schema) fn key_sets(&mut self, shape: &ObjectShape<'a>) -> Result<Vec<KeySet>> {
        if shape.rules.is_empty() && shape.exists.is_empty() {
            let spec = self.without_names(StringSpec::default(), shape)?;
            return Ok(vec![KeySet { spec, classes: SmallVec::new() }]);
        }
        let mut classes: Vec<KeyClass> = shape.rules.iter().chain(&shape.exists).map(|rule| rule.class).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut splitters = Vec::new();
        classes.iter().for_each(|class| self.splitters(*class, &mut splitters));
        splitters.sort_unstable();
        splitters.dedup();
        let mut parts: Vec<Part> = vec![(StringSpec::default(), SmallVec::new())];
        for splitter in splitters {
            let mut split = Vec::with_capacity(parts.len() + 1);
            for part in parts {
                self.split(part, splitter, &mut split)?;
            }
            parts = split;
            if parts.len() > MAX_SETS {
                let reason = "the patterns of keys overlap in too many ways";
                let residue = self.residue(self.place, Keyword::PatternProperties, reason);
                return Err(self.refused(residue));
            }
        }
        let mut sets = Vec::with_capacity(parts.len());
        for (spec, held) in parts {
            let spec = self.without_names(spec, shape)?;
            let classes = classes.iter().copied().filter(|class| self.holds_all(*class, &held)).collect();
            sets.push(KeySet { spec, classes });
        }
        Ok(sets)
    }

    /// Whether a class holds keys without a name that are in these splitters' languages and in no others.
    fn holds_all(&self, class: KeyClass, held: &[Splitter]) -> bool {
        match class {
            KeyClass::All => true,
            KeyClass::Pattern(pattern) => held.contains(&Splitter::Pattern(pattern)),
            KeyClass::Outside(language) => !held.contains(&Splitter::Language(language)),
            KeyClass::Except(owner) => {
                let patterns = &self.owners[owner.0 as usize].patterns;
                !patterns.iter().any(|pattern| held.contains(&Splitter::Pattern(*pattern)))
            }
        }
    }

    fn split(&mut self, (spec, held): Part, splitter: Splitter, split: &mut Vec<Part>) -> Result<()> {
        // The strings of each alternative, and those outside.
        let language: Vec<(StringSpec, Vec<StringSpec>)> = match splitter {
            Splitter::Pattern(pattern) => {
                let pattern = &self.patterns[pattern.0 as usize];
                vec![(pattern.spec.clone(), pattern.complements())]
            }
            Splitter::Language(language) => {
                let language = self.key_languages[language.0 as usize].iter();
                language.map(|spec| (spec.clone(), complements(spec))).collect()
            }
        };
        // What is in none of the alternatives so far.
        let mut outside = vec![spec];
        for (alternative, complements) in language {
            let mut beyond = Vec::new();
            for part in outside {
                if let Some(inside) = self.both_languages(&part, &alternative)? {
                    // One constraint alone is hardly ever empty; with others, that they exclude each other keeps the
                    // sets few.
                    if self.may_hold(&inside)? {
                        let mut held = held.clone();
                        held.push(splitter);
                        split.push((inside, held));
                    }
                }
                for complement in &complements {
                    if let Some(rest) = self.both_languages(&part, complement)?
                        && self.may_hold(&rest)?
                    {
                        beyond.push(rest);
                    }
                }
            }
            self.spend(1 + beyond.len())?;
            outside = beyond;
        }
        split.extend(outside.into_iter().map(|rest| (rest, held.clone())));
        Ok(())
    }

    fn may_hold(&mut self, spec: &StringSpec) -> Result<bool> {
        Ok(self.string_emptiness(spec)? != Emptiness::Empty)
    }

    /// Takes the names of `shape` out of a set of keys.
    fn without_names(&mut self, spec: StringSpec, shape: &ObjectShape<'a>) -> Result<StringSpec> {
        let mut spec = spec;
        let narrow = spec.content.iter().any(|constraint| !constraint.negated);
        let mut names: Vec<Arc<str>> = Vec::with_capacity(shape.named.len());
        for named in &shape.named {
            if !narrow || self.string_fits(&spec, named.key)? {
                names.push(named.key.into());
            }
        }
        if !names.is_empty() {
            spec.content.extend(one_of(names.into_iter(), true).content);
        }
        Ok(spec)
    }

    /// What the values of the keys of a set must fit.
    pub(in crate::json_schema) fn value_of_set(&mut self, shape: &ObjectShape<'a>, set: &KeySet) -> ConjId {
        let mut value = ConjId::TRUE;
        for rule in shape.rules.iter().filter(|rule| set.is_in(rule.class)) {
            value = self.both(value, rule.value);
        }
        value
    }
}

/// These words, or all others.
pub(super) fn one_of(words: impl Iterator<Item = Arc<str>>, negated: bool) -> StringSpec {
    let mut words: Vec<Arc<str>> = words.collect();
    words.sort_unstable();
    words.dedup();
    let language = ContentLanguage::OneOf(words.into());
    StringSpec { content: vec![ContentConstraint { language, negated }], ..StringSpec::default() }
}

/// All strings outside `spec`, in parts that do not overlap.
pub(in crate::json_schema) fn complements(spec: &StringSpec) -> Vec<StringSpec> {
    let mut parts = Vec::with_capacity(spec.content.len() + 2);
    let mut before = StringSpec::default();
    for constraint in &spec.content {
        let mut part = before.clone();
        let outside = ContentConstraint { negated: !constraint.negated, ..constraint.clone() };
        part.content.push(outside);
        parts.push(part);
        before.content.push(constraint.clone());
    }
    if let Some(shorter) = spec.min_chars.checked_sub(1) {
        parts.push(StringSpec { max_chars: Some(shorter), ..before.clone() });
    }
    if let Some(max) = spec.max_chars {
        parts.push(StringSpec { min_chars: max.saturating_add(1), ..before });
    }
    parts
}
