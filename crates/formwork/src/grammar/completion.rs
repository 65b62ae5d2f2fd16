//! Which element, key or entry may come next? Only what still lets the list or record be completed.
//!
//! Lists without counters, and records without goals and clauses, know it from their bounds; the others ask their rules.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::builder::Case;
use super::productions::{ListBody, RecordBody, Register};
use super::record_rules::{At, RecordRules};
use super::seen::SeenSets;
use super::steps::Steps;
use super::tally::Tally;
use crate::automata::KeyFilter;
use crate::error::LimitError;

impl ListBody {
    /// The cases of the element at `index`; none where the list must end.
    pub(super) fn cases(&self, index: u32) -> &[Case] {
        if self.max.is_some_and(|max| index >= max) {
            return &[];
        }
        self.prefix.get(index as usize).unwrap_or(&self.rest)
    }

    fn saturate(&self, count: u32) -> u32 {
        count.min(self.max.unwrap_or((self.prefix.len() as u32).max(self.min).max(1)))
    }

    pub(super) fn can_close(&self, register: Register) -> bool {
        match &self.rules {
            None => register.count >= self.min,
            Some(rules) => rules.can_close(register.count, register.tally),
        }
    }

    /// The register behind one more element, if the list can be completed from there.
    pub(super) fn after_element(
        &self,
        register: Register,
        case: Case,
        steps: &mut Steps,
    ) -> Result<Option<Register>, LimitError> {
        let count = self.saturate(register.count + 1);
        let Some(rules) = &self.rules else { return Ok(Some(Register { count, ..register })) };
        let Some(tally) = rules.counters.add(register.tally, case.meets) else { return Ok(None) };
        let fits = rules.can_complete(count, tally, steps)?;
        Ok(fits.then_some(Register { count, tally, ..register }))
    }

