//! Which expression describes the objects of a shape?

use std::sync::Arc;

use smallvec::SmallVec;

use super::Lowerer;
use crate::automata::decide::Emptiness;
use crate::automata::{ContentConstraint, ContentLanguage, StringSpec, Terminal};
use crate::grammar::{Case, Expr, OtherKeys, Property, Record};
use crate::json_schema::fault::Result;
use crate::json_schema::literal;
use crate::json_schema::shape::{ConjId, KeyClass, ObjectShape, PatternId};

/// Most classes that the keys without a name may fall into.
const MAX_CLASSES: usize = 64;

/// Keys in which these patterns are found, and those are not.
#[derive(Clone, Debug, Default)]
struct KeySet {
    found: SmallVec<[PatternId; 4]>,
    missing: SmallVec<[PatternId; 4]>,
}

impl<'a> Lowerer<'_, 'a> {
    /// The expression for `shape`; `None` where no object fits.
    pub(super) fn object(&mut self, shape: &ObjectShape<'a>) -> Result<Option<Expr>> {
        self.settle(&shape.residues)?;
        let Some(properties) = self.properties(shape)? else { return Ok(None) };
        let others = self.others(shape)?;
        let n_required = properties.iter().filter(|property| property.required).count();
        let n_possible = if others.is_empty() { properties.len() } else { usize::MAX };
        if shape.max.is_some_and(|max| n_required > max as usize) || shape.min as usize > n_possible {
            return Ok(None);
        }
        let mut min = shape.min;
        if min as usize <= n_required {
            min = 0;
        } else if !others.is_empty() && min as usize > n_required + 1 {
            // Two of the other keys might be the same one.
            if let Some(residue) = shape.min_residue {
                self.reducer.settle(residue)?;
            }
            min = 0;
        }
        let max = shape.max.filter(|max| (*max as usize) < n_possible);
        Ok(Some(Expr::Record(Record {
            open: self.punctuation.open_object,
            close: self.punctuation.close_object,
            separator: self.punctuation.separator,
            assign: self.punctuation.assign,
            properties,
            others,
            n_goals: 0,
            presence: Vec::new(),
            min,
            max,
        })))
    }

    /// The keys with a name; `None` where one is required and cannot be.
    fn properties(&mut self, shape: &ObjectShape<'a>) -> Result<Option<Vec<Property>>> {
        let mut properties = Vec::with_capacity(shape.named.len());
        for named in &shape.named {
            let value = self.reducer.value_of(shape, named)?;
            match self.nonterminal(value)? {
                Some(value) => {
                    let cases = vec![Case::plain(value)];
                    properties.push(Property { key: literal::string(named.key), cases, required: named.required });
                }
                None if named.required => return Ok(None),
                None => {}
            }
        }
        Ok(Some(properties))
    }

    /// The keys without a name, class by class.
    fn others(&mut self, shape: &ObjectShape<'a>) -> Result<Vec<OtherKeys>> {
        if shape.max == Some(0) {
            return Ok(Vec::new());
        }
        let mut others = Vec::new();
        for (set, value) in self.key_sets(shape)? {
            if let Some(value) = self.nonterminal(value)? {
                let key = self.key_spec(shape, &set)?;
                if let Some(spec) = key {
                    let key = self.builder.terminal(Terminal::String(spec.into()));
                    others.push(OtherKeys { key, cases: vec![Case::plain(value)], n_words: None });
                }
            }
        }
        Ok(others)
    }

    /// Splits the keys by the patterns that rules speak of, with what the values of each set must fit.
    fn key_sets(&mut self, shape: &ObjectShape<'a>) -> Result<Vec<(KeySet, ConjId)>> {
        let mut sets = vec![KeySet::default()];
        for pattern in self.patterns(shape) {
            let mut split = Vec::with_capacity(sets.len() + 1);
            for set in sets {
                self.split(set, pattern, &mut split)?;
            }
            sets = split;
            if sets.len() > MAX_CLASSES {
                let residue = self.reducer.too_many_patterns();
                self.reducer.settle(residue)?;
                sets.truncate(MAX_CLASSES);
            }
        }
        let mut valued = Vec::with_capacity(sets.len());
        for set in sets {
            let mut value = ConjId::TRUE;
            for rule in &shape.rules {
                let holds = match rule.class {
                    KeyClass::All => true,
                    KeyClass::Pattern(pattern) => set.found.contains(&pattern),
                    KeyClass::Except(_) => {
                        !self.reducer.owner_patterns(rule.class).iter().any(|pattern| set.found.contains(pattern))
                    }
                };
                if holds {
                    value = self.reducer.both(value, rule.value);
                }
            }
            if value != ConjId::FALSE {
                valued.push((set, value));
            }
        }
        Ok(valued)
    }

    /// All patterns that matter to the keys of `shape`.
    fn patterns(&self, shape: &ObjectShape<'a>) -> Vec<PatternId> {
        let mut patterns = Vec::new();
        for rule in &shape.rules {
            match rule.class {
                KeyClass::Pattern(pattern) => patterns.push(pattern),
                other => patterns.extend_from_slice(self.reducer.owner_patterns(other)),
            }
        }
        patterns.sort_unstable();
        patterns.dedup();
        patterns
    }

    /// Splits `set` into the keys with `pattern` and those without, as far as there are any.
    fn split(&mut self, set: KeySet, pattern: PatternId, split: &mut Vec<KeySet>) -> Result<()> {
        let everything = self.reducer.patterns[pattern.0 as usize].is_everything();
        let mut with = set.clone();
        with.found.push(pattern);
        // One pattern alone is hardly ever empty; with others, that they exclude each other keeps the sets few.
        if with.found.len() == 1 || self.may_hold(&with)? {
            split.push(with);
        }
        if !everything {
            let mut without = set;
            without.missing.push(pattern);
            if without.found.is_empty() || self.may_hold(&without)? {
                split.push(without);
            }
        }
        Ok(())
    }

    fn may_hold(&mut self, set: &KeySet) -> Result<bool> {
        let Some(spec) = self.set_spec(set) else { return Ok(false) };
        Ok(self.reducer.string_emptiness(&spec)? != Emptiness::Empty)
    }

    /// The keys of a set as a string language; `None` where that is plainly none.
    fn set_spec(&self, set: &KeySet) -> Option<StringSpec> {
        let mut content = Vec::new();
        for (patterns, negated) in [(&set.found, false), (&set.missing, true)] {
            for pattern in patterns {
                match &self.reducer.patterns[pattern.0 as usize].single {
                    Some(language) => content.push(ContentConstraint { language: language.clone(), negated }),
                    None if negated && self.reducer.patterns[pattern.0 as usize].is_everything() => return None,
                    None => {}
                }
            }
        }
        Some(StringSpec { content, ..StringSpec::default() })
    }

    /// The keys of a set that have no name.
    fn key_spec(&mut self, shape: &ObjectShape<'a>, set: &KeySet) -> Result<Option<StringSpec>> {
        let Some(mut spec) = self.set_spec(set) else { return Ok(None) };
        if let Some(key) = &shape.key {
            match crate::json_schema::reduce::both_string_specs(&spec, key) {
                Some(both) => spec = both,
                None => return Ok(None),
            }
        }
        let mut names: Vec<Arc<str>> = Vec::with_capacity(shape.named.len());
        for named in &shape.named {
            let mut among = true;
            for pattern in &set.found {
                among = among && self.reducer.pattern_holds(*pattern, named.key)?;
            }
            if among {
                names.push(named.key.into());
            }
        }
        if !names.is_empty() {
            names.sort_unstable();
            let language = ContentLanguage::OneOf(names.into());
            spec.content.push(ContentConstraint { language, negated: true });
        }
        Ok(Some(spec))
    }
}
