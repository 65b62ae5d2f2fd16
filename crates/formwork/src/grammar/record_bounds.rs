//! What may come next in a record, as far as its bounds and required keys tell?

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::productions::{RecordBody, Register};
use super::seen::SeenSets;
use crate::automata::KeyFilter;

impl RecordBody {
    pub(crate) fn n_properties(&self) -> u32 {
        self.values.len() as u32
    }

    /// Whether the number of entries matters.
    pub(crate) fn counts(&self) -> bool {
        self.min > 0 || self.max.is_some()
    }

    pub(super) fn saturate(&self, count: u32) -> u32 {
        if self.counts() { count.min(self.max.unwrap_or(self.min)) } else { 0 }
    }

    /// Whether all properties come in the order in which they are listed.
    pub(crate) fn all_are_listed(&self) -> bool {
        self.n_listed == self.n_properties()
    }

    /// Required properties that must still come.
    pub(super) fn n_missing(&self, register: Register, seen: &SeenSets) -> u32 {
        let n_listed = self.n_required[register.position as usize];
        if self.all_are_listed() { n_listed } else { n_listed + self.unordered_missing(register, seen).count() as u32 }
    }

    /// Required properties without an order that must still come.
    pub(super) fn unordered_missing<'a>(
        &'a self,
        register: Register,
        seen: &'a SeenSets,
    ) -> impl Iterator<Item = u32> + 'a {
        let missing = self.required.difference(seen.get(register.seen)).map(|key| key as u32);
        missing.filter(|key| *key >= self.n_listed)
    }

    /// Whether keys that are behind all listed properties may come: no required one is left out by them.
    pub(super) fn may_leave_listed(&self, register: Register) -> bool {
        self.n_required[register.position as usize] == 0
    }

    pub(super) fn can_close(&self, register: Register, seen: &SeenSets) -> bool {
        register.count >= self.min && self.n_missing(register, seen) == 0 && self.meets_rules(register, seen)
    }

    /// Entries that may still come.
    pub(super) fn room(&self, register: Register) -> u32 {
        self.max.map_or(u32::MAX, |max| max - register.count)
    }

    pub(super) fn can_have_others(&self, register: Register, seen: &SeenSets) -> bool {
        let n_missing = self.n_missing(register, seen);
        let in_order = self.may_leave_listed(register);
        // In written order nothing but other keys comes behind the first of them.
        let enough = !self.all_are_listed()
            || self.n_words.is_none_or(|n_words| self.min.saturating_sub(register.count) <= n_words);
        !self.others.is_empty() && in_order && self.room(register) > n_missing && enough
    }

    /// The named keys that may come next; `None` when there are none.
    pub(super) fn filter(&self, register: Register, seen: &SeenSets) -> Option<KeyFilter> {
        if self.all_are_listed() {
            return self.last_key(register).map(|last| KeyFilter::Range(self.first_key(register), last));
        }
        let room = self.room(register);
        let unseen = |keys: &FixedBitSet| {
            let mut unseen = keys.clone();
            unseen.difference_with(seen.get(register.seen));
            unseen
        };
        // With room for the required ones only, all others are out.
        let admitted = match self.n_missing(register, seen) {
            _ if room == 0 => return None,
            n_missing if n_missing >= room => unseen(&self.required),
            _ => {
                let mut all = FixedBitSet::with_capacity(self.values.len());
                all.insert_range(..);
                unseen(&all)
            }
        };
        (!admitted.is_clear()).then(|| KeyFilter::Among(Arc::new(admitted)))
    }

    /// The last property that may come next: the next required one, or an earlier one where skipping further would leave too
    /// few for the least number of entries, or where there is room for the required ones only.
    fn last_key(&self, register: Register) -> Option<u32> {
        let n_properties = self.n_properties();
        let mut last = self.next_required[register.position as usize];
        if self.room(register) == 0 {
            return None;
        }
        if last == n_properties {
            last = last.checked_sub(1)?;
        }
        if let Some(n_words) = self.n_words {
            // Behind key `k` at most `n - k - 1` more with a name can come, and those without.
            let missing = self.min.saturating_sub(register.count);
            last = last.min(n_properties.saturating_add(n_words).checked_sub(missing.max(1))?);
        }
        (last >= register.position).then_some(last)
    }

    /// The first property that may come next: all optional ones are out when there is room for the required ones only.
    fn first_key(&self, register: Register) -> u32 {
        let n_required = self.n_required[register.position as usize];
        if n_required > 0 && n_required >= self.room(register) {
            self.next_required[register.position as usize]
        } else {
            register.position
        }
    }
}