    /// Whether one more element may come.
    pub(super) fn can_have_more(&self, register: Register, steps: &mut Steps) -> Result<bool, LimitError> {
        for case in self.cases(register.count) {
            if self.after_element(register, *case, steps)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl RecordBody {
    /// Whether a place is known by what may come next alone: see [`super::view`].
    pub(super) fn is_simple(&self) -> bool {
        self.single && self.rules.is_none() && !self.counts()
    }

    /// Whether the register must hold this key when it was written.
    pub(crate) fn remembers(&self, key: u32) -> bool {
        let in_clause = || self.rules.as_ref().is_some_and(|rules| rules.clause_bit(key).is_some());
        !self.all_are_listed() || in_clause()
    }

    /// Whether the register tells more of a place in this record than its count and what may come next.
    pub(crate) fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether goals and clauses are met if no more entries come.
    pub(super) fn meets_rules(&self, register: Register, seen: &SeenSets) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.are_met(at(register, seen.get(register.seen))))
    }

    /// The register behind an entry whose key it holds already, if the record can be completed from there.
    pub(super) fn after_entry(
        &self,
        register: Register,
        case: Case,
        seen: &SeenSets,
        steps: &mut Steps,
    ) -> Result<Option<Register>, LimitError> {
        let after = self.counted(register, case.meets);
        match &self.rules {
            Some(rules) if !rules.can_complete(at(after, seen.get(after.seen)), steps)? => Ok(None),
            _ => Ok(Some(after)),
        }
    }

    fn counted(&self, register: Register, meets: u32) -> Register {
        let tally = Tally::of_goals(register.tally.goals() | meets);
        Register { count: self.saturate(register.count + 1), tally, ..register }
    }

    /// The named keys that may come next; `None` when there are none.
    pub(super) fn keys_to_come(
        &self,
        register: Register,
        seen: &SeenSets,
        steps: &mut Steps,
    ) -> Result<Option<KeyFilter>, LimitError> {
        let Some(rules) = &self.rules else { return Ok(self.filter(register, seen)) };
        if self.room(register) == 0 {
            return Ok(None);
        }
        let written = seen.get(register.seen);
        let mut keys = FixedBitSet::with_capacity(self.values.len());
        self.add_listed_keys(rules, register, written, steps, &mut keys)?;
        if self.may_leave_listed(register) {
            self.add_unordered_keys(rules, register, written, steps, &mut keys)?;
        }
        Ok((!keys.is_clear()).then(|| KeyFilter::Among(Arc::new(keys))))
    }

    /// Whether a key of this class of other keys may come next.
    pub(super) fn class_can_come(
        &self,
        class: usize,
        register: Register,
        seen: &SeenSets,
        steps: &mut Steps,
    ) -> Result<bool, LimitError> {
        let Some(rules) = &self.rules else { return Ok(self.can_have_others(register, seen)) };
        if self.room(register) == 0 || !self.may_leave_listed(register) {
            return Ok(false);
        }
        let before = At { position: self.n_listed, other: true, ..at(register, seen.get(register.seen)) };
        self.any_case_fits(rules, rules.others[class], before, steps)
    }

    /// Whether one more entry may come.
    pub(super) fn can_have_more(
        &self,
        register: Register,
        seen: &SeenSets,
        steps: &mut Steps,
    ) -> Result<bool, LimitError> {
        for class in 0..self.others.len() {
            if self.class_can_come(class, register, seen, steps)? {
                return Ok(true);
            }
        }
        Ok(self.keys_to_come(register, seen, steps)?.is_some())
    }

    /// Whether a record at `before` can be completed behind one more entry, whose key is there already, of a family.
    fn any_case_fits(
        &self,
        rules: &RecordRules,
        family: u32,
        before: At<'_>,
        steps: &mut Steps,
    ) -> Result<bool, LimitError> {
        let count = self.saturate(before.count + 1);
        for meets in &rules.families[family as usize] {
            if rules.can_complete(At { count, met: before.met | meets, ..before }, steps)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the listed keys from the position on that may be written next; what lies before one is left out.
    fn add_listed_keys(
        &self,
        rules: &RecordRules,
        register: Register,
        written: &FixedBitSet,
        steps: &mut Steps,
        keys: &mut FixedBitSet,
    ) -> Result<(), LimitError> {
        // Between two keys that the rules know, and where no one counts, all are alike.
        let mut alike = None;
        for key in register.position..self.n_listed {
            let is_plain = rules.is_plain(key);
            let known = alike.filter(|_| is_plain && !self.counts());
            let fits = match known {
                Some(fits) => fits,
                None => {
                    let before = At { position: key + 1, also: Some(key), ..at(register, written) };
                    self.any_case_fits(rules, rules.family_of[key as usize], before, steps)?
                }
            };
            alike = is_plain.then_some(fits);
            keys.set(key as usize, fits);
            if self.required.contains(key as usize) {
                break;
            }
        }
        Ok(())
    }

    /// Adds the unwritten keys without an order that may be written next.
    fn add_unordered_keys(
        &self,
        rules: &RecordRules,
        register: Register,
        written: &FixedBitSet,
        steps: &mut Steps,
        keys: &mut FixedBitSet,
    ) -> Result<(), LimitError> {
        let before = |key: u32| At { position: self.n_listed, also: Some(key), ..at(register, written) };
        for (family, members) in rules.unordered.iter().enumerate() {
            for members in members {
                // All of them are alike.
                let Some(first) = members.difference(written).next() else { continue };
                if self.any_case_fits(rules, family as u32, before(first as u32), steps)? {
                    members.difference(written).for_each(|key| keys.insert(key));
                }
            }
        }
        let clause_keys = rules.clause_keys.iter().filter(|key| **key >= self.n_listed);
        for key in clause_keys.filter(|key| !written.contains(**key as usize)) {
            let fits = self.any_case_fits(rules, rules.family_of[*key as usize], before(*key), steps)?;
            keys.set(*key as usize, fits);
        }
        Ok(())
    }
}

pub(super) fn at(register: Register, written: &FixedBitSet) -> At<'_> {
    let Register { position, count, tally, .. } = register;
    At { position, count, met: tally.goals(), written, also: None, other: false }
}
