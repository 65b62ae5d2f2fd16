//! What do two languages of strings say of each other? Sets of strings without what goes without saying.

use std::sync::Arc;

use super::Reducer;
use super::intersect::both_string_specs;
use crate::automata::decide::Emptiness;
use crate::automata::{ContentConstraint, ContentLanguage, OverflowWatch, Relation, StringSpec};
use crate::json_schema::fault::Result;

/// Most pairs of states that are looked at to relate two languages.
const MAX_PAIRS: usize = 1_000;

/// What a constraint is beside another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// No string keeps to both.
    Excluded,
    /// The other says it already.
    Implied,
    /// It says what the other says, and more.
    Stronger,
    /// None of these, or it is not known.
    Other,
}

impl Reducer<'_> {
    /// The strings of both, without constraints that others imply; `None` where there are none for sure. What is within one
    /// of the two is taken to be without such constraints.
    pub(in crate::json_schema) fn both_languages(
        &mut self,
        left: &StringSpec,
        right: &StringSpec,
    ) -> Result<Option<StringSpec>> {
        let Some(both) = both_string_specs(left, right) else { return Ok(None) };
        let mut content = left.content.clone();
        for constraint in both.content.iter().filter(|constraint| !left.content.contains(constraint)) {
            let mut kept = Vec::with_capacity(content.len() + 1);
            let mut implied = false;
            for own in std::mem::take(&mut content) {
                match self.beside(constraint, &own)? {
                    Beside::Excluded => return Ok(None),
                    Beside::Stronger => continue,
                    Beside::Implied => implied = true,
                    Beside::Other => {}
                }
                kept.push(own);
            }
            content = kept;
            if !implied {
                content.push(constraint.clone());
            }
        }
        Ok(Some(StringSpec { content, ..both }))
    }

    fn beside(&mut self, constraint: &ContentConstraint, other: &ContentConstraint) -> Result<Beside> {
        let Some(Relation { both, only_left, only_right }) = self.relation(&constraint.language, &other.language)?
        else {
            return Ok(Beside::Other);
        };
        let (holds_some, is_implied, is_stronger) = match (constraint.negated, other.negated) {
            (false, false) => (both, !only_right, !only_left),
            (false, true) => (only_left, false, !both),
            (true, false) => (only_right, !both, false),
            (true, true) => (true, !only_left, !only_right),
        };
        Ok(match (holds_some, is_implied, is_stronger) {
            (false, ..) => Beside::Excluded,
            (_, true, _) => Beside::Implied,
            (_, _, true) => Beside::Stronger,
            _ => Beside::Other,
        })
    }

    /// How two languages lie to each other; `None` where that is not known.
    fn relation(&mut self, left: &ContentLanguage, right: &ContentLanguage) -> Result<Option<Relation>> {
        if let (ContentLanguage::OneOf(left), ContentLanguage::OneOf(right)) = (left, right) {
            let is_in = |word: &Arc<str>, words: &[Arc<str>]| words.binary_search(word).is_ok();
            return Ok(Some(Relation {
                both: left.iter().any(|word| is_in(word, right)),
                only_left: !left.iter().all(|word| is_in(word, right)),
                only_right: !right.iter().all(|word| is_in(word, left)),
            }));
        }
        if let ContentLanguage::OneOf(words) = left {
            let (mut both, mut only_left) = (false, false);
            for word in words.iter() {
                let is_in = self.is_in(right, word)?;
                both |= is_in;
                only_left |= !is_in;
            }
            // A language that is no list is taken for larger than any.
            return Ok(Some(Relation { both, only_left, only_right: true }));
        }
        if let ContentLanguage::OneOf(_) = right {
            return Ok(self.relation(right, left)?.map(Relation::turned));
        }
        if !is_pattern(left) || !is_pattern(right) {
            return Ok(None);
        }
        let pair = (left.clone(), right.clone());
        if let Some(known) = self.languages.relations.get(&pair) {
            return Ok(*known);
        }
        self.spend(100)?;
        let (of_left, of_right) = (self.automaton(left)?, self.automaton(right)?);
        let watch = OverflowWatch::start();
        let relation = of_left.relation(&of_right, MAX_PAIRS);
        let relation = relation.filter(|_| watch.is_clear());
        self.languages.relations.insert(pair, relation);
        Ok(relation)
    }

    /// Whether any string is in both, or outside those that are negated, as far as they are patterns.
    pub(super) fn pair_emptiness(
        &mut self,
        left: &ContentConstraint,
        right: &ContentConstraint,
    ) -> Result<Option<Emptiness>> {
        if !is_pattern(&left.language) || !is_pattern(&right.language) {
            return Ok(None);
        }
        let Some(relation) = self.relation(&left.language, &right.language)? else { return Ok(None) };
        let holds_some = match (left.negated, right.negated) {
            (false, false) => relation.both,
            (false, true) => relation.only_left,
            (true, false) => relation.only_right,
            (true, true) => return Ok(None),
        };
        Ok(Some(if holds_some { Emptiness::NonEmpty } else { Emptiness::Empty }))
    }
}

fn is_pattern(language: &ContentLanguage) -> bool {
    matches!(language, ContentLanguage::Search(_) | ContentLanguage::Match(_) | ContentLanguage::Expression(_))
}
