//! Which expression describes the objects of a shape?

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::{Lowerer, string_terminal};
use crate::automata::{Escapes, StringSpec};
use crate::grammar::{Case, Expr, KeyOrder, OtherKeys, PresenceClause, Property, Record};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::Keyword;
use crate::json_schema::literal;
use crate::json_schema::reduce::KeySet;
use crate::json_schema::shape::{ConjId, KeyRule, Named, ObjectShape};

/// Most keys of a class that are made properties of their own.
const MAX_NAMED: usize = 64;

impl<'a> Lowerer<'_, 'a> {
    /// The expression for `shape`; `None` where no object fits.
    pub(super) fn object(&mut self, shape: &ObjectShape<'a>) -> Result<Option<Expr>> {
        self.settle(&shape.residues)?;
        let shape = &*keys_of_clauses_named(shape);
        if shape.exists.len() > Record::MAX_GOALS as usize {
            return Err(self.too_many(Keyword::Not, "too many obligations on the keys of one object"));
        }
        let Some(mut properties) = self.properties(shape)? else { return Ok(None) };
        let mut classes = self.classes(shape)?;
        let n_goals = goals_that_matter(shape, &mut properties, &mut classes);
        // That there is some entry is all that obligations ask for which every entry meets.
        let min = if n_goals < shape.exists.len() as u32 { shape.min.max(1) } else { shape.min };
        let n_named = properties.len();
        let others = self.others(classes, n_goals > 0, &mut properties)?;
        let n_unordered = u32::try_from(properties.len() - n_named).unwrap_or(u32::MAX);
        let n_required = properties.iter().filter(|property| property.required).count();
        let n_possible = if others.is_empty() { properties.len() } else { usize::MAX };
        if shape.max.is_some_and(|max| n_required > max as usize) || min as usize > n_possible {
            return Ok(None);
        }
        let Some(presence) = presence(shape, &properties, self.escapes()) else { return Ok(None) };
        Ok(Some(Expr::Record(Record {
            open: self.punctuation.open_object,
            close: self.punctuation.close_object,
            separator: self.punctuation.separator,
            assign: self.punctuation.assign,
            properties,
            n_unordered,
            others,
            n_goals,
            presence,
            min: if min as usize <= n_required { 0 } else { min },
            max: shape.max.filter(|max| (*max as usize) < n_possible),
        })))
    }

    /// The keys with a name; `None` where one is required and cannot be.
    fn properties(&mut self, shape: &ObjectShape<'a>) -> Result<Option<Vec<Property>>> {
        let mut properties = Vec::with_capacity(shape.named.len());
        for named in &shape.named {
            let value = self.reducer.value_of(shape, named)?;
            let mut goals = Vec::with_capacity(shape.exists.len());
            for goal in &shape.exists {
                let meets = value != ConjId::FALSE && self.reducer.class_holds(goal.class, named.key)?;
                goals.push(meets.then_some(goal.value));
            }
            let cases = self.cases(value, &goals)?;
            match cases.is_empty() {
                false => {
                    properties.push(Property {
                        key: literal::string(named.key, self.escapes()),
                        cases,
                        required: named.required,
                    });
                }
                true if named.required => return Ok(None),
                true => {}
            }
        }
        Ok(Some(properties))
    }

    /// The keys without a name, class by class, with the ways to read their values.
    fn classes(&mut self, shape: &ObjectShape<'a>) -> Result<Vec<(StringSpec, Vec<Case>)>> {
        if shape.max == Some(0) || self.is_closed(shape) {
            return Ok(Vec::new());
        }
        let mut classes = Vec::new();
        for set in self.reducer.key_sets(shape)? {
            let value = self.reducer.value_of_set(shape, &set);
            let goals = goals_of_set(&set, &shape.exists);
            let cases = self.cases(value, &goals)?;
            if !cases.is_empty() {
                classes.push((set.spec, cases));
            }
        }
        Ok(classes)
    }

    /// Classes of keys as the grammar has them. Where obligations are to be met, keys of a class that has few are
    /// properties, without an order: how many of them are left matters then. So they are with keys in any order, as which
    /// of a few names are left is better known to a record than to the past.
    fn others(
        &mut self,
        classes: Vec<(StringSpec, Vec<Case>)>,
        obliged: bool,
        properties: &mut Vec<Property>,
    ) -> Result<Vec<OtherKeys>> {
        let escapes = self.escapes();
        let listed = self.reducer.options.key_order == KeyOrder::Listed;
        let mut others = Vec::new();
        for (spec, cases) in classes {
            let words = match (obliged, listed) {
                (true, _) => self.reducer.few_words(&spec)?,
                (false, true) => self.reducer.words_of(&spec)?,
                (false, false) => self.reducer.very_few_words(&spec)?,
            };
            let named = words.as_ref().filter(|words| obliged || (!listed && words.len() <= MAX_NAMED));
            if let Some(words) = named {
                let property = |word: &std::sync::Arc<str>| Property {
                    key: literal::string(word, escapes),
                    cases: cases.clone(),
                    required: false,
                };
                properties.extend(words.iter().map(property));
                continue;
            }
            let n_words = words.map(|words| u32::try_from(words.len()).unwrap_or(u32::MAX));
            let key = self.builder.terminal(string_terminal(self.reducer.options, spec));
            others.push(OtherKeys { key, cases, n_words });
        }
        Ok(others)
    }

    /// Whether no key without a name can be, on the face of it.
    fn is_closed(&self, shape: &ObjectShape<'a>) -> bool {
        shape.rules.iter().any(|rule| rule.value == ConjId::FALSE && self.reducer.is_without_patterns(rule.class))
    }

    /// The ways to read a value: with each goal that it may meet (`None` where it cannot count) and without.
    pub(super) fn cases(&mut self, value: ConjId, goals: &[Option<ConjId>]) -> Result<Vec<Case>> {
        if value == ConjId::FALSE {
            return Ok(Vec::new());
        }
        let mut found: SmallVec<[(ConjId, u32); 2]> = smallvec![(value, 0)];
        for (index, goal) in goals.iter().enumerate() {
            let Some(goal) = goal else { continue };
            let bit = 1 << index;
            for at in 0..found.len() {
                let (value, meets) = found[at];
                let fitting = self.reducer.both(value, *goal);
                if fitting == value {
                    found[at].1 |= bit;
                } else if fitting != ConjId::FALSE && !self.reducer.is_plainly_empty(fitting)? {
                    found.push((fitting, meets | bit));
                }
            }
            if found.len() > super::MAX_CASES {
                return Err(self.too_many(Keyword::Not, "too many obligations meet in one value"));
            }
        }
        let mut cases = Vec::with_capacity(found.len());
        for (value, meets) in found {
            cases.extend(self.nonterminal(value)?.map(|value| Case { value, meets }));
        }
        Ok(cases)
    }
}

/// `shape` with all keys named that its clauses speak of, whatever else is said of them.
fn keys_of_clauses_named<'s, 'a>(shape: &'s ObjectShape<'a>) -> Cow<'s, ObjectShape<'a>> {
    let mut all = Cow::Borrowed(shape);
    for (key, _) in shape.presence.iter().flatten() {
        if !all.named.iter().any(|named| named.key == *key) {
            all.to_mut().named.push(Named { key, value: ConjId::TRUE, required: false, owner: None });
        }
    }
    all
}

/// How many goals are left: none where every entry meets all of them.
fn goals_that_matter(
    shape: &ObjectShape<'_>,
    properties: &mut [Property],
    classes: &mut [(StringSpec, Vec<Case>)],
) -> u32 {
    let n_goals = u32::try_from(shape.exists.len()).unwrap_or(u32::MAX);
    if n_goals == 0 {
        return 0;
    }
    let all_goals = (1u32 << n_goals) - 1;
    let named = properties.iter_mut().flat_map(|property| &mut property.cases);
    let mut cases: Vec<&mut Case> = named.chain(classes.iter_mut().flat_map(|(_, cases)| cases)).collect();
    if cases.iter().any(|case| case.meets != all_goals) {
        return n_goals;
    }
    cases.iter_mut().for_each(|case| case.meets = 0);
    0
}

/// By goal: what the value of a key of the set must fit to meet it; `None` where it cannot.
fn goals_of_set(set: &KeySet, exists: &[KeyRule]) -> Vec<Option<ConjId>> {
    exists.iter().map(|goal| set.is_in(goal.class).then_some(goal.value)).collect()
}

/// The clauses over the properties that can be; `None` where one cannot hold.
fn presence(shape: &ObjectShape<'_>, properties: &[Property], escapes: Escapes) -> Option<Vec<PresenceClause>> {
    let mut clauses = Vec::with_capacity(shape.presence.len());
    for clause in &shape.presence {
        let mut literals = Vec::with_capacity(clause.len());
        let mut holds = false;
        for (key, there) in clause {
            let key = literal::string(key, escapes);
            match properties.iter().position(|property| property.key == key) {
                Some(index) => literals.push((index as u32, *there)),
                // A key that cannot be is not there.
                None => holds |= !there,
            }
        }
        match literals.is_empty() {
            _ if holds => {}
            true => return None,
            false => clauses.push(PresenceClause(literals)),
        }
    }
    Some(clauses)
}
